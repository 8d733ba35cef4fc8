#include <capnp/message.h>

#include "command.capnp.h"
#include "state/command.h"
#include "state/feature_level.h"
#include "state/message.h"

namespace holdfast::state {

namespace {

using schema::Command;

std::uint64_t wire(milliseconds time) {
  return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}

struct OperationWriter {
  schema::Command::Builder to;

  void operator()(const GrantLease& from) { to.initGrantLease().setTtlMs(wire(from.ttl)); }
  void operator()(const RevokeLease& from) { to.initRevokeLease().setLease(from.lease.value()); }
  void operator()(const EndLeases& from) {
    auto leases = to.initEndLeases().initLeases(static_cast<unsigned>(from.leases.size()));
    for (unsigned i = 0; i < leases.size(); ++i) leases.set(i, from.leases[i].value());
  }
  void operator()(const config::Put& from) {
    auto put = to.initPut();
    put.setKey(data_of(from.key));
    put.setValue(data_of(from.value.view()));
    put.setLease(from.lease.value());
    put.setConditional(from.expected.has_value());
    if (from.expected) put.setExpected(from.expected->value());
  }
  void operator()(const config::Delete& from) {
    auto remove = to.initDelete();
    remove.setBegin(data_of(from.range.begin));
    remove.setEnd(data_of(from.range.end));
    remove.setConditional(from.expected.has_value());
    if (from.expected) remove.setExpected(from.expected->value());
    remove.setBounded(from.most.has_value());
    if (from.most) remove.setMost(*from.most);
    remove.setPartial(from.partial);
  }
  void operator()(const RegisterInstance& from) {
    auto out = to.initRegisterInstance();
    const registry::Instance& instance = from.instance;
    out.setService(from.service);
    out.setId(instance.id);
    out.setAddress(instance.address);
    out.setPort(instance.port);
    auto tags = out.initTags(static_cast<unsigned>(instance.tags.size()));
    for (unsigned i = 0; i < tags.size(); ++i) tags.set(i, instance.tags[i]);
    auto pairs = out.initMetadata(static_cast<unsigned>(instance.metadata.size()));
    unsigned next = 0;
    for (const auto& [key, value] : instance.metadata) {
      pairs[next].setKey(key);
      pairs[next].setValue(value);
      ++next;
    }
    out.setWeight(instance.weight);
    out.setHealth(static_cast<std::uint8_t>(instance.health));
    out.setMaintenance(instance.maintenance);
    out.setLease(instance.lease.value());
  }
  void operator()(const DeregisterInstance& from) {
    auto out = to.initDeregisterInstance();
    out.setService(from.service);
    out.setId(from.id);
    out.setLease(from.lease.value());
  }
  void operator()(const lock::Acquire& from) {
    auto out = to.initAcquire();
    out.setLock(from.lock);
    out.setLease(from.lease.value());
    out.setMode(static_cast<std::uint8_t>(from.mode));
    out.setOwner(from.owner);
    out.setQueue(from.queue);
    out.setBounded(from.wait.has_value());
    if (from.wait) out.setWaitMs(wire(*from.wait));
    out.setAttempt(from.attempt);
  }
  void operator()(const CancelAcquire& from) {
    auto out = to.initCancelAcquire();
    out.setLock(from.lock);
    out.setLease(from.lease.value());
    out.setAttempt(from.attempt);
  }
  void operator()(const ReleaseLock& from) {
    auto out = to.initReleaseLock();
    out.setLock(from.lock);
    out.setToken(from.token.value());
  }
  void operator()(const TimeOutWaiters& from) {
    auto waiters = to.initTimeOutWaiters(static_cast<unsigned>(from.waiters.size()));
    for (unsigned i = 0; i < waiters.size(); ++i) {
      waiters[i].setLock(from.waiters[i].lock);
      waiters[i].setLease(from.waiters[i].lease.value());
      waiters[i].setTicket(from.waiters[i].ticket);
    }
  }
  void operator()(const AnnounceMember& from) {
    auto out = to.initAnnounceMember();
    out.setMember(from.member.value());
    out.setName(from.name);
    out.setClientEndpoint(from.client_endpoint);
    out.setFeatureLevel(from.feature_level);
  }
  void operator()(const RaiseFeatureLevel& from) { to.initRaiseFeatureLevel().setLevel(from.level); }
};

}  // namespace

Result<Blob> encode(const state::Command& command) {
  // Nearly every command fits the stack; a large value goes to a segment of its own.
  capnp::word scratch[512] = {};
  capnp::MallocMessageBuilder message(kj::arrayPtr(scratch, 512));
  auto to = message.initRoot<schema::Command>();
  to.setFormatVersion(level_of(command.operation));
  to.setClusterTimeMs(wire(command.time));
  to.setSession(command.stamp.session.value());
  to.setSequence(command.stamp.sequence);
  to.setAcknowledgedBelow(command.stamp.acknowledged_below);
  std::visit(OperationWriter{to}, command.operation);
  const std::size_t size = capnp::computeSerializedSizeInWords(message) * sizeof(capnp::word);
  if (size > limits::kMaxEntryBytes) {
    return fail(Errc::kLimitExceeded,
                "the command takes " + std::to_string(size) + " bytes in the log, more than the " +
                    std::to_string(limits::kMaxEntryBytes) + " that one entry may have; send it in parts");
  }
  return blob_of(message);
}

}  // namespace holdfast::state
