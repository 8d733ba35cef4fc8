#include <memory>
#include <utility>
#include <vector>

#include "bench/compare/etcd/lock.h"
#include "bench/compare/etcd/member.h"
#include "bench/compare/loader.h"
#include "bench/keys.h"

namespace {

using namespace holdfast;
using namespace holdfast::bench;

// Longer than any run: what is measured is not how leases end.
constexpr std::int64_t kLeaseSeconds = 600;
constexpr const char* kWatched = "/bench/watched";

class EtcdPeer final : public Peer {
 public:
  explicit EtcdPeer(const Load& load)
      : op_(load.op),
        serializable_(load.serializable),
        keys_(load),
        value_(load.value_bytes, 'v'),
        lanes_(load.in_flight) {
    const auto& endpoints = load.endpoints;
    for (std::size_t i = 0; i < load.connections; ++i) {
      members_.push_back(std::make_unique<etcd::Member>(endpoints[i % endpoints.size()], load.call_timeout));
      connections_.add(members_.back()->channel());
    }
  }
  void prepare(std::size_t lane, Done done) override {
    if (op_ != Op::kLock && op_ != Op::kContended && op_ != Op::kKeepAlive) return done({});
    member_of(lane).grant(kLeaseSeconds, [this, lane, done](const std::string& why,
                                                            const etcd::pb::LeaseGrantResponse& granted) {
      if (!why.empty()) return done(why);
      prepare_with_lease(lane, granted.id());
      done(granted.error());
    });
  }

  void once(std::size_t lane, Done done) override {
    switch (op_) {
      case Op::kGet:
        return get(lane, std::move(done));
      case Op::kLock:
      case Op::kContended:
        return lanes_[lane].lock->acquire([this, lane, done = std::move(done)](const std::string& failure) {
          failure.empty() ? lanes_[lane].lock->release(done) : done(failure);
        });
      case Op::kKeepAlive: {
        lanes_[lane].done = std::move(done);
        etcd::pb::LeaseKeepAliveRequest request;
        request.set_id(lanes_[lane].lease);
        return lanes_[lane].keepalives->send(request);
      }
      default:
        return put(lane, std::move(done));
    }
  }

  void watch(std::size_t watchers, Told told, Done ready) override {
    told_ = std::move(told);
    const auto missing =
        std::make_shared<std::size_t>(watchers);  // owned by the callbacks of those that begin
    for (std::size_t watcher = 0; watcher < watchers; ++watcher) {
      const auto on_change = [this](const etcd::pb::Event* event) {
        if (event != nullptr) told_(event->kv().value());
        return true;
      };
      member_of(watcher).watch(kWatched, 0, on_change, [missing, ready] {
        if (--*missing == 0) ready({});
      });
    }
  }
  void write_watched(const std::string& value, Done done) override {
    etcd::pb::PutRequest request;
    request.set_key(kWatched);
    request.set_value(value);
    member_of(0).put(request, std::move(done));
  }

  void turn(milliseconds at_most) override { connections_.turn(at_most); }

 private:
  struct Lane {
    std::int64_t lease = 0;
    std::unique_ptr<etcd::Lock> lock;
    std::unique_ptr<etcd::Member::KeepAlives> keepalives;
    Done done;  // of the keepalive in flight
  };

  etcd::Member& member_of(std::size_t lane) { return *members_[lane % members_.size()]; }

  void put(std::size_t lane, Done done) {
    etcd::pb::PutRequest request;
    request.set_key(std::string(keys_.next().view()));
    request.set_value(value_);
    member_of(lane).put(request, std::move(done));
  }

  void get(std::size_t lane, Done done) {
    etcd::pb::RangeRequest request;
    request.set_key(std::string(keys_.next().view()));
    request.set_serializable(serializable_);
    member_of(lane).range(request, [done = std::move(done)](const std::string& why,
                                                            const etcd::pb::RangeResponse& response) {
      done(why.empty() && response.kvs().empty() ? "the key is not there: fill the key space first" : why);
    });
  }

  void prepare_with_lease(std::size_t lane, std::int64_t lease) {
    lanes_[lane].lease = lease;
    if (op_ == Op::kKeepAlive) {
      lanes_[lane].keepalives =
          member_of(lane).open_keepalives([this, lane](const etcd::pb::LeaseKeepAliveResponse* response) {
            const Done done = std::exchange(lanes_[lane].done, nullptr);
            if (!done) return;
            if (response == nullptr) return done("the stream of keepalives ended");
            done(response->ttl() > 0 ? "" : "a lease that was kept alive has ended");
          });
    } else {
      const std::string name = op_ == Op::kContended ? "/lock/bench" : "/lock/bench-" + std::to_string(lane);
      lanes_[lane].lock = std::make_unique<etcd::Lock>(member_of(lane), name, lease);
    }
  }

  const Op op_;
  const bool serializable_;
  Keys keys_;
  Told told_;
  const std::string value_;
  std::vector<Lane> lanes_;
  std::vector<std::unique_ptr<etcd::Member>> members_;  // they go before the lanes whose callbacks they hold
  Connections connections_;
};

}  // namespace

int main(int argc, char** argv) {
  return load_peer(argc, argv, "etcd", [](const Load& load) { return std::make_unique<EtcdPeer>(load); });
}
