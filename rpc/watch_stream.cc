#include "rpc/watch_stream.h"

#include "base/limits.h"
#include "rpc/conversions.h"
#include "rpc/errors.h"

namespace holdfast::rpc {

namespace {

constexpr std::size_t kMaxInstancesPerBatch = 1'000;

Result<void> check_watches(const Visitor& visitor) {
  if (visitor.watches < limits::kMaxWatchesPerConnection) return {};
  return fail(Errc::kLimitExceeded, "a connection has at most " +
                                        std::to_string(limits::kMaxWatchesPerConnection) +
                                        " watches open; drop some, or open another connection");
}

}  // namespace

WatchStream::WatchStream(kj::Own<Visitor> visitor) : visitor_(kj::mv(visitor)) { ++visitor_->watches; }

WatchStream::~WatchStream() noexcept(false) {
  close();
  --visitor_->watches;
}

void WatchStream::start(node::WatchId watch) {
  watch_ = watch;
  open_ = true;
  ready();
}

void WatchStream::close() {
  if (!open_) return;
  open_ = false;
  hub().close(watch_);
}

void WatchStream::ready() {
  ready_ = true;
  // Before start() the hub may say so already; inside pump() the loop there sees it.
  if (!open_ || sending_) return;
  sending_ = true;
  // The hub is in the middle of telling everybody: take and send later.
  sent_ = kj::evalLater([this] { return pump(); }).eagerlyEvaluate([this](kj::Exception&&) { close(); });
}

kj::Promise<void> WatchStream::pump() {
  while (open_) {
    ready_ = false;
    KJ_IF_MAYBE (sent, next()) {
      return sent->then([this] { return pump(); });
    }
    if (!ready_) break;
  }
  sending_ = false;
  return kj::READY_NOW;
}

Result<schema::Handle::Client> ConfigWatch::open(kj::Own<Visitor> visitor, config::KeyRange range,
                                                 Revision from, schema::Config::Watcher::Client watcher) {
  if (auto room = check_watches(*visitor); !room) return fail(room.error());
  return schema::Handle::Client(
      kj::heap<ConfigWatch>(kj::mv(visitor), std::move(range), from, kj::mv(watcher)));
}

ConfigWatch::ConfigWatch(kj::Own<Visitor> visitor, config::KeyRange range, Revision from,
                         schema::Config::Watcher::Client watcher)
    : WatchStream(kj::mv(visitor)), watcher_(kj::mv(watcher)) {
  start(hub().open_config(std::move(range), from, sink()));
}

kj::Maybe<kj::Promise<void>> ConfigWatch::next() {
  if (sent_of_batch_ == batch_.changes.size()) {
    if (!batch_.ended) {
      batch_ = hub().take_config(watch(), limits::kMaxReadPageBytes);
      sent_of_batch_ = 0;
    }
    if (batch_.changes.empty() && !batch_.ended) return nullptr;
  }
  if (sent_of_batch_ < batch_.changes.size()) return send_slice();
  close();
  auto request = watcher_.endedRequest();
  write_error(*batch_.ended, request.initError());
  return request.send().ignoreResult();
}

/// As many of the batch's changes as a frame takes well. The last slice says where the batch ends; one before
/// it, that the revision it breaks off in is still to be resumed from.
kj::Promise<void> ConfigWatch::send_slice() {
  const std::size_t first = sent_of_batch_;
  std::size_t bytes = 0;
  while (sent_of_batch_ < batch_.changes.size() && bytes < limits::kMaxReadPageBytes) {
    const config::Change& change = *batch_.changes[sent_of_batch_++];
    bytes += wire_bytes(change.key, change.entry, false);
  }
  auto request = watcher_.changesRequest(capnp::MessageSize{bytes / sizeof(capnp::word) + 64, 0});
  auto changes = request.initChanges(static_cast<unsigned>(sent_of_batch_ - first));
  for (unsigned i = 0; i < changes.size(); ++i) write_change(*batch_.changes[first + i], changes[i]);
  const bool last = sent_of_batch_ == batch_.changes.size();
  request.setNextRevision((last ? batch_.next : batch_.changes[sent_of_batch_]->revision()).value());
  return request.send().ignoreResult();
}

Result<schema::Handle::Client> RegistryWatch::open(kj::Own<Visitor> visitor, std::string service,
                                                   schema::Registry::Watcher::Client watcher) {
  if (auto room = check_watches(*visitor); !room) return fail(room.error());
  return schema::Handle::Client(
      kj::heap<RegistryWatch>(kj::mv(visitor), std::move(service), kj::mv(watcher)));
}

RegistryWatch::RegistryWatch(kj::Own<Visitor> visitor, std::string service,
                             schema::Registry::Watcher::Client watcher)
    : WatchStream(kj::mv(visitor)), watcher_(kj::mv(watcher)) {
  start(hub().open_registry(std::move(service), sink()));
}

kj::Maybe<kj::Promise<void>> RegistryWatch::next() {
  if (sent_of_batch_ == batch_.changes.size()) {
    batch_ = hub().take_registry(watch(), kMaxInstancesPerBatch);
    sent_of_batch_ = 0;
    // A service without instances is told once, too.
    if (batch_.changes.empty() && (told_complete_ || !batch_.complete)) return nullptr;
  }
  return send_slice();
}

kj::Promise<void> RegistryWatch::send_slice() {
  const std::size_t first = sent_of_batch_;
  std::size_t bytes = 0;
  while (sent_of_batch_ < batch_.changes.size() && bytes < limits::kMaxReadPageBytes) {
    bytes += wire_bytes(batch_.changes[sent_of_batch_++].instance);
  }
  auto request = watcher_.changesRequest(capnp::MessageSize{bytes / sizeof(capnp::word) + 64, 0});
  auto changes = request.initChanges(static_cast<unsigned>(sent_of_batch_ - first));
  for (unsigned i = 0; i < changes.size(); ++i) write_change(batch_.changes[first + i], changes[i]);
  const bool complete = batch_.complete && sent_of_batch_ == batch_.changes.size();
  told_complete_ = told_complete_ || complete;
  request.setRevision(batch_.revision.value());
  request.setComplete(complete);
  return request.send().ignoreResult();
}

}  // namespace holdfast::rpc
