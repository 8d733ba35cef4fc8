#include "bench/population.h"

#include <kj/debug.h>
#include <kj/string.h>
#include <kj/time.h>

#include <algorithm>

#include "bench/lanes.h"

namespace holdfast::bench {
namespace {

constexpr kj::StringPtr kServicePrefix = "bench-live-"_kj;
constexpr std::uint64_t kInstancesPerService = 100;

}  // namespace

/// The loops that keep groups alive.
class Population::Keepers final : public kj::TaskSet::ErrorHandler {
 public:
  void add(kj::Promise<void> promise) { tasks_.add(kj::mv(promise)); }
  /// A failed call is told of where it is made.
  void taskFailed(kj::Exception&&) override {}

 private:
  kj::TaskSet tasks_{*this};
};

Population::Population(net::EventLoop& loop, Fleet& fleet, const Load& load)
    : loop_(loop),
      fleet_(fleet),
      load_(load),
      interval_(std::chrono::duration_cast<Duration>(load.ttl) / 3),
      keeping_(kj::heap<Keepers>()) {
  for (std::uint64_t first = 0; first < load.instances; first += load.leases_per_call) {
    groups_.push_back({groups_.size(), std::min(load.leases_per_call, load.instances - first), {}});
  }
}

Population::~Population() = default;

void Population::stop() { keeping_ = nullptr; }

kj::Promise<void> Population::fill() {
  return on_all_lanes(std::min(load_.in_flight, groups_.size()),
                      [this](std::size_t) { return fill_groups(); });
}

kj::Promise<void> Population::fill_groups() {
  if (filled_ == groups_.size()) return kj::READY_NOW;
  Group& group = groups_[filled_++];
  // Alive from the first lease on: a large population takes longer to fill than its leases last. Many groups
  // are filled at the same time, so that each has its own place in the interval.
  const Duration place =
      interval_ * static_cast<Duration::rep>(filled_) / static_cast<Duration::rep>(groups_.size());
  KJ_IF_MAYBE (keepers, keeping_) (*keepers)->add(keep(group, loop_.now() + place));
  return fill(group).then([this] { return fill_groups(); });
}

kj::Promise<void> Population::fill(Group& group) {
  if (group.leases.size() == group.wanted) return kj::READY_NOW;
  return grant(load_, services_of(group), load_.ttl).then([this, &group](std::uint64_t lease) {
    const std::uint64_t number = group.number * load_.leases_per_call + group.leases.size();
    group.leases.push_back(lease);
    return register_instance(load_, services_of(group),
                             kj::str(kServicePrefix, number / kInstancesPerService),
                             kj::str("instance-", number), lease)
        .then([this, &group](Why why) {
          KJ_IF_MAYBE (text, why) KJ_FAIL_REQUIRE("an instance was not registered", *text);
          return fill(group);
        });
  });
}

kj::Promise<void> Population::keep(Group& group, Instant due) {
  const Duration delay = std::max(due - loop_.now(), Duration(0));
  return loop_.timer()
      .afterDelay(delay.count() * kj::MICROSECONDS)
      .then([this, &group, due]() -> kj::Promise<void> {
        const std::uint64_t leases = group.leases.size();
        if (leases == 0) return keep(group, due + interval_);  // the first one is being granted
        return keep_alive(load_, services_of(group), group.leases)
            .catch_([](kj::Exception&& e) { return Why(kj::str(e.getDescription())); })
            .then([this, &group, due, leases](Why why) {
              kept(due, leases, kj::mv(why));
              return keep(group, due + interval_);
            });
      });
}

kj::Promise<std::uint64_t> Population::registered() {
  auto request = fleet_.of(0).registry.servicesRequest(kSmall);
  request.initCall().setTimeoutMs(load_.call_timeout.count());
  return request.send().then([](auto&& response) {
    auto outcome = response.getOutcome();
    KJ_REQUIRE(outcome.isOk(), "the services cannot be listed", outcome.getError().getMessage());
    std::uint64_t instances = 0;
    for (const auto service : outcome.getOk().getServices()) {
      if (service.getName().startsWith(kServicePrefix)) instances += service.getInstances();
    }
    return instances;
  });
}

kj::Promise<void> Population::clear() {
  const std::size_t lanes = std::min(load_.in_flight, groups_.size());
  return on_all_lanes(lanes, [this](std::size_t) { return clear_groups(); });
}

kj::Promise<void> Population::clear_groups() {
  if (filled_ == 0) return kj::READY_NOW;
  return clear(groups_[--filled_]).then([this] { return clear_groups(); });
}

kj::Promise<void> Population::clear(Group& group) {
  if (group.leases.empty()) return kj::READY_NOW;
  const std::uint64_t lease = group.leases.back();
  group.leases.pop_back();
  return revoke(load_, services_of(group), lease).then([this, &group](Why) { return clear(group); });
}

}  // namespace holdfast::bench
