#pragma once

#include <cstdint>
#include <string>

#include "bench/compare/etcd/member.h"

namespace holdfast::bench::etcd {

/// A mutex as etcd's own client library makes it: each who wants it creates a key of his lease's below the
/// lock's name; whose key is the oldest holds it, the others wait for the deletion of the youngest key that
/// is older than theirs.
class Lock {
 public:
  /// `lease`: nobody else uses it with this name.
  Lock(Member& member, const std::string& name, std::int64_t lease);
  void acquire(Peer::Done done);
  void release(Peer::Done done) { member_.remove(key_, std::move(done)); }

 private:
  void await_older(std::int64_t than_revision, Peer::Done done);

  Member& member_;
  const std::string prefix_;
  const std::string end_of_prefix_;
  const std::string key_;
  pb::TxnRequest entry_;
};

}  // namespace holdfast::bench::etcd
