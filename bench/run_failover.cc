#include <kj/debug.h>
#include <kj/time.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
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
// Of a write's time, kept for the answer's way back: a member that knows no leader says so in time.
constexpr int kWayBackShare = 5;

kj::Duration to_kj(Duration duration) { return duration.count() * kj::MICROSECONDS; }

/// What came of one attempt to write.
struct Attempt {
  Why why;
  bool had_no_effect = false;  // for certain: another member may be asked to do it
};

template <typename Response>
Attempt judge_attempt(Response&& response) {
  auto outcome = response.getOutcome();
  if (outcome.isOk()) return {};
  const auto error = outcome.getError();
  return {kj::str(error.getMessage()), is_safe_to_retry(static_cast<Errc>(error.getCode()))};
}

/// One client that stays with a member until that fails it, and then goes on to the next. A write that a
/// member refuses, or that could not even be sent, is made at the next one: as the client library does it.
class Client {
 public:
  Client(net::EventLoop& loop, const Load& load, std::size_t number)
      : loop_(loop),
        load_(told(load)),
        within_(to_kj(load.call_timeout)),
        member_(number),
        key_("/bench/failover/" + std::to_string(number)) {}

  /// Returns: why the write was not acknowledged.
  kj::Promise<Why> write(const std::string& value) {
    return write_until(value, loop_.timer().now() + within_);
  }

 private:
  kj::Promise<Why> write_until(const std::string& value, kj::TimePoint deadline) {
    return loop_.timer()
        .timeoutAt(deadline, attempt(value))
        .catch_([this](kj::Exception&& e) {
          if (!config_) return Attempt{kj::str("not sent: ", e.getDescription()), true};
          return Attempt{kj::str("sent, and its outcome is unknown: ", e.getDescription())};
        })
        .then([this, &value, deadline](Attempt made) -> kj::Promise<Why> {
          if (made.why == nullptr) return kj::mv(made.why);
          // From a later event: the connection may be what has just told us.
          return loop_.timer().afterDelay(kPause).then(
              [this, &value, deadline, made = kj::mv(made)]() mutable -> kj::Promise<Why> {
                leave();
                const bool again = made.had_no_effect && loop_.timer().now() < deadline;
                return again ? write_until(value, deadline) : kj::Promise<Why>(kj::mv(made.why));
              });
        });
  }
  kj::Promise<Attempt> attempt(const std::string& value) {
    return connected().then([this, &value] {
      return put_request(load_, *config_, key_, value).send().then([](auto&& response) {
        return judge_attempt(response);
      });
    });
  }
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

  /// What the members are told.
  static Load told(Load load) {
    load.call_timeout -= load.call_timeout / kWayBackShare;
    return load;
  }

  net::EventLoop& loop_;
  const Load load_;
  const kj::Duration within_;
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
