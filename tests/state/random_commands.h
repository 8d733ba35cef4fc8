#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "state/machine.h"

namespace holdfast::state {

/// Commands that meet each other: few names, leases that often exist, outcomes that are asked for again. With
/// `absurd`, numbers and texts as no door lets them through, too.
class RandomCommands {
 public:
  RandomCommands(std::uint64_t seed, bool absurd) : random_(seed), absurd_(absurd) {}

  /// A command for the entry behind `machine.applied()`.
  Command next(const Machine& machine) {
    live_.clear();
    for (const auto& [id, lease] : machine.leases().all()) live_.push_back(id);
    now_ += milliseconds(random_.below(20));
    Command command{{}, now_, any_operation(machine)};
    if (random_.chance(40)) {
      // Mostly new, sometimes asked again, sometimes already acknowledged.
      const std::uint64_t newest = 1 + machine.applied().value() / 10;
      const std::uint64_t sequence = newest + any_number(20);
      command.stamp = {any_lease(), sequence, newest - std::min(newest, any_number(10))};
    }
    if (absurd_ && random_.chance(3)) command.time = milliseconds::max() - milliseconds(random_.below(3));
    return command;
  }

 private:
  std::uint64_t any_number(std::uint64_t bound) {
    if (absurd_ && random_.chance(3)) return std::numeric_limits<std::uint64_t>::max() - random_.below(3);
    return random_.below(bound);
  }
  LeaseId any_lease() {
    if (live_.empty() || random_.chance(5)) return LeaseId(any_number(1000));
    return live_[random_.below(live_.size())];
  }
  LeaseId lease_or_none() { return random_.chance(50) ? any_lease() : LeaseId(); }
  std::string any_text(const char* prefix) {
    if (absurd_ && random_.chance(3)) return "";
    if (absurd_ && random_.chance(3)) return std::string(random_.below(5000), '\xff');
    return prefix + std::to_string(random_.below(8));
  }
  std::optional<Revision> any_expectation(const Machine& machine) {
    if (random_.chance(70)) return std::nullopt;
    return Revision(any_number(machine.revision().value() + 2));
  }
  lock::Acquire any_acquire() {
    lock::Acquire wish;
    wish.lock = any_text("lock-");
    wish.lease = any_lease();
    wish.owner = any_text("owner-");
    wish.queue = random_.chance(80);
    if (random_.chance(40)) wish.wait = milliseconds(any_number(200) >> 1);
    wish.attempt = any_number(3);
    return wish;
  }
  RegisterInstance any_instance() {
    RegisterInstance wish{any_text("service-"), {}};
    wish.instance.id = any_text("instance-");
    wish.instance.address = any_text("10.0.0.");
    wish.instance.port = static_cast<std::uint16_t>(random_.below(65536));
    for (std::uint64_t i = random_.below(3); i > 0; --i) wish.instance.tags.push_back(any_text("tag-"));
    for (std::uint64_t i = random_.below(3); i > 0; --i) {
      wish.instance.metadata[any_text("key-")] = any_text("value-");
    }
    wish.instance.health = static_cast<registry::Health>(random_.below(3));
    wish.instance.maintenance = random_.chance(20);
    wish.instance.lease = any_lease();
    return wish;
  }
  config::KeyRange any_range() {
    if (random_.chance(70)) return config::KeyRange::one(any_text("key-"));
    if (random_.chance(80)) return config::KeyRange::prefix(any_text("key-"));
    return {any_text("key-"), any_text("key-")};
  }
  Operation any_release(const Machine& machine) {
    const std::string name = any_text("lock-");
    const lock::Lock* lock = machine.locks().find(name);
    if (lock && random_.chance(80)) return ReleaseLock{name, lock->holders.begin()->first};
    return ReleaseLock{name, Token(any_number(100))};
  }
  Operation any_operation(const Machine& machine) {
    switch (random_.below(16)) {
      case 0:
      case 1:
        return GrantLease{milliseconds(any_number(10'000) >> 1)};
      case 2:
        return RevokeLease{any_lease()};
      case 3: {
        EndLeases end{machine.leases().ending()};
        for (std::uint64_t i = random_.below(2); i > 0; --i) end.leases.push_back(any_lease());
        return end;
      }
      case 4:
      case 5:
      case 6:
        return config::Put{any_text("key-"), Blob(any_text("value-")), lease_or_none(),
                           any_expectation(machine)};
      case 7:
        if (random_.chance(50)) return config::Delete{any_range(), {}, random_.below(4), random_.chance(50)};
        return config::Delete{any_range(), any_expectation(machine)};
      case 8:
      case 9:
        return any_instance();
      case 10:
        return DeregisterInstance{any_text("service-"), any_text("instance-"), lease_or_none()};
      case 11:
        return any_release(machine);
      case 12:
        return CancelAcquire{any_text("lock-"), any_lease(), any_number(3)};
      case 13:
        if (random_.chance(10)) return RaiseFeatureLevel{kSupportedLevel};
        if (random_.chance(30))
          return AnnounceMember{MemberId(any_number(5)), any_text("n"), any_text("host-")};
        return TimeOutWaiters{machine.locks().overdue(now_, 5)};
      default:
        return any_acquire();
    }
  }

  Random random_;
  const bool absurd_;
  ClusterTime now_{0};
  std::vector<LeaseId> live_;  // or ending
};

}  // namespace holdfast::state
