#include "bench/compare/etcd/member.h"

#include <utility>

namespace holdfast::bench::etcd {

void Member::put(const pb::PutRequest& request, Peer::Done done) {
  call<pb::PutResponse>(
      channel_, "/etcdserverpb.KV/Put", request,
      [done = std::move(done)](const std::string& why, const pb::PutResponse&) { done(why); });
}

void Member::range(const pb::RangeRequest& request, Then<pb::RangeResponse> then) {
  call<pb::RangeResponse>(channel_, "/etcdserverpb.KV/Range", request, std::move(then));
}

void Member::remove(const std::string& key, Peer::Done done) {
  pb::DeleteRangeRequest request;
  request.set_key(key);
  call<pb::DeleteRangeResponse>(
      channel_, "/etcdserverpb.KV/DeleteRange", request,
      [done = std::move(done)](const std::string& why, const pb::DeleteRangeResponse& response) {
        done(why.empty() && response.deleted() != 1 ? "the key to delete was not there" : why);
      });
}

void Member::commit(const pb::TxnRequest& request, Then<pb::TxnResponse> then) {
  call<pb::TxnResponse>(channel_, "/etcdserverpb.KV/Txn", request, std::move(then));
}

void Member::grant(std::int64_t ttl_seconds, Then<pb::LeaseGrantResponse> then) {
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  call<pb::LeaseGrantResponse>(channel_, "/etcdserverpb.Lease/LeaseGrant", request, std::move(then));
}

void Member::await_deletion(const std::string& key, std::int64_t from_revision, Peer::Done then) {
  const auto on_change = [then = std::move(then)](const pb::Event* event) {
    if (event != nullptr && event->type() != pb::Event::DELETE) return true;
    then(event == nullptr ? "the stream of watches ended" : "");
    return false;
  };
  watch(key, from_revision, on_change, [] {});
}

void Member::watch(const std::string& key, std::int64_t from_revision, OnChange on_change,
                   std::function<void()> ready) {
  if (!watch_stream_) {
    watch_stream_ =
        std::make_unique<Watches>(channel_, "/etcdserverpb.Watch/Watch",
                                  [this](const pb::WatchResponse* response) { on_watch(response); });
  }
  pb::WatchRequest request;
  request.mutable_create_request()->set_key(key);
  request.mutable_create_request()->set_start_revision(from_revision);
  asked_.push_back({std::move(on_change), std::move(ready)});
  watch_stream_->send(request);
}

void Member::on_watch(const pb::WatchResponse* response) {
  if (response == nullptr) {
    for (auto& asked : std::exchange(asked_, {})) asked.on_change(nullptr);
    for (auto& [number, on_change] : std::exchange(watches_, {})) on_change(nullptr);
    return;
  }
  if (response->created() && !asked_.empty()) {
    const Asked asked = std::move(asked_.front());
    asked_.pop_front();
    watches_.emplace(response->watch_id(), asked.on_change);
    asked.ready();
  }
  hand_out(*response);
}

void Member::hand_out(const pb::WatchResponse& response) {
  const auto found = watches_.find(response.watch_id());
  if (found == watches_.end()) return;
  if (response.canceled()) {  // not by us: then it would be gone already
    const OnChange on_change = std::move(found->second);
    watches_.erase(found);
    on_change(nullptr);
    return;
  }
  for (const pb::Event& event : response.events()) {
    if (found->second(&event)) continue;
    watches_.erase(response.watch_id());
    pb::WatchRequest request;
    request.mutable_cancel_request()->set_watch_id(response.watch_id());
    watch_stream_->send(request);
    return;
  }
}

std::unique_ptr<Member::KeepAlives> Member::open_keepalives(KeepAlives::OnReply on_reply) {
  return std::make_unique<KeepAlives>(channel_, "/etcdserverpb.Lease/LeaseKeepAlive", std::move(on_reply));
}

}  // namespace holdfast::bench::etcd
