#pragma once

#include <kj/async.h>

#include <string>

#include "base/time.h"
#include "client/channel.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

/// Moves a busy client to the leader, which spares its calls the way through a follower. A client that makes
/// a few calls only never asks. Thread: the I/O thread.
class LeaderFinder final : private kj::TaskSet::ErrorHandler {
 public:
  LeaderFinder(net::EventLoop& loop, Channel& calls, Channel& keepalives);

  /// A call begins.
  void called();

 private:
  /// Where the leader is: empty if it is the member that was asked, or unknown.
  kj::Promise<std::string> ask(Link& link);
  kj::Promise<void> look();
  void taskFailed(kj::Exception&&) override;

  net::EventLoop& loop_;
  Channel& calls_;
  Channel& keepalives_;
  int calls_since_look_ = 0;
  bool looking_ = false;
  Instant next_look_ = Instant::min();
  Duration pause_;
  kj::TaskSet tasks_;
};

}  // namespace holdfast::sdk
