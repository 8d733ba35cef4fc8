#include "cli/json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace holdfast::cli {

namespace {

/// How many bytes the UTF-8 sequence at the front takes; 0: it is none. No overlong forms, no surrogates.
std::size_t sequence_length(std::string_view bytes) {
  const auto at = [&bytes](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (std::size_t index = 1; index < length; ++index) {
    if ((at(index) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = at(1);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

Json array() { return Json::array(); }

Json time_left(const client::LeaseInfo& lease) {
  Json json;
  json["lease"] = lease_text(lease.lease);
  json["ttl_ms"] = lease.ttl.count();
  json["remaining_ms"] = lease.remaining.count();
  return json;
}

Json to_json(const client::KeyValue& entry) {
  Json json;
  set_bytes(json, "key", entry.key);
  set_bytes(json, "value", entry.value);
  json["create_revision"] = entry.create_revision;
  json["mod_revision"] = entry.mod_revision;
  json["version"] = entry.version;
  json["lease"] = lease_text(entry.lease);
  return json;
}

Json to_json(const client::Instance& instance) {
  Json json;
  json["id"] = instance.id;
  json["address"] = instance.address;
  json["port"] = instance.port;
  json["tags"] = instance.tags;
  json["metadata"] = Json::object();
  for (const auto& [key, value] : instance.metadata) json["metadata"][key] = value;
  json["weight"] = instance.weight;
  json["health"] = name_of(instance.health);
  json["lease"] = lease_text(instance.lease);
  return json;
}

Json to_json(const client::LockInfo& lock) {
  Json json;
  json["lock"] = lock.lock;
  json["holders"] = array();
  for (const client::LockHolder& holder : lock.holders) {
    Json& one = json["holders"].emplace_back();
    one["token"] = holder.token;
    one["lease"] = lease_text(holder.lease);
    one["mode"] = holder.mode;
    one["owner"] = holder.owner;
    one["held_ms"] = holder.held.count();
  }
  json["queue"] = array();
  for (const client::LockWaiter& waiter : lock.queue) {
    Json& one = json["queue"].emplace_back();
    one["position"] = waiter.position;
    one["lease"] = lease_text(waiter.lease);
    one["mode"] = waiter.mode;
    one["owner"] = waiter.owner;
    one["waiting_ms"] = waiter.waiting.count();
  }
  return json;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t begin = 0; begin < bytes.size(); begin += 3) {
    const std::string_view group = bytes.substr(begin, 3);
    std::uint32_t bits = 0;
    for (std::size_t index = 0; index < 3; ++index) {
      bits = bits << 8 | (index < group.size() ? static_cast<unsigned char>(group[index]) : 0U);
    }
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit <= group.size() ? kDigits[bits >> (18 - 6 * digit) & 0x3F] : '=';
    }
  }
  return text;
}

void set_bytes(Json& object, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    object[name] = bytes;
  } else {
    object[name + "_base64"] = base64(bytes);
  }
}

std::string id_text(std::uint64_t id) {
  std::string text(16, '0');
  for (std::size_t digit = 0; digit < 16; ++digit)
    text[15 - digit] = "0123456789abcdef"[id >> (4 * digit) & 0xF];
  return text;
}

std::string lease_text(client::LeaseId lease) { return lease ? id_text(lease.value) : ""; }

std::string_view name_of(client::Health health) {
  switch (health) {
    case client::Health::kPassing:
      return "passing";
    case client::Health::kWarning:
      return "warning";
    case client::Health::kCritical:
      return "critical";
  }
  return "unknown";
}

Json to_json(const client::GetResult& result) {
  Json json;
  json["revision"] = result.revision;
  json["count"] = result.count;
  json["more"] = result.more;
  json["entries"] = array();
  for (const client::KeyValue& entry : result.entries) json["entries"].push_back(to_json(entry));
  return json;
}

Json to_json(const client::WatchEvent& event) {
  Json json;
  json["type"] = event.type == client::WatchEvent::Type::kPut ? "put" : "delete";
  Json entry = to_json(event.entry);
  entry.erase("lease");
  json.update(entry);
  return json;
}

Json to_json(const client::LeaseInfo& lease) {
  Json json = time_left(lease);
  json["attached"] = array();
  for (const std::string& name : lease.attached) json["attached"].push_back(name);
  return json;
}

Json to_json(const std::vector<client::LeaseInfo>& leases) {
  Json json;
  json["leases"] = array();
  // What is attached is shown lease by lease: a list of all leases with all they hold has no bound.
  for (const client::LeaseInfo& lease : leases) json["leases"].push_back(time_left(lease));
  return json;
}

Json to_json(const std::vector<client::ServiceInfo>& services) {
  Json json;
  json["services"] = array();
  for (const client::ServiceInfo& service : services) {
    Json& one = json["services"].emplace_back();
    one["name"] = service.name;
    one["instances"] = service.instances;
  }
  return json;
}

Json to_json(const std::string& service, const std::vector<client::Instance>& instances) {
  Json json;
  json["service"] = service;
  json["instances"] = array();
  for (const client::Instance& instance : instances) json["instances"].push_back(to_json(instance));
  return json;
}

Json to_json(const std::vector<client::LockInfo>& locks) {
  Json json;
  json["locks"] = array();
  for (const client::LockInfo& lock : locks) json["locks"].push_back(to_json(lock));
  return json;
}

Json to_json(const client::ClusterStatus& status) {
  Json json;
  json["cluster_id"] = id_text(status.cluster_id);
  json["leader"] = status.leader;
  json["members"] = array();
  for (const client::MemberInfo& member : status.members) {
    Json& one = json["members"].emplace_back();
    one["id"] = id_text(member.id);
    one["name"] = member.name;
    one["endpoint"] = member.endpoint;
    one["role"] = member.role;
    one["term"] = member.term;
    one["commit_index"] = member.commit_index;
    one["applied_index"] = member.applied_index;
    one["healthy"] = member.healthy;
  }
  return json;
}

Json to_json(const client::Membership& membership) {
  Json json;
  json["cluster_id"] = id_text(membership.cluster_id);
  json["leader"] = membership.leader;
  json["changing"] = membership.changing;
  json["members"] = array();
  for (const client::Participant& member : membership.members) {
    Json& one = json["members"].emplace_back();
    one["id"] = id_text(member.id);
    one["name"] = member.name;
    one["peer"] = member.peer_address;
    one["endpoint"] = member.endpoint;
    one["role"] = member.part;
    one["match_index"] = member.match_index;
    one["behind"] = membership.last_index - std::min(member.match_index, membership.last_index);
  }
  return json;
}

}  // namespace holdfast::cli
