#include "bench/load.h"

#include <schema/api.capnp.h>

#include <cstdio>
#include <memory>

#include "base/random.h"
#include "net/connect.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"

namespace holdfast::bench {
namespace {

class Run {
 public:
  Run(const Load& load, const std::function<void(std::uint64_t)>& progress)
      : load_(load), progress_(progress), random_(load.seed), value_(load.value_bytes, 'v') {}

  Result<Figures> to_the_end() {
    try {
      for (std::size_t i = 0; i < load_.connections; ++i)
        connect(load_.endpoints[i % load_.endpoints.size()]);
      start_ = reported_ = loop_.now();
      auto lanes = kj::heapArrayBuilder<kj::Promise<void>>(load_.in_flight);
      for (std::size_t i = 0; i < load_.in_flight; ++i) lanes.add(lane(configs_[i % configs_.size()]));
      loop_.run_until(kj::joinPromises(lanes.finish()));
    } catch (const kj::Exception& e) {
      return fail(Errc::kUnavailable, e.getDescription().cStr());
    }
    figures_.elapsed = loop_.now() - start_;
    return std::move(figures_);
  }

 private:
  using Config = schema::Config::Client;

  void connect(const Endpoint& endpoint) {
    auto stream = loop_.run_until(net::connect(loop_, endpoint, milliseconds(5000)));
    connections_.push_back(std::make_unique<net::RpcConnection>(kj::mv(stream)));
    auto door = connections_.back()->bootstrap().castAs<schema::Holdfast>();
    configs_.push_back(loop_.run_until(door.configRequest().send()).getConfig());
  }

  kj::Promise<void> lane(Config& config) {
    if (sent_ == load_.total) return kj::READY_NOW;
    ++sent_;
    const Instant sent_at = loop_.now();
    return call(config)
        .then([this, sent_at](bool good) { answered(sent_at, good); },
              [this, sent_at](kj::Exception&& e) {
                remember_error(e.getDescription().cStr());
                answered(sent_at, false);
              })
        .then([this, &config] { return lane(config); });
  }

  /// Returns: whether the call succeeded.
  kj::Promise<bool> call(Config& config) {
    char key[32];
    const int length = std::snprintf(key, sizeof key, "/bench/key%09llu",
                                     static_cast<unsigned long long>(random_.below(load_.key_space)));
    const kj::ArrayPtr<const kj::byte> key_bytes(reinterpret_cast<const kj::byte*>(key), length);
    const auto judge = [this](auto&& response) {
      auto outcome = response.getOutcome();
      if (outcome.isError()) remember_error(outcome.getError().getMessage().cStr());
      return !outcome.isError();
    };
    if (load_.op == Op::kPut) {
      auto request = config.putRequest();
      request.initCall().setTimeoutMs(load_.call_timeout.count());
      auto put = request.initPut();
      put.setKey(key_bytes);
      put.setValue({reinterpret_cast<const kj::byte*>(value_.data()), value_.size()});
      return request.send().then(judge);
    }
    auto request = config.getRequest();
    request.initCall().setTimeoutMs(load_.call_timeout.count());
    auto get = request.initGet();
    get.setSerializable(load_.serializable);
    auto range = get.initRange();
    range.setBegin(key_bytes);
    auto end = range.initEnd(length + 1);  // the key and a zero byte: this key only
    std::copy(key_bytes.begin(), key_bytes.end(), end.begin());
    return request.send().then(judge);
  }

  void answered(Instant sent_at, bool good) {
    const Instant now = loop_.now();
    if (good) {
      ++figures_.count;
      figures_.latencies.record(static_cast<std::uint64_t>((now - sent_at).count()));
    } else {
      ++figures_.errors;
    }
    if (now - reported_ >= std::chrono::seconds(1)) {
      reported_ = now;
      progress_(figures_.count + figures_.errors);
    }
  }
  void remember_error(const char* message) {
    if (figures_.first_error.empty()) figures_.first_error = message;
  }

  const Load& load_;
  const std::function<void(std::uint64_t)>& progress_;
  Random random_;
  const std::string value_;
  net::EventLoop loop_;
  std::vector<std::unique_ptr<net::RpcConnection>> connections_;
  std::vector<Config> configs_;
  std::uint64_t sent_ = 0;
  Instant start_;
  Instant reported_;
  Figures figures_;
};

}  // namespace

Result<Figures> run(const Load& load, const std::function<void(std::uint64_t)>& progress) {
  return Run(load, progress).to_the_end();
}

}  // namespace holdfast::bench
