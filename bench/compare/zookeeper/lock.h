#pragma once

#include <string>

#include "bench/compare/peer.h"
#include "bench/compare/zookeeper/session.h"

namespace holdfast::bench::zookeeper {

/// ZooKeeper's recipe for a lock: each who wants it makes an ephemeral, sequential node below the lock's;
/// whose number is the lowest holds it, the others wait for the end of the node before theirs.
class Lock {
 public:
  /// `parent`: a node that exists.
  Lock(Session& session, std::string parent) : session_(session), parent_(std::move(parent)) {}
  void acquire(Peer::Done done);
  void release(Peer::Done done);

 private:
  void look_at_queue(Peer::Done done);
  void await_end_of(const std::string& node, Peer::Done done);

  Session& session_;
  const std::string parent_;
  std::string mine_;  // the path
};

/// Returns: nothing for 0, else a sentence with the number.
std::string why(std::int32_t error);

}  // namespace holdfast::bench::zookeeper
