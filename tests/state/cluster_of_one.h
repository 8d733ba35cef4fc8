#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "state/machine.h"

namespace holdfast::state {

/// A machine and the log that feeds it.
struct ClusterOfOne {
  Machine machine;
  ClusterTime now{0};

  Applied apply(Operation operation, Stamp stamp = {}) {
    const auto bytes = encode(Command{stamp, now, std::move(operation)});
    REQUIRE(bytes);
    return machine.apply(machine.applied().next(), *bytes);
  }
  LeaseId grant(milliseconds ttl = milliseconds(10'000)) {
    const Applied applied = apply(GrantLease{ttl});
    REQUIRE(applied.reply);
    return std::get<LeaseGranted>(*applied.reply).lease;
  }
  Applied put(const std::string& key, const std::string& value, LeaseId lease = {}, Stamp stamp = {}) {
    return apply(config::Put{key, Blob(value), lease, {}}, stamp);
  }
  Applied acquire(const std::string& lock, LeaseId lease, bool queue = true, std::uint64_t attempt = 1) {
    lock::Acquire wish;
    wish.lock = lock;
    wish.lease = lease;
    wish.queue = queue;
    wish.attempt = attempt;
    return apply(wish);
  }
  Applied register_instance(const std::string& service, const std::string& id, LeaseId lease) {
    RegisterInstance wish{service, {}};
    wish.instance.id = id;
    wish.instance.address = "127.0.0.1";
    wish.instance.lease = lease;
    return apply(wish);
  }
};

inline Errc code_of(const Applied& applied) {
  REQUIRE_FALSE(applied.reply);
  return applied.reply.error().code;
}
inline Revision revision_of(const Applied& applied) {
  REQUIRE(applied.reply);
  return std::get<Done>(*applied.reply).revision;
}
inline lock::Acquired acquired_of(const Applied& applied) {
  REQUIRE(applied.reply);
  return std::get<LockAnswer>(*applied.reply).acquired;
}

}  // namespace holdfast::state
