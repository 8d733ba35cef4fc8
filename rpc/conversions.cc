#include "rpc/conversions.h"

#include <algorithm>

#include "rpc/texts.h"

namespace holdfast::rpc {

namespace {

// A struct's own words and the rounding of its texts, generously.
constexpr std::size_t kStructBytes = 96;
constexpr std::size_t kTextBytes = 16;

milliseconds since(ClusterTime then, ClusterTime now) { return std::max(now - then, milliseconds(0)); }

/// A number that no byte holds must not come out as another one: validate() is to see that it is unknown.
template <typename Ours, typename Wire>
Ours to_enum(Wire number) {
  return static_cast<Ours>(std::min<unsigned>(static_cast<unsigned>(number), 0xff));
}

std::optional<Revision> read_condition(bool conditional, std::uint64_t expected) {
  return conditional ? std::optional<Revision>(Revision(expected)) : std::nullopt;
}

}  // namespace

config::KeyRange read_range(schema::Config::Range0::Reader range) {
  return config::KeyRange{to_string(range.getBegin()), to_string(range.getEnd())};
}

config::Put read_put(schema::Config::Put::Reader put) {
  return config::Put{to_string(put.getKey()), Blob(view_of(put.getValue())), LeaseId(put.getLease()),
                     read_condition(put.getConditional(), put.getExpected())};
}

config::Delete read_delete(schema::Config::Delete::Reader remove) {
  return config::Delete{read_range(remove.getRange()),
                        read_condition(remove.getConditional(), remove.getExpected())};
}

void write_entry(const config::Change& row, bool keys_only, schema::Config::KeyValue::Builder out) {
  out.setKey(as_data(row.key()));
  if (!keys_only) out.setValue(as_data(row.value()));
  out.setCreateRevision(row.create_revision().value());
  out.setModRevision(row.mod_revision().value());
  out.setVersion(row.version());
  out.setLease(row.lease().value());
}

void write_change(const config::Change& change, schema::Config::Change::Builder out) {
  out.setDeleted(!change.is_put());
  write_entry(change, false, out.initEntry());
}

state::RegisterInstance read_registration(schema::Registry::RegisterParams::Reader params) {
  const auto in = params.getInstance();
  registry::Instance instance;
  instance.id = to_string(in.getId());
  instance.address = to_string(in.getAddress());
  instance.port = in.getPort();
  for (auto tag : in.getTags()) instance.tags.push_back(to_string(tag));
  std::sort(instance.tags.begin(), instance.tags.end());
  instance.tags.erase(std::unique(instance.tags.begin(), instance.tags.end()), instance.tags.end());
  for (auto pair : in.getMetadata()) {
    instance.metadata.insert_or_assign(to_string(pair.getKey()), to_string(pair.getValue()));
  }
  instance.weight = in.getWeight();
  instance.health = to_enum<registry::Health>(in.getHealth());
  instance.maintenance = in.getMaintenance();
  instance.lease = LeaseId(in.getLease());
  return state::RegisterInstance{to_string(params.getService()), std::move(instance)};
}

registry::Filter read_filter(schema::Registry::Filter::Reader in) {
  registry::Filter filter;
  for (auto tag : in.getTags()) filter.tags.push_back(to_string(tag));
  for (auto pair : in.getMetadata()) {
    filter.metadata.insert_or_assign(to_string(pair.getKey()), to_string(pair.getValue()));
  }
  filter.healthy_only = in.getHealthyOnly();
  return filter;
}

void write_instance(const registry::Instance& instance, schema::Registry::Instance::Builder out) {
  out.setId(as_text(instance.id));
  out.setAddress(as_text(instance.address));
  out.setPort(instance.port);
  auto tags = out.initTags(static_cast<unsigned>(instance.tags.size()));
  for (unsigned i = 0; i < tags.size(); ++i) tags.set(i, as_text(instance.tags[i]));
  auto metadata = out.initMetadata(static_cast<unsigned>(instance.metadata.size()));
  unsigned position = 0;
  for (const auto& [key, value] : instance.metadata) {
    auto pair = metadata[position++];
    pair.setKey(as_text(key));
    pair.setValue(as_text(value));
  }
  out.setWeight(instance.weight);
  out.setHealth(static_cast<schema::Registry::Health>(instance.health));
  out.setMaintenance(instance.maintenance);
  out.setLease(instance.lease.value());
  out.setModRevision(instance.mod_revision.value());
}

void write_change(const registry::Change& change, schema::Registry::Change::Builder out) {
  out.setRemoved(change.removed);
  out.setService(as_text(change.service));
  write_instance(change.instance, out.initInstance());
}

lock::Acquire read_acquire(schema::Locks::Acquire::Reader in) {
  lock::Acquire acquire;
  acquire.lock = to_string(in.getLock());
  acquire.lease = LeaseId(in.getLease());
  acquire.mode = to_enum<lock::Mode>(in.getMode());
  acquire.owner = to_string(in.getOwner());
  acquire.queue = in.getQueue();
  if (in.getBounded()) acquire.wait = milliseconds(static_cast<std::int64_t>(in.getWaitMs()));
  acquire.attempt = in.getAttempt();
  return acquire;
}

void write_lock(const std::string& name, const lock::Lock& lock, ClusterTime now,
                schema::Locks::Lock::Builder out) {
  out.setLock(as_text(name));
  auto holders = out.initHolders(static_cast<unsigned>(lock.holders.size()));
  unsigned position = 0;
  for (const auto& [token, holder] : lock.holders) {
    auto holder_out = holders[position++];
    holder_out.setToken(token.value());
    holder_out.setLease(holder.lease.value());
    holder_out.setMode(static_cast<schema::Locks::Mode>(holder.mode));
    holder_out.setOwner(as_text(holder.owner));
    holder_out.setHeldMs(static_cast<std::uint64_t>(since(holder.since, now).count()));
  }
  auto queue = out.initQueue(static_cast<unsigned>(lock.queue.size()));
  position = 0;
  for (const auto& [ticket, waiter] : lock.queue.waiters()) {
    auto waiter_out = queue[position++];
    waiter_out.setPosition(position);
    waiter_out.setLease(waiter.lease.value());
    waiter_out.setMode(static_cast<schema::Locks::Mode>(waiter.mode));
    waiter_out.setOwner(as_text(waiter.owner));
    waiter_out.setWaitingMs(static_cast<std::uint64_t>(since(waiter.since, now).count()));
  }
}

std::size_t wire_bytes(const config::Change& change, bool keys_only) {
  return kStructBytes + change.key().size() + (keys_only ? 0 : change.value().size());
}

std::size_t wire_bytes(const registry::Instance& instance) {
  std::size_t bytes = 2 * kStructBytes + instance.id.size() + instance.address.size();
  for (const auto& tag : instance.tags) bytes += kTextBytes + tag.size();
  for (const auto& [key, value] : instance.metadata) bytes += 2 * kTextBytes + key.size() + value.size();
  return bytes;
}

std::size_t wire_bytes(const std::string& text) { return kTextBytes + text.size(); }

std::size_t wire_bytes(const std::string& name, const lock::Lock& lock) {
  std::size_t bytes = kStructBytes + name.size();
  for (const auto& [token, holder] : lock.holders) bytes += kStructBytes + holder.owner.size();
  for (const auto& [ticket, waiter] : lock.queue.waiters()) bytes += kStructBytes + waiter.owner.size();
  return bytes;
}

}  // namespace holdfast::rpc
