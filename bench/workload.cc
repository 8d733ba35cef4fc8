#include "bench/workload.h"

#include <string>
#include <vector>

#include "base/check.h"

namespace holdfast::bench {
namespace {

/// Gives up a lane's lease.
kj::Promise<void> revoke_at_the_end(const Load& load, Services& services, std::uint64_t lease) {
  return revoke(load, services, lease).ignoreResult();
}

/// Acquires and releases: each lane a lock of its own, or all the same one, in its queue.
class LockWorkload final : public Workload {
 public:
  explicit LockWorkload(const Load& load) : load_(load), leases_(load.in_flight) {}

  kj::Promise<void> prepare(std::size_t lane, Services& services) override {
    return grant(load_, services, kLongTtl).then([this, lane](std::uint64_t lease) {
      leases_[lane] = lease;
    });
  }
  kj::Promise<Why> once(std::size_t lane, Services& services) override {
    const std::string name = load_.op == Op::kContended ? "bench" : "bench-" + std::to_string(lane);
    auto request = services.locks.acquireRequest(kSmall);
    request.initCall().setTimeoutMs(load_.call_timeout.count());
    auto acquire = request.initAcquire();
    acquire.setLock(name.c_str());
    acquire.setLease(leases_[lane]);
    acquire.setQueue(load_.op == Op::kContended);
    acquire.setAttempt(++attempts_);
    return request.send().then([this, name, &services](auto&& response) -> kj::Promise<Why> {
      auto outcome = response.getOutcome();
      if (outcome.isError()) return judge(response);
      auto release = services.locks.releaseRequest(kSmall);
      release.initCall().setTimeoutMs(load_.call_timeout.count());
      release.setLock(name.c_str());
      release.setToken(outcome.getOk().getToken());
      return release.send().then([](auto&& released) { return judge(released); });
    });
  }
  kj::Promise<void> finish(std::size_t lane, Services& services) override {
    return revoke_at_the_end(load_, services, leases_[lane]);
  }

 private:
  const Load& load_;
  std::vector<std::uint64_t> leases_;
  std::uint64_t attempts_ = 0;
};

/// Grants a lease and revokes it.
class LeaseWorkload final : public Workload {
 public:
  explicit LeaseWorkload(const Load& load) : load_(load) {}

  kj::Promise<Why> once(std::size_t, Services& services) override {
    return grant(load_, services, kLongTtl).then([this, &services](std::uint64_t lease) {
      return revoke(load_, services, lease);
    });
  }

 private:
  const Load& load_;
};

/// Keeps leases alive, many with each call.
class KeepAliveWorkload final : public Workload {
 public:
  explicit KeepAliveWorkload(const Load& load) : load_(load), leases_(load.in_flight) {}

  kj::Promise<void> prepare(std::size_t lane, Services& services) override {
    if (leases_[lane].size() == load_.leases_per_call) return kj::READY_NOW;
    return grant(load_, services, kLongTtl).then([this, lane, &services](std::uint64_t lease) {
      leases_[lane].push_back(lease);
      return prepare(lane, services);
    });
  }
  kj::Promise<Why> once(std::size_t lane, Services& services) override {
    return keep_alive(load_, services, leases_[lane]);
  }
  kj::Promise<void> finish(std::size_t lane, Services& services) override {
    if (leases_[lane].empty()) return kj::READY_NOW;
    const std::uint64_t lease = leases_[lane].back();
    leases_[lane].pop_back();
    return revoke_at_the_end(load_, services, lease).then([this, lane, &services] {
      return finish(lane, services);
    });
  }
  std::uint64_t weight() const override { return load_.leases_per_call; }

 private:
  const Load& load_;
  std::vector<std::vector<std::uint64_t>> leases_;  // of each lane
};

/// Registers an instance under the lane's lease, and deregisters it.
class ChurnWorkload final : public Workload {
 public:
  explicit ChurnWorkload(const Load& load) : load_(load), leases_(load.in_flight) {}

  kj::Promise<void> prepare(std::size_t lane, Services& services) override {
    return grant(load_, services, kLongTtl).then([this, lane](std::uint64_t lease) {
      leases_[lane] = lease;
    });
  }
  kj::Promise<Why> once(std::size_t lane, Services& services) override {
    return register_instance(load_, services, service_of(lane), id_of(lane), leases_[lane])
        .then([this, lane, &services](Why why) -> kj::Promise<Why> {
          if (why != nullptr) return kj::mv(why);
          return deregister_instance(load_, services, service_of(lane), id_of(lane), leases_[lane]);
        });
  }
  kj::Promise<void> finish(std::size_t lane, Services& services) override {
    return revoke_at_the_end(load_, services, leases_[lane]);
  }

 private:
  static constexpr std::size_t kLanesPerService = 10;
  static kj::String service_of(std::size_t lane) { return kj::str("bench-churn-", lane / kLanesPerService); }
  static kj::String id_of(std::size_t lane) { return kj::str("instance-", lane); }

  const Load& load_;
  std::vector<std::uint64_t> leases_;
};

}  // namespace

std::unique_ptr<Workload> make_workload(const Load& load) {
  switch (load.op) {
    case Op::kLock:
    case Op::kContended:
      return std::make_unique<LockWorkload>(load);
    case Op::kLease:
      return std::make_unique<LeaseWorkload>(load);
    case Op::kKeepAlive:
      return std::make_unique<KeepAliveWorkload>(load);
    case Op::kChurn:
      return std::make_unique<ChurnWorkload>(load);
    case Op::kPut:
    case Op::kGet:
    case Op::kMixed:
    case Op::kWatch:
    case Op::kFailover:
      break;
  }
  INVARIANT(false, "the operation is made of calls");
  return nullptr;
}

}  // namespace holdfast::bench
