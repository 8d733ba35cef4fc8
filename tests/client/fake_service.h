#pragma once

#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "net/listener.h"
#include "net/rpc_connection.h"
#include "tests/client/fake_world.h"

namespace holdfast::fake {

/// What happens to one call.
struct Fault {
  enum class Kind {
    kLoseCall,    ///< the connection breaks, nothing was done
    kLoseAnswer,  ///< it is done, then the connection breaks
    kHang,        ///< nothing is done and no answer comes
    kRefuse,      ///< answered with `code`, nothing was done
  };
  Kind kind = Kind::kLoseCall;
  Errc code = Errc::kUnavailable;
};

/// Members of a made-up cluster, on real sockets of loopback and a thread of their own.
class Service {
 public:
  explicit Service(int members = 1);
  ~Service();

  std::vector<std::string> endpoints() const { return endpoints_; }
  /// Its connections break, and it accepts none.
  void stop_member(int member);
  void start_member(int member);
  /// As a process that is stopped: it takes connections and calls, and answers them once it goes on.
  void freeze_member(int member, bool frozen = true);
  void break_connections();
  void set_leader(int member);

  /// For the next calls of "config.put", "locks.acquire", ...: in the order given.
  void fault(const std::string& method, Fault fault);
  /// Runs `change` before the `count`-th call of that method is served.
  void on_call(const std::string& method, int count, std::function<void(World&)> change);
  /// How often a method was called.
  int calls(const std::string& method);
  /// How often a method was called at that member.
  int calls_at(int member, const std::string& method);

  /// Looks at, or changes, the state; returns what `look` returns.
  template <typename F>
  auto world(F look) {
    using Answer = std::invoke_result_t<F, World&>;
    std::promise<Answer> promise;
    auto future = promise.get_future();
    post([&]() {
      if constexpr (std::is_void_v<Answer>) {
        look(world_);
        promise.set_value();
      } else {
        promise.set_value(look(world_));
      }
    });
    return future.get();
  }

  // For the servers of the interfaces; on the service's thread.
  struct Connection {
    int member = 0;
    std::unique_ptr<net::RpcConnection> rpc;
    bool broken = false;
  };
  struct Visit {
    Service& service;
    std::shared_ptr<Connection> connection;
    World& world() const { return service.world_; }
    /// Runs `serve` as the test wants the call of `method` to go.
    kj::Promise<void> run(const std::string& method, std::function<kj::Promise<void>()> serve,
                          std::function<void(Errc)> refuse) const;
  };
  int leader() const { return leader_; }
  std::string member_name(int member) const { return "n" + std::to_string(member + 1); }
  bool frozen(int member) const { return members_[static_cast<std::size_t>(member)].frozen; }
  /// Null: it is not frozen.
  kj::Maybe<kj::Promise<void>> when_thawed(int member);
  std::string connection_remote(const Connection& connection) { return connection.rpc->remote_address(); }

 private:
  struct Member {
    std::unique_ptr<net::Listener> listener;
    std::vector<std::shared_ptr<Connection>> connections;
    bool frozen = false;
    std::vector<kj::Own<kj::PromiseFulfiller<void>>> waiting;  ///< calls that came while it was frozen
  };

  void post(std::function<void()> task);
  void run_thread(int members, std::promise<void> ready);
  void listen(int member);
  void accept(int member, net::Socket socket);
  void break_later(std::shared_ptr<Connection> connection);
  void drop(Member& member);

  std::vector<std::string> endpoints_;
  std::thread thread_;

  // Touched on the thread only.
  net::EventLoop* loop_ = nullptr;
  kj::Own<kj::TaskSet> tasks_;
  World world_;
  std::vector<Member> members_;
  int leader_ = 0;
  std::map<std::string, std::deque<Fault>> faults_;
  std::map<std::string, int> calls_;
  std::map<std::pair<std::string, int>, std::function<void(World&)>> changes_;
};

/// Asks every five milliseconds until `holds`, `times` times at most.
bool eventually(const std::function<bool()>& holds, int times = 1000);

}  // namespace holdfast::fake
