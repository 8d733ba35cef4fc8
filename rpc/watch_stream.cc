#include "rpc/watch_stream.h"

#include "base/limits.h"
#include "rpc/call.h"
#include "rpc/conversions.h"
#include "rpc/errors.h"
#include "schema/method.h"

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

WatchStream::WatchStream(kj::Own<Visitor> visitor, capnp::Capability::Client watcher)
    : visitor_(kj::mv(visitor)), outlet_(kj::mv(watcher), *this) {
  ++visitor_->watches;
}

WatchStream::~WatchStream() noexcept(false) {
  close();
  --visitor_->watches;
}

void WatchStream::start(node::WatchId watch) {
  watch_ = watch;
  open_ = true;
  busy_ = true;
  // The client's call is still being answered.
  started_ = kj::evalLater([this] { room(); }).eagerlyEvaluate(nullptr);
}

node::WatchPlace WatchStream::place() {
  if (visitor_->place == 0) visitor_->place = hub().new_place();
  return visitor_->place;
}

void WatchStream::close() {
  if (!open_) return;
  open_ = false;
  hub().close(watch_);
}

void WatchStream::ready() {
  news_ = true;
  if (!open_ || busy_) return;
  pump();
  // It is told along with the others of its connection; the client hears while those of the next are told.
  outlet_.hasten();
}

/// What is taken while a call is on its way waits in the hub, where it is bounded.
void WatchStream::pump() {
  auto exception = kj::runCatchingExceptions([this] {
    if (!outlet_.has_room()) {
      busy_ = true;
      return outlet_.when_room();
    }
    busy_ = next();
  });
  if (exception != nullptr) close();
}

void WatchStream::answered(kj::Maybe<kj::Exception> failure, capnp::AnyPointer::Reader) {
  if (failure != nullptr) return close();
  busy_ = false;
  if (open_ && (news_ || has_left())) pump();
}

void WatchStream::room() {
  busy_ = false;
  if (open_) pump();
}

Result<schema::Handle::Client> ConfigWatch::open(kj::Own<Visitor> visitor, config::KeyRange range,
                                                 Revision from, schema::Config::Watcher::Client watcher) {
  if (auto room = check_watches(*visitor); !room) return fail(room.error());
  return schema::Handle::Client(
      kj::heap<ConfigWatch>(kj::mv(visitor), std::move(range), from, kj::mv(watcher)));
}

ConfigWatch::ConfigWatch(kj::Own<Visitor> visitor, config::KeyRange range, Revision from,
                         schema::Config::Watcher::Client watcher)
    : WatchStream(kj::mv(visitor), kj::mv(watcher)) {
  start(hub().open_config(std::move(range), from, sink(), place()));
}

bool ConfigWatch::next() {
  if (sent_of_batch_ == batch_.changes.size()) {
    if (!batch_.ended) {
      batch_ = hub().take_config(taking(), limits::kMaxReadPageBytes);
      sent_of_batch_ = 0;
    }
    if (batch_.changes.empty() && !batch_.ended) return false;
  }
  if (sent_of_batch_ < batch_.changes.size()) {
    send_slice();
  } else {
    close();
    send_end();
  }
  return true;
}

/// As many of the batch's changes as a frame takes well. The last slice says where the batch ends; one before
/// it, that the revision it breaks off in is still to be resumed from.
void ConfigWatch::send_slice() {
  const config::Change* const first = batch_.changes.data() + sent_of_batch_;
  const config::Change* const end = batch_.changes.data() + batch_.changes.size();
  const config::Change* last = first;
  std::size_t bytes = 0;
  for (; last != end && bytes < limits::kMaxReadPageBytes; ++last) {
    bytes += wire_bytes(*last, false);
  }
  const Revision next = last == end ? batch_.next : last->revision();
  call(desk().announcement.of(first, last, bytes, next));
  sent_of_batch_ += static_cast<std::size_t>(last - first);
  if (last == end) {
    batch_.changes.clear();
    sent_of_batch_ = 0;
  }
}

void ConfigWatch::send_end() {
  net::SharedCall ended(capnp::typeId<schema::Config::Watcher>(),
                        schema::method_number<schema::Config::Watcher>("ended"), kShortAnswer);
  write_error(*batch_.ended, ended.params().initAs<schema::Config::Watcher::EndedParams>().initError());
  call(ended);
}

Result<schema::Handle::Client> RegistryWatch::open(kj::Own<Visitor> visitor, std::string service,
                                                   schema::Registry::Watcher::Client watcher) {
  if (auto room = check_watches(*visitor); !room) return fail(room.error());
  return schema::Handle::Client(
      kj::heap<RegistryWatch>(kj::mv(visitor), std::move(service), kj::mv(watcher)));
}

RegistryWatch::RegistryWatch(kj::Own<Visitor> visitor, std::string service,
                             schema::Registry::Watcher::Client watcher)
    : WatchStream(kj::mv(visitor), kj::mv(watcher)) {
  start(hub().open_registry(std::move(service), sink()));
}

bool RegistryWatch::next() {
  if (sent_of_batch_ == batch_.changes.size()) {
    batch_ = hub().take_registry(taking(), kMaxInstancesPerBatch);
    sent_of_batch_ = 0;
    // A service without instances is told once, too.
    if (batch_.changes.empty() && (told_complete_ || !batch_.complete)) return false;
  }
  send_slice();
  return true;
}

void RegistryWatch::send_slice() {
  const std::size_t first = sent_of_batch_;
  std::size_t bytes = 0;
  while (sent_of_batch_ < batch_.changes.size() && bytes < limits::kMaxReadPageBytes) {
    bytes += wire_bytes(batch_.changes[sent_of_batch_++].instance);
  }
  static const std::uint16_t kChanges = schema::method_number<schema::Registry::Watcher>("changes");
  net::SharedCall told(capnp::typeId<schema::Registry::Watcher>(), kChanges,
                       capnp::MessageSize{bytes / sizeof(capnp::word) + 64, 0});
  auto params = told.params().initAs<schema::Registry::Watcher::ChangesParams>();
  auto changes = params.initChanges(static_cast<unsigned>(sent_of_batch_ - first));
  for (unsigned i = 0; i < changes.size(); ++i) write_change(batch_.changes[first + i], changes[i]);
  const bool complete = batch_.complete && sent_of_batch_ == batch_.changes.size();
  told_complete_ = told_complete_ || complete;
  params.setRevision(batch_.revision.value());
  params.setComplete(complete);
  call(told);
}

}  // namespace holdfast::rpc
