#include "bench/compare/etcd/connection.h"

#include <stdexcept>
#include <utility>

namespace holdfast::bench::etcd {
namespace {

std::shared_ptr<grpc::Channel> open_channel(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else channels to one address share a connection
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // What is left out costs a third of a call: the loader takes no more of the processor than it must.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 1);  // the minimal stack has none by itself
  auto channel = grpc::CreateCustomChannel("ipv4:" + endpoint, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kCallTimeout)) {
    throw std::runtime_error("no connection to " + endpoint + " within 10 s");
  }
  return channel;
}

}  // namespace

std::string why(const grpc::Status& status) {
  if (status.ok()) return {};
  return status.error_message().empty() ? "a call failed without a reason" : status.error_message();
}

Connection::Connection(const std::string& endpoint, grpc::CompletionQueue& queue)
    : queue_(queue),
      channel_(open_channel(endpoint)),
      kv_(pb::KV::NewStub(channel_)),
      lease_(pb::Lease::NewStub(channel_)),
      watch_(pb::Watch::NewStub(channel_)) {}

void Connection::put(const pb::PutRequest& request, Peer::Done done) {
  Call<pb::PutResponse>::start(
      [&](grpc::ClientContext* context) { return kv_->PrepareAsyncPut(context, request, &queue_); },
      [done = std::move(done)](const grpc::Status& status, pb::PutResponse&) { done(why(status)); });
}

void Connection::range(const pb::RangeRequest& request, Call<pb::RangeResponse>::Then then) {
  Call<pb::RangeResponse>::start(
      [&](grpc::ClientContext* context) { return kv_->PrepareAsyncRange(context, request, &queue_); },
      std::move(then));
}

void Connection::remove(const std::string& key, Peer::Done done) {
  pb::DeleteRangeRequest request;
  request.set_key(key);
  Call<pb::DeleteRangeResponse>::start(
      [&](grpc::ClientContext* context) { return kv_->PrepareAsyncDeleteRange(context, request, &queue_); },
      [done = std::move(done)](const grpc::Status& status, pb::DeleteRangeResponse& response) {
        done(status.ok() && response.deleted() != 1 ? "the key to delete was not there" : why(status));
      });
}

void Connection::commit(const pb::TxnRequest& request, Call<pb::TxnResponse>::Then then) {
  Call<pb::TxnResponse>::start(
      [&](grpc::ClientContext* context) { return kv_->PrepareAsyncTxn(context, request, &queue_); },
      std::move(then));
}

void Connection::grant(std::int64_t ttl_seconds, Call<pb::LeaseGrantResponse>::Then then) {
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  Call<pb::LeaseGrantResponse>::start(
      [&](grpc::ClientContext* context) { return lease_->PrepareAsyncLeaseGrant(context, request, &queue_); },
      std::move(then));
}

void Connection::await_deletion(const std::string& key, std::int64_t from_revision, Peer::Done then) {
  const auto on_change = [then = std::move(then)](const pb::Event* event) {
    if (event != nullptr && event->type() != pb::Event::DELETE) return true;
    then(event == nullptr ? "the stream of watches ended" : "");
    return false;
  };
  watch(key, from_revision, on_change, [] {});
}

void Connection::watch(const std::string& key, std::int64_t from_revision, OnChange on_change,
                       std::function<void()> ready) {
  if (!watch_stream_) {
    watch_stream_ = std::make_unique<Watches>(
        [this](grpc::ClientContext* context) { return watch_->PrepareAsyncWatch(context, &queue_); },
        [this](pb::WatchResponse* response) { on_watch(response); });
  }
  pb::WatchRequest request;
  request.mutable_create_request()->set_key(key);
  request.mutable_create_request()->set_start_revision(from_revision);
  asked_.push_back({std::move(on_change), std::move(ready)});
  watch_stream_->send(std::move(request));
}

void Connection::on_watch(pb::WatchResponse* response) {
  if (response == nullptr) {
    for (auto& asked : std::exchange(asked_, {})) asked.on_change(nullptr);
    for (auto& [number, on_change] : std::exchange(watches_, {})) on_change(nullptr);
    return;
  }
  if (response->created()) {
    const Asked asked = std::move(asked_.front());
    asked_.pop_front();
    watches_.emplace(response->watch_id(), asked.on_change);
    asked.ready();
  }
  hand_out(*response);
}

void Connection::hand_out(const pb::WatchResponse& response) {
  const auto found = watches_.find(response.watch_id());
  if (found == watches_.end()) return;
  for (const pb::Event& event : response.events()) {
    if (found->second(&event)) continue;
    watches_.erase(response.watch_id());
    pb::WatchRequest request;
    request.mutable_cancel_request()->set_watch_id(response.watch_id());
    watch_stream_->send(std::move(request));
    return;
  }
}

std::unique_ptr<Connection::KeepAlives> Connection::open_keepalives(KeepAlives::OnReply on_reply) {
  return std::make_unique<KeepAlives>(
      [this](grpc::ClientContext* context) { return lease_->PrepareAsyncLeaseKeepAlive(context, &queue_); },
      std::move(on_reply));
}

}  // namespace holdfast::bench::etcd
