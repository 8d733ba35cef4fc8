#include <memory>
#include <vector>

#include "bench/compare/etcd/connection.h"
#include "bench/compare/etcd/lock.h"
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
      const std::string endpoint = endpoints[i % endpoints.size()].to_string();
      connections_.push_back(std::make_unique<etcd::Connection>(endpoint, queue_));
    }
  }
  ~EtcdPeer() override {
    for (Lane& lane : lanes_) {
      if (lane.keepalives) lane.keepalives->cancel();
    }
    for (const auto& connection : connections_) connection->cancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool good = false;
    while (queue_.Next(&tag, &good)) {
    }
  }

  void prepare(std::size_t lane, Done done) override {
    if (op_ == Op::kPut || op_ == Op::kGet) return done({});
    connection_of(lane).grant(
        kLeaseSeconds, [this, lane, done](const grpc::Status& status, etcd::pb::LeaseGrantResponse& granted) {
          if (!status.ok()) return done(etcd::why(status));
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
        return lanes_[lane].keepalives->send(std::move(request));
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
      connection_of(watcher).watch(kWatched, 0, on_change, [missing, ready] {
        if (--*missing == 0) ready({});
      });
    }
  }
  void write_watched(const std::string& value, Done done) override {
    etcd::pb::PutRequest request;
    request.set_key(kWatched);
    request.set_value(value);
    connection_of(0).put(request, std::move(done));
  }

  void turn() override {
    void* tag = nullptr;
    bool good = false;
    const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(100);
    if (queue_.AsyncNext(&tag, &good, deadline) == grpc::CompletionQueue::GOT_EVENT) {
      static_cast<etcd::Awaited*>(tag)->complete(good);
    }
  }

 private:
  struct Lane {
    std::int64_t lease = 0;
    std::unique_ptr<etcd::Lock> lock;
    std::unique_ptr<etcd::Connection::KeepAlives> keepalives;
    Done done;  // of the keepalive in flight
  };

  etcd::Connection& connection_of(std::size_t lane) { return *connections_[lane % connections_.size()]; }

  void put(std::size_t lane, Done done) {
    etcd::pb::PutRequest request;
    request.set_key(std::string(keys_.next().view()));
    request.set_value(value_);
    connection_of(lane).put(request, std::move(done));
  }

  void get(std::size_t lane, Done done) {
    etcd::pb::RangeRequest request;
    request.set_key(std::string(keys_.next().view()));
    request.set_serializable(serializable_);
    connection_of(lane).range(
        request, [done = std::move(done)](const grpc::Status& status, etcd::pb::RangeResponse& response) {
          done(status.ok() && response.kvs().empty() ? "the key is not there: fill the key space first"
                                                     : etcd::why(status));
        });
  }

  void prepare_with_lease(std::size_t lane, std::int64_t lease) {
    lanes_[lane].lease = lease;
    if (op_ == Op::kKeepAlive) {
      lanes_[lane].keepalives =
          connection_of(lane).open_keepalives([this, lane](etcd::pb::LeaseKeepAliveResponse* response) {
            const Done done = std::exchange(lanes_[lane].done, nullptr);
            if (!done) return;
            if (response == nullptr) return done("the stream of keepalives ended");
            done(response->ttl() > 0 ? "" : "a lease that was kept alive has ended");
          });
    } else {
      const std::string name = op_ == Op::kContended ? "/lock/bench" : "/lock/bench-" + std::to_string(lane);
      lanes_[lane].lock = std::make_unique<etcd::Lock>(connection_of(lane), name, lease);
    }
  }

  const Op op_;
  const bool serializable_;
  Keys keys_;
  Told told_;
  const std::string value_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<etcd::Connection>> connections_;
  std::vector<Lane> lanes_;
};

}  // namespace

int main(int argc, char** argv) {
  return load_peer(argc, argv, "etcd", [](const Load& load) { return std::make_unique<EtcdPeer>(load); });
}
