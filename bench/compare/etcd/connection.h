#pragma once

#include <bench/compare/etcd/etcd.grpc.pb.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bench/compare/etcd/calls.h"
#include "bench/compare/peer.h"

namespace holdfast::bench::etcd {

namespace pb = etcdserverpb;

/// One HTTP/2 connection to one member, and what is done on it.
class Connection {
 public:
  /// Throws std::runtime_error if nobody answers within 10 s.
  Connection(const std::string& endpoint, grpc::CompletionQueue& queue);

  void put(const pb::PutRequest& request, Peer::Done done);
  void range(const pb::RangeRequest& request, Call<pb::RangeResponse>::Then then);
  void remove(const std::string& key, Peer::Done done);
  void commit(const pb::TxnRequest& request, Call<pb::TxnResponse>::Then then);
  void grant(std::int64_t ttl_seconds, Call<pb::LeaseGrantResponse>::Then then);

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

  /// Ends the stream of watches: see Stream.
  void cancel() {
    if (watch_stream_) watch_stream_->cancel();
  }

 private:
  using Watches = Stream<pb::WatchRequest, pb::WatchResponse>;
  struct Asked {
    OnChange on_change;
    std::function<void()> ready;
  };
  void on_watch(pb::WatchResponse* response);
  void hand_out(const pb::WatchResponse& response);

  grpc::CompletionQueue& queue_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<pb::KV::Stub> kv_;
  const std::unique_ptr<pb::Lease::Stub> lease_;
  const std::unique_ptr<pb::Watch::Stub> watch_;
  std::deque<Asked> asked_;  // watches whose number is not known yet, in the order they were asked
  std::map<std::int64_t, OnChange> watches_;  // by number
  std::unique_ptr<Watches> watch_stream_;     // opened with the first watch; after what its answers need
};

/// Returns: nothing if the call succeeded, else why not.
std::string why(const grpc::Status& status);

}  // namespace holdfast::bench::etcd
