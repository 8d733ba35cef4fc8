#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/endpoint.h"
#include "bench/compare/etcd/calls.h"
#include "bench/compare/peer.h"

namespace holdfast::bench::etcd {

/// What is asked of one member, over a connection of its own.
class Member {
 public:
  /// Throws std::runtime_error if it does not answer within `patience`.
  Member(const Endpoint& endpoint, milliseconds patience) : channel_(endpoint, patience) {}

  void put(const pb::PutRequest& request, Peer::Done done);
  void range(const pb::RangeRequest& request, Then<pb::RangeResponse> then);
  void remove(const std::string& key, Peer::Done done);
  void commit(const pb::TxnRequest& request, Then<pb::TxnResponse> then);
  void grant(std::int64_t ttl_seconds, Then<pb::LeaseGrantResponse> then);

  /// Told each change of a watch; nullptr: the stream of watches has ended. Returns: whether to go on
  /// watching.
  using OnChange = std::function<bool(const pb::Event*)>;
  /// Watches `key` from `from_revision`, 0: from now. `ready` is told once the member has begun.
  void watch(const std::string& key, std::int64_t from_revision, OnChange on_change,
             std::function<void()> ready);
  /// Tells `then` once that `key` was deleted at `from_revision` or later.
  void await_deletion(const std::string& key, std::int64_t from_revision, Peer::Done then);

  using KeepAlives = Stream<pb::LeaseKeepAliveRequest, pb::LeaseKeepAliveResponse>;
  std::unique_ptr<KeepAlives> open_keepalives(KeepAlives::OnReply on_reply);

  Channel& channel() { return channel_; }

 private:
  using Watches = Stream<pb::WatchRequest, pb::WatchResponse>;
  struct Asked {
    OnChange on_change;
    std::function<void()> ready;
  };
  void on_watch(const pb::WatchResponse* response);
  void hand_out(const pb::WatchResponse& response);

  Channel channel_;
  std::deque<Asked> asked_;  // watches whose number is not known yet, in the order they were asked
  std::map<std::int64_t, OnChange> watches_;  // by number
  std::unique_ptr<Watches> watch_stream_;     // opened with the first watch
};

}  // namespace holdfast::bench::etcd
