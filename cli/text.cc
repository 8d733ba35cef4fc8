#include "cli/text.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "cli/arguments.h"
#include "cli/json.h"

namespace holdfast::cli {

namespace {

/// Columns as wide as their widest cell, two spaces apart; nothing at all without rows.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    if (rows_.size() == 1) return "";
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t column = 0; column < row.size(); ++column) {
        widths[column] = std::max(widths[column], row[column].size());
      }
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t column = 0; column < row.size(); ++column) {
        line += row[column] + std::string(widths[column] - row[column].size() + 2, ' ');
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// To a precision that people want: "9.4s", "75s", "12m", "3h".
std::string about(milliseconds duration) {
  const auto count = duration.count();
  if (count < 10'000) return std::to_string(count / 1000) + "." + std::to_string(count / 100 % 10) + "s";
  if (count < 120'000) return std::to_string(count / 1000) + "s";
  if (count < 7'200'000) return std::to_string(count / 60'000) + "m";
  return std::to_string(count / 3'600'000) + "h";
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string pairs(const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : metadata) parts.push_back(key + "=" + value);
  return joined(parts, ",");
}

std::string host_port(const client::Instance& instance) {
  const bool is_v6 = instance.address.find(':') != std::string::npos;
  if (instance.port == 0) return instance.address;  // it is listed, but nobody calls it
  return (is_v6 ? "[" + instance.address + "]" : instance.address) + ":" + std::to_string(instance.port);
}

}  // namespace

std::string to_text(const client::GetResult& result, const client::GetOptions& asked) {
  std::string text;
  for (const client::KeyValue& entry : result.entries) {
    if (asked.keys_only) {
      text += entry.key + "\n";
    } else if (asked.prefix) {
      text += entry.key + " = " + entry.value + "\n";
    } else {
      text += entry.value + "\n";
    }
  }
  if (result.more) {
    text += "(" + std::to_string(result.entries.size()) + " of " + std::to_string(result.count) + " keys)\n";
  }
  return text;
}

std::string to_text(const client::WatchEvent& event) {
  const std::string revision = "  (revision " + std::to_string(event.entry.mod_revision) + ")\n";
  if (event.type == client::WatchEvent::Type::kDelete) return "delete " + event.entry.key + revision;
  return "put " + event.entry.key + " = " + event.entry.value + revision;
}

std::string to_text(const client::LeaseInfo& lease) {
  std::string text = "lease " + lease_text(lease.lease) + ": " + about(lease.remaining) + " of " +
                     to_text(lease.ttl) + " left\n";
  for (const std::string& name : lease.attached) text += "  " + name + "\n";
  return text;
}

std::string to_text(const std::vector<client::LeaseInfo>& leases) {
  Table table({"LEASE", "TTL", "LEFT"});
  for (const client::LeaseInfo& lease : leases) {
    table.add({lease_text(lease.lease), to_text(lease.ttl), about(lease.remaining)});
  }
  return table.text();
}

std::string to_text(const std::vector<client::ServiceInfo>& services) {
  Table table({"SERVICE", "INSTANCES"});
  for (const client::ServiceInfo& service : services) {
    table.add({service.name, std::to_string(service.instances)});
  }
  return table.text();
}

std::string to_text(const std::string& service, const std::vector<client::Instance>& instances) {
  if (instances.empty()) return service + " has no instance that matches\n";
  Table table({"INSTANCE", "ADDRESS", "HEALTH", "TAGS", "METADATA"});
  for (const client::Instance& instance : instances) {
    table.add({instance.id, host_port(instance),
               std::string(name_of(instance.health)) + (instance.maintenance ? ", in maintenance" : ""),
               or_dash(joined(instance.tags, ",")), or_dash(pairs(instance.metadata))});
  }
  return table.text();
}

std::string to_text(const std::vector<client::LockInfo>& locks) {
  Table table({"LOCK", "PLACE", "TOKEN", "OWNER", "SINCE", "LEASE"});
  for (const client::LockInfo& lock : locks) {
    for (const client::LockHolder& holder : lock.holders) {
      table.add({lock.lock, "holder", std::to_string(holder.token), or_dash(holder.owner), about(holder.held),
                 lease_text(holder.lease)});
    }
    for (const client::LockWaiter& waiter : lock.queue) {
      table.add({lock.lock, std::to_string(waiter.position), "-", or_dash(waiter.owner),
                 about(waiter.waiting), lease_text(waiter.lease)});
    }
  }
  return table.text();
}

std::string to_text(const client::ClusterStatus& status) {
  Table table({"MEMBER", "ROLE", "ENDPOINT", "TERM", "COMMIT", "APPLIED", "HEALTHY"});
  for (const client::MemberInfo& member : status.members) {
    table.add({member.name, member.role, or_dash(member.endpoint), std::to_string(member.term),
               std::to_string(member.commit_index), std::to_string(member.applied_index),
               member.healthy ? "yes" : "no"});
  }
  return "cluster " + id_text(status.cluster_id) + ", " +
         (status.leader.empty() ? "no leader" : "leader " + status.leader) + "\n" + table.text();
}

std::string to_text(const client::Membership& membership) {
  Table table({"MEMBER", "ROLE", "PEER", "ENDPOINT", "BEHIND"});
  for (const client::Participant& member : membership.members) {
    const std::uint64_t behind = membership.last_index - std::min(member.match_index, membership.last_index);
    const bool leads = member.name == membership.leader;
    table.add({member.name, member.part + (leads ? ", leads" : ""), member.peer_address,
               or_dash(member.endpoint), member.match_index == 0 ? "-" : std::to_string(behind)});
  }
  return table.text();
}

}  // namespace holdfast::cli
