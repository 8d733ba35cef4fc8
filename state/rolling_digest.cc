#include "state/rolling_digest.h"

namespace holdfast::state {

namespace {

// What a command, its reply and its events carry in common is already in the command's bytes: here is only
// what the machine decided.
struct Adder {
  RollingDigest& digest;

  void operator()(const Done& reply) { digest.add(reply.revision.value()); }
  void operator()(const LeaseGranted& reply) { digest.add(reply.lease.value()); }
  void operator()(const Deleted& reply) {
    digest.add(reply.revision.value());
    digest.add(reply.count);
    if (reply.more) digest.add(1);
  }
  void operator()(const LockAnswer& reply) {
    digest.add(reply.revision.value());
    digest.add(reply.acquired.token.value());
    digest.add(reply.acquired.position);
  }
  void operator()(const config::Change& change) {
    digest.add(static_cast<std::uint64_t>(change.type()));
    digest.add(change.key());
    digest.add(change.create_revision().value());
    digest.add(change.mod_revision().value());
    digest.add(change.version());
  }
  void operator()(const registry::Change& change) {
    digest.add(change.removed ? 1 : 0);
    digest.add(change.service);
    digest.add(change.instance.id);
    digest.add(change.instance.mod_revision.value());
  }
  void operator()(const lock::Change& change) {
    digest.add(static_cast<std::uint64_t>(change.type));
    digest.add(change.lock);
    digest.add(change.lease.value());
    digest.add(change.attempt);
    digest.add(change.token.value());
    digest.add(change.revision.value());
  }
};

}  // namespace

void RollingDigest::add(const Reply& reply) {
  if (reply) {
    add(reply->index());
    std::visit(Adder{*this}, *reply);
  } else {
    // Not the message: its wording may improve from one version to the next.
    add(0x100 + static_cast<std::uint64_t>(reply.error().code));
    add(reply.error().revision.value());
  }
}

void RollingDigest::add(const Event& event) {
  add(event.index());
  std::visit(Adder{*this}, event);
}

}  // namespace holdfast::state
