#include <kj/debug.h>
#include <kj/time.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/calls.h"
#include "bench/lanes.h"
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

/// The times without an acknowledged write, of all clients together or of one.
class Gaps {
 public:
  void begin(Instant now) { last_ = now; }
  void acknowledged(Instant now, bool after_the_blow) {
    longest_ = std::max(longest_, now - last_);
    if (after_the_blow) longest_after_ = std::max(longest_after_, now - last_);
    last_ = now;
  }
  Duration longest() const { return longest_; }
  /// Of those that ended after the member was killed.
  Duration longest_after() const { return longest_after_; }

 private:
  Instant last_;
  Duration longest_{0};
  Duration longest_after_{0};
};

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
  Gaps& gaps() { return gaps_; }

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
  Gaps gaps_;
};

/// What befalls a member: it is killed, or stopped until this is gone.
class Blow {
 public:
  Blow(net::EventLoop& loop, const Load& load)
      : pid_(load.kill_pid),
        signal_(load.stop_only ? SIGSTOP : SIGKILL),
        falls_(loop.timer()
                   .afterDelay(to_kj(load.kill_after))
                   .then([this] { fall(); })
                   .eagerlyEvaluate(nullptr)) {}
  ~Blow() {
    if (fallen_ && signal_ == SIGSTOP) ::kill(pid_, SIGCONT);
  }
  Blow(const Blow&) = delete;
  Blow& operator=(const Blow&) = delete;

  bool fallen() const { return fallen_; }
  /// Errors: a kj exception if there is no such process, or the run was over too soon: then nothing was
  /// measured.
  void require_fallen() const {
    KJ_REQUIRE(error_ == 0, "the process cannot be signalled", pid_, std::strerror(error_));
    KJ_REQUIRE(fallen_, "the run was over before the process was to be signalled; see --kill-after", pid_);
  }

 private:
  void fall() {
    if (::kill(pid_, signal_) == 0) {
      fallen_ = true;
    } else {
      error_ = errno;
    }
  }

  const int pid_;
  const int signal_;
  bool fallen_ = false;
  int error_ = 0;
  kj::Promise<void> falls_;
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
    all_.begin(loop_.now());
    for (const auto& client : clients_) client->gaps().begin(loop_.now());
    if (load_.kill_pid != 0) blow_ = std::make_unique<Blow>(loop_, load_);
    Lanes lanes(loop_, load_, [this](std::size_t lane, Instant due) { return once(lane, due); });
    loop_.run_until(lanes.run());
    report(loop_.now());
    if (blow_) blow_->require_fallen();
  }

 private:
  bool struck() const { return blow_ && blow_->fallen(); }

  kj::Promise<void> once(std::size_t lane, Instant due) {
    // One that was sent before may be acknowledged after the blow, by an answer that was on its way.
    const bool sent_after = struck();
    return clients_[lane]->write(value_).then([this, lane, due, sent_after](Why why) {
      KJ_IF_MAYBE (text, why) {
        recorder_.failure(*text);
        return;
      }
      const Instant now = loop_.now();
      recorder_.success(due);
      recovered_ = recovered_ || sent_after;
      all_.acknowledged(now, struck());
      clients_[lane]->gaps().acknowledged(now, struck());
    });
  }

  /// Whoever still waits for its next acknowledgement has a gap that lasts until now, at the least.
  void report(Instant now) {
    recorder_.end(now);
    all_.acknowledged(now, struck());
    recorder_.extra("longest_gap_us", static_cast<std::uint64_t>(all_.longest().count()));
    if (!blow_) return;
    if (!recovered_) recorder_.fail_run("no write was acknowledged any more"_kj);
    Duration slowest{0};
    for (const auto& client : clients_) {
      client->gaps().acknowledged(now, struck());
      slowest = std::max(slowest, client->gaps().longest_after());
    }
    recorder_.extra("gap_after_kill_us", static_cast<std::uint64_t>(all_.longest_after().count()));
    recorder_.extra("slowest_client_us", static_cast<std::uint64_t>(slowest.count()));
  }

  net::EventLoop& loop_;
  const Load& load_;
  Recorder& recorder_;
  const std::string value_;
  std::vector<std::unique_ptr<Client>> clients_;
  Gaps all_;
  bool recovered_ = false;  // a write that was sent after the blow was acknowledged
  std::unique_ptr<Blow> blow_;
};

}  // namespace

void run_failover(net::EventLoop& loop, const Load& load, Recorder& recorder) {
  Failover(loop, load, recorder).run();
}

}  // namespace holdfast::bench
