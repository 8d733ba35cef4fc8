#include <chrono>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/compare/loader.h"
#include "bench/compare/zookeeper/lock.h"
#include "bench/compare/zookeeper/session.h"
#include "bench/keys.h"

namespace {

using namespace holdfast;
using namespace holdfast::bench;
using zookeeper::Kind;
using zookeeper::Reader;
using zookeeper::Session;

using Clock = std::chrono::steady_clock;
// A session of which a server hears nothing for 40 s has ended.
constexpr std::chrono::seconds kPingInterval{10};
constexpr const char* kWatched = "/bench/watched";

/// ZooKeeper 3.8.0 now and then forgets a session that it is asked for until something else is written: then
/// another is asked for, which is such a write.
std::unique_ptr<Session> open_session(const Endpoint& endpoint, milliseconds patience, int attempts) {
  for (int attempt = 1;; ++attempt) {
    try {
      return std::make_unique<Session>(endpoint, patience);
    } catch (const std::runtime_error&) {
      if (attempt == attempts) throw;
    }
  }
}

class ZooKeeperPeer final : public Peer {
 public:
  explicit ZooKeeperPeer(const Load& load)
      : op_(load.op),
        serializable_(load.serializable),
        in_order_(load.in_order),
        keys_(load),
        value_(load.value_bytes, 'v'),
        locks_(load.in_flight) {
    const auto& endpoints = load.endpoints;
    const int attempts = op_ == Op::kFailover ? 1 : 3;  // a client that meets an outage asks another member
    for (std::size_t i = 0; i < load.connections; ++i) {
      sessions_.push_back(open_session(endpoints[i % endpoints.size()], load.call_timeout, attempts));
      connections_.add(*sessions_.back());
    }
    if (op_ != Op::kFailover) make_parents();
  }

  void prepare(std::size_t lane, Done done) override {
    if (op_ != Op::kLock && op_ != Op::kContended) return done({});
    const std::string parent = op_ == Op::kContended ? "/lock/bench" : "/lock/bench-" + std::to_string(lane);
    locks_[lane] = std::make_unique<zookeeper::Lock>(session_of(lane), parent);
    make_node(parent, std::move(done));
  }

  void once(std::size_t lane, Done done) override {
    switch (op_) {
      case Op::kGet:
        return get(session_of(lane), std::move(done));
      case Op::kLock:
      case Op::kContended:
        return locks_[lane]->acquire([this, lane, done = std::move(done)](const std::string& failure) {
          failure.empty() ? locks_[lane]->release(done) : done(failure);
        });
      case Op::kKeepAlive:
        return session_of(lane).send(Kind::kPing, {}, report_to(std::move(done)));
      default:
        return put(session_of(lane), std::move(done));
    }
  }

  /// A server keeps one watch for a session and path: a watcher needs a session of its own to count as one.
  void watch(std::size_t watchers, Told told, Done ready) override {
    told_ = std::move(told);
    make_node(kWatched, [this, watchers, ready = std::move(ready)](const std::string& failure) {
      if (!failure.empty()) return ready(failure);
      const auto missing =
          std::make_shared<std::size_t>(watchers);  // owned by the callbacks of those that begin
      for (std::size_t watcher = 0; watcher < watchers; ++watcher) {
        read_and_watch(watcher, [missing, ready](std::string_view) {
          if (--*missing == 0) ready({});
        });
      }
    });
  }
  void write_watched(const std::string& value, Done done) override {
    session_of(0).send(Kind::kSetData, zookeeper::set_data(kWatched, value), report_to(std::move(done)));
  }

  void turn(milliseconds at_most) override {
    if (const auto now = Clock::now(); now - pinged_ >= kPingInterval) {
      pinged_ = now;
      for (const auto& session : sessions_) session->send(Kind::kPing, {}, [](std::int32_t, Reader) {});
    }
    connections_.turn(at_most);
  }

 private:
  Session& session_of(std::size_t lane) { return *sessions_[lane % sessions_.size()]; }

  static Session::Reply report_to(Done done) {
    return [done = std::move(done)](std::int32_t error, Reader) { done(zookeeper::why(error)); };
  }

  /// Below which everything lies.
  void make_parents() {
    int missing = 2;
    for (const char* parent : {"/bench", "/lock"})
      make_node(parent, [&missing](const std::string&) { --missing; });
    while (missing > 0) turn(kTurn);
  }

  void make_node(const std::string& path, Done done) {
    sessions_.front()->send(Kind::kCreate, zookeeper::create(path, "", zookeeper::Flags::kPersistent),
                            [done = std::move(done)](std::int32_t error, Reader) {
                              done(error == zookeeper::kNodeExists ? "" : zookeeper::why(error));
                            });
  }

  /// Filling the key space creates; a load overwrites what is there.
  void put(Session& session, Done done) {
    const std::string key(keys_.next().view());
    if (!in_order_)
      return session.send(Kind::kSetData, zookeeper::set_data(key, value_), report_to(std::move(done)));
    session.send(Kind::kCreate, zookeeper::create(key, value_, zookeeper::Flags::kPersistent),
                 [this, &session, key, done = std::move(done)](std::int32_t error, Reader) {
                   if (error != zookeeper::kNodeExists) return done(zookeeper::why(error));
                   session.send(Kind::kSetData, zookeeper::set_data(key, value_), report_to(done));
                 });
  }

  /// A watch ends with its first event, which does not say the value: it is read, which begins the next
  /// watch. `sees` is told what is read first; what is read later is told to told_.
  void read_and_watch(std::size_t watcher, const Told& sees) {
    Session& session = session_of(watcher);
    session.send(Kind::kGetData, zookeeper::look_at(kWatched, true),
                 [this, watcher, sees, &session](std::int32_t error, Reader body) {
                   if (error != 0) return;  // it will be missed
                   session.on_event(kWatched, [this, watcher] { read_and_watch(watcher, told_); });
                   sees(body.bytes());
                 });
  }

  /// Linearizable is what ZooKeeper has that is nearest to it: a sync before the read, on the same session.
  void get(Session& session, Done done) {
    const std::string key(keys_.next().view());
    if (!serializable_) session.send(Kind::kSync, zookeeper::sync(key), [](std::int32_t, Reader) {});
    session.send(Kind::kGetData, zookeeper::look_at(key, false), report_to(std::move(done)));
  }

  const Op op_;
  const bool serializable_;
  const bool in_order_;
  Keys keys_;
  Told told_;
  const std::string value_;
  std::vector<std::unique_ptr<Session>> sessions_;
  Connections connections_;
  std::vector<std::unique_ptr<zookeeper::Lock>> locks_;
  Clock::time_point pinged_ = Clock::now();
};

}  // namespace

int main(int argc, char** argv) {
  return load_peer(argc, argv, "zookeeper",
                   [](const Load& load) { return std::make_unique<ZooKeeperPeer>(load); });
}
