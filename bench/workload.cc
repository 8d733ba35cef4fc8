#include "bench/workload.h"

#include <kj/debug.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/random.h"

namespace holdfast::bench {
namespace {

using Why = kj::Maybe<kj::String>;

// Longer than any run: what is measured is not how leases end.
constexpr std::uint64_t kLeaseMs = 600'000;
// What the library is told of a small request; untold it takes 8 KiB for each.
constexpr capnp::MessageSize kSmall{32, 0};

template <typename Response>
Why judge(Response&& response) {
  auto outcome = response.getOutcome();
  if (outcome.isOk()) return nullptr;
  return kj::str(outcome.getError().getMessage());
}

kj::Promise<std::uint64_t> grant(const Load& load, Services& services) {
  auto request = services.leases.grantRequest(kSmall);
  request.initCall().setTimeoutMs(load.call_timeout.count());
  request.setTtlMs(kLeaseMs);
  return request.send().then([](auto&& response) {
    auto outcome = response.getOutcome();
    KJ_REQUIRE(outcome.isOk(), "no lease", outcome.getError().getMessage());
    return outcome.getOk().getLease();
  });
}

/// Puts, gets, or a mixture of them, on keys drawn at random.
class KeysWorkload final : public Workload {
 public:
  explicit KeysWorkload(const Load& load) : load_(load), random_(load.seed), value_(load.value_bytes, 'v') {}

  kj::Promise<void> prepare(std::size_t, Services&) override { return kj::READY_NOW; }
  kj::Promise<Why> once(std::size_t, Services& services) override {
    char key[32];
    const int length = std::snprintf(key, sizeof key, "/bench/key%09llu",
                                     static_cast<unsigned long long>(random_.below(load_.key_space)));
    const std::string_view name(key, static_cast<std::size_t>(length));
    const bool reads = load_.op == Op::kGet ||
                       (load_.op == Op::kMixed && random_.chance(static_cast<double>(load_.read_percent)));
    return reads ? get(services, name) : put(services, name);
  }

 private:
  kj::Promise<Why> put(Services& services, std::string_view key) {
    auto request = services.config.putRequest(
        capnp::MessageSize{kSmall.wordCount + load_.value_bytes / sizeof(capnp::word), 0});
    request.initCall().setTimeoutMs(load_.call_timeout.count());
    auto put = request.initPut();
    put.setKey({reinterpret_cast<const kj::byte*>(key.data()), key.size()});
    put.setValue({reinterpret_cast<const kj::byte*>(value_.data()), value_.size()});
    return request.send().then([](auto&& response) { return judge(response); });
  }
  kj::Promise<Why> get(Services& services, std::string_view key) {
    auto request = services.config.getRequest(kSmall);
    request.initCall().setTimeoutMs(load_.call_timeout.count());
    auto get = request.initGet();
    get.setSerializable(load_.serializable);
    auto range = get.initRange();
    range.setBegin({reinterpret_cast<const kj::byte*>(key.data()), key.size()});
    auto end = range.initEnd(static_cast<unsigned>(key.size() + 1));  // and a zero byte: this key only
    std::copy(key.begin(), key.end(), end.begin());
    return request.send().then([](auto&& response) { return judge(response); });
  }

  const Load& load_;
  Random random_;
  const std::string value_;
};

/// Acquires and releases: each lane a lock of its own, or all the same one, in its queue.
class LockWorkload final : public Workload {
 public:
  explicit LockWorkload(const Load& load) : load_(load), leases_(load.in_flight) {}

  kj::Promise<void> prepare(std::size_t lane, Services& services) override {
    return grant(load_, services).then([this, lane](std::uint64_t lease) { leases_[lane] = lease; });
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

 private:
  const Load& load_;
  std::vector<std::uint64_t> leases_;
  std::uint64_t attempts_ = 0;
};

/// Keeps leases alive, many with each call.
class KeepAliveWorkload final : public Workload {
 public:
  explicit KeepAliveWorkload(const Load& load) : load_(load), leases_(load.in_flight) {}

  kj::Promise<void> prepare(std::size_t lane, Services& services) override {
    if (leases_[lane].size() == load_.leases_per_call) return kj::READY_NOW;
    return grant(load_, services).then([this, lane, &services](std::uint64_t lease) {
      leases_[lane].push_back(lease);
      return prepare(lane, services);
    });
  }
  kj::Promise<Why> once(std::size_t lane, Services& services) override {
    auto request = services.leases.keepAliveRequest(capnp::MessageSize{kSmall.wordCount + weight(), 0});
    request.initCall().setTimeoutMs(load_.call_timeout.count());
    auto leases = request.initLeases(static_cast<unsigned>(weight()));
    for (unsigned i = 0; i < leases.size(); ++i) leases.set(i, leases_[lane][i]);
    return request.send().then([](auto&& response) -> Why {
      auto outcome = response.getOutcome();
      if (outcome.isError()) return judge(response);
      for (const std::uint64_t ttl : outcome.getOk().getTtlMs()) {
        if (ttl == 0) return kj::str("a lease that was kept alive has ended");
      }
      return nullptr;
    });
  }
  std::uint64_t weight() const override { return load_.leases_per_call; }

 private:
  const Load& load_;
  std::vector<std::vector<std::uint64_t>> leases_;  // of each lane
};

}  // namespace

std::unique_ptr<Workload> make_workload(const Load& load) {
  switch (load.op) {
    case Op::kLock:
    case Op::kContended:
      return std::make_unique<LockWorkload>(load);
    case Op::kKeepAlive:
      return std::make_unique<KeepAliveWorkload>(load);
    default:
      return std::make_unique<KeysWorkload>(load);
  }
}

}  // namespace holdfast::bench
