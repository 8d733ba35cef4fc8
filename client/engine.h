#pragma once

#include <kj/async.h>

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "client/caller.h"
#include "client/channel.h"
#include "client/leader_finder.h"
#include "client/lease_keeper.h"
#include "client/stamps.h"
#include "holdfast/client.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

/// What lives on the I/O thread for a guard that a user holds, or for a call that waits for long. Owned by
/// the engine, named by a number.
class Task {
 public:
  virtual ~Task() noexcept(false) = default;  // KJ's types may throw there
  /// The client is closed: gives up what is held or waited for; what is still to be told to the service is
  /// added to the engine's farewells.
  virtual void close() = 0;
  /// Gives up waiting in a queue; nothing for others.
  virtual void cancel_wait() {}
};

/// Everything of a client that lives on its I/O thread.
class Engine final : private kj::TaskSet::ErrorHandler {
 public:
  Engine(net::EventLoop& loop, const client::Options& options, std::uint64_t seed);
  ~Engine();

  net::EventLoop& loop() { return loop_; }
  Channel& calls() { return calls_; }
  LeaseKeeper& keeper() { return keeper_; }
  /// Every call of a user goes through here.
  Caller& caller() {
    leader_finder_.called();
    return caller_;
  }
  const client::Options& options() const { return options_; }
  Instant call_deadline() const;
  /// A number for the next task; also the number of a wish to have a lock, so no earlier run of the program
  /// may have used it.
  std::uint64_t next_number() { return ++last_number_; }

  /// Runs until it is done or the engine ends.
  void spawn(kj::Promise<void> task);
  /// As spawn(), and close() waits for it.
  void farewell(kj::Promise<void> task);
  /// Runs a callback of the user's where he wants it.
  void notify(std::function<void()> callback);

  template <typename T, typename... Args>
  T& make(std::uint64_t number, Args&&... args) {
    auto task = std::make_unique<T>(*this, number, std::forward<Args>(args)...);
    auto& made = *task;
    tasks_by_number_.emplace(number, std::move(task));
    return made;
  }
  /// Returns: null if there is none.
  template <typename T>
  T* find(std::uint64_t number) {
    auto found = tasks_by_number_.find(number);
    return found == tasks_by_number_.end() ? nullptr : static_cast<T*>(found->second.get());
  }
  /// Destroys a task in a later event, so that it may ask for that itself.
  void discard(std::uint64_t number);
  void cancel_waits();

  /// Ends what the client holds, and tells the service, for at most `limit`.
  kj::Promise<void> close(Duration limit);

 private:
  void taskFailed(kj::Exception&&) override {}

  net::EventLoop& loop_;
  const client::Options& options_;
  Channel calls_;
  Channel keepalives_;
  Caller caller_;
  LeaseKeeper keeper_;
  Stamps stamps_;
  LeaderFinder leader_finder_;
  std::uint64_t last_number_;
  std::map<std::uint64_t, std::unique_ptr<Task>> tasks_by_number_;
  // Last: what runs in them leans on all of the above.
  kj::TaskSet tasks_;
  kj::TaskSet farewells_;
};

}  // namespace holdfast::sdk
