#include <kj/debug.h>
#include <kj/time.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/calls.h"
#include "bench/lanes.h"
#include "bench/outage.h"
#include "bench/runs.h"
#include "net/connect.h"
#include "net/rpc_connection.h"

namespace holdfast::bench {
namespace {

// After a refusal: a member that knows no leader answers at once, and would be asked without end.
constexpr auto kPause = 5 * kj::MILLISECONDS;
// What a member that does not answer is given beyond the deadline that it knows of.
constexpr milliseconds kGrace{100};

kj::Duration to_kj(Duration duration) { return duration.count() * kj::MICROSECONDS; }

/// One client that stays with a member until that fails it, and then goes on to the next.
class Client {
 public:
  Client(net::EventLoop& loop, const Load& load, std::size_t number)
      : loop_(loop), load_(load), member_(number), key_("/bench/failover/" + std::to_string(number)) {}

  /// Returns: why the write was not acknowledged.
  kj::Promise<Why> write(const std::string& value) {
    auto attempt = connected().then([this, &value] { return put(load_, *config_, key_, value); });
    return loop_.timer()
        .timeoutAfter(to_kj(load_.call_timeout + kGrace), kj::mv(attempt))
        .catch_([](kj::Exception&& e) { return Why(kj::str(e.getDescription())); })
        .then([this](Why why) -> kj::Promise<Why> {
          if (why == nullptr) return kj::mv(why);
          // From a later event: the connection may be what has just told us.
          return loop_.timer().afterDelay(kPause).then([this, why = kj::mv(why)]() mutable {
            leave();
            return kj::mv(why);
          });
        });
  }

 private:
  kj::Promise<void> connected() {
    if (config_) return kj::READY_NOW;
    const Endpoint& endpoint = load_.endpoints[member_ % load_.endpoints.size()];
    return net::connect(loop_, endpoint, load_.call_timeout)
        .then([this](kj::Own<net::MessageStream> stream) {
          connection_ = std::make_unique<net::RpcConnection>(kj::mv(stream));
          return connection_->bootstrap().castAs<schema::Holdfast>().configRequest().send();
        })
        .then([this](auto&& response) { config_ = response.getConfig(); });
  }
  void leave() {
    config_.reset();
    connection_.reset();
    ++member_;
  }

  net::EventLoop& loop_;
  const Load& load_;
  std::size_t member_;
  const std::string key_;
  std::unique_ptr<net::RpcConnection> connection_;
  std::optional<schema::Config::Client> config_;
};

class Failover {
 public:
  Failover(net::EventLoop& loop, const Load& load, Recorder& recorder)
      : loop_(loop), load_(load), recorder_(recorder), value_(load.value_bytes, 'v') {
    for (std::size_t number = 0; number < load.in_flight; ++number) {
      clients_.push_back(std::make_unique<Client>(loop, load, number));
    }
  }

  void run() {
    // The first write of each finds its member and a leader: nobody is out yet.
    loop_.run_until(on_all_lanes(clients_.size(), [this](std::size_t lane) {
      return clients_[lane]->write(value_).then([](Why why) {
        KJ_IF_MAYBE (text, why) KJ_FAIL_REQUIRE("a write fails before the run", *text);
      });
    }));
    recorder_.begin();
    outage_ = std::make_unique<Outage>(load_, loop_.now());
    const auto blow = load_.kill_pid == 0 ? kj::Promise<void>(kj::NEVER_DONE)
                                          : loop_.timer()
                                                .afterDelay(to_kj(load_.kill_after))
                                                .then([this] { outage_->strike(); })
                                                .eagerlyEvaluate(nullptr);
    Lanes lanes(loop_, load_, [this](std::size_t lane, Instant due) { return once(lane, due); });
    loop_.run_until(lanes.run());
    recorder_.end();
    outage_->report(loop_.now(), recorder_.figures());
    if (const std::string why = outage_->not_measured(); !why.empty())
      kj::throwFatalException(KJ_EXCEPTION(FAILED, why));
  }

 private:
  kj::Promise<void> once(std::size_t lane, Instant due) {
    const bool sent_after = outage_->struck();
    return clients_[lane]->write(value_).then([this, lane, due, sent_after](Why why) {
      KJ_IF_MAYBE (text, why) {
        recorder_.failure(*text);
        return;
      }
      recorder_.success(due);
      outage_->acknowledged(lane, loop_.now(), sent_after);
    });
  }

  net::EventLoop& loop_;
  const Load& load_;
  Recorder& recorder_;
  const std::string value_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<Outage> outage_;
};

}  // namespace

void run_failover(net::EventLoop& loop, const Load& load, Recorder& recorder) {
  Failover(loop, load, recorder).run();
}

}  // namespace holdfast::bench
