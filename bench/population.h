#pragma once

#include <kj/async.h>
#include <kj/function.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bench/calls.h"
#include "bench/fleet.h"
#include "bench/load.h"
#include "net/event_loop.h"

namespace holdfast::bench {

/// Registered instances, each with a lease of its own that is kept alive every third of its TTL, as a
/// cluster's services are. Leases that share a call are granted together, so that the calls spread over the
/// interval.
class Population {
 public:
  /// Told of every call that keeps leases alive: when it was due, and for how many.
  using Kept = kj::Function<void(Instant due, std::uint64_t leases, Why why)>;

  /// load.instances of them. `fleet` and `load` must outlive it.
  Population(net::EventLoop& loop, Fleet& fleet, const Load& load);
  ~Population();
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;

  /// Registers them all, load.in_flight calls at a time, and keeps them alive from then on.
  /// Errors: the promise's exception: one could not be registered.
  kj::Promise<void> fill();
  void on_kept(Kept kept) { kept_ = kj::mv(kept); }
  /// No more calls are made; those that are under way are abandoned.
  void stop();
  /// Returns: how many of them the cluster lists.
  kj::Promise<std::uint64_t> registered();
  /// Revokes all leases, and with them goes what they hold.
  kj::Promise<void> clear();

 private:
  /// What shares a call.
  struct Group {
    std::size_t number = 0;
    std::uint64_t wanted = 0;
    std::vector<std::uint64_t> leases;
  };

  kj::Promise<void> fill_groups();
  kj::Promise<void> fill(Group& group);
  kj::Promise<void> keep(Group& group, Instant due);
  kj::Promise<void> clear_groups();
  kj::Promise<void> clear(Group& group);
  void kept(Instant due, std::uint64_t leases, Why why) {
    if (kept_) (*kept_)(due, leases, kj::mv(why));
  }
  Services& services_of(const Group& group) { return fleet_.of(group.number); }

  net::EventLoop& loop_;
  Fleet& fleet_;
  const Load& load_;
  const Duration interval_;
  std::vector<Group> groups_;
  std::size_t filled_ = 0;  // groups that were begun
  std::optional<Kept> kept_;
  class Keepers;
  kj::Maybe<kj::Own<Keepers>> keeping_;
};

}  // namespace holdfast::bench
