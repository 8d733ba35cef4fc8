#include "server/visitors.h"

#include <utility>

#include "net/message_stream.h"

namespace holdfast::server {

void Visitors::take(net::Socket socket, const Door& door) {
  const std::uint64_t number = ++last_;
  Visit& visit = visits_[number];
  net::FramedStreamOptions options;
  options.counters = &visit.counters;
  options.patient = true;  // what is answered in a busy while leaves together
  auto stream = kj::heap<net::MessageStream>(std::move(socket), options);
  const std::string address = stream->remote().to_string();
  visit.connection = std::make_unique<net::RpcConnection>(kj::mv(stream), door(address));
  visit.deadline = loop_.timer()
                       .afterDelay(patience_.count() * kj::MILLISECONDS)
                       .then([this, number] { close_if_silent(number); })
                       .eagerlyEvaluate(nullptr);
  tasks_.add(visit.connection->on_disconnect().catch_([](kj::Exception&&) {}).then([this, number] {
    close_later(number);
  }));
}

bool Visitors::are_quiet() {
  std::uint64_t frames = last_;  // one that left took its frames with it; one that came is news
  bool owes_nothing = true;
  for (const auto& [number, visit] : visits_) {
    frames += visit.counters.frames_read;
    const net::RpcConnection& connection = *visit.connection;
    if (connection.unanswered_calls() > 0 || connection.queued_bytes() > 0) owes_nothing = false;
  }
  return std::exchange(frames_seen_, frames) == frames && owes_nothing;
}

void Visitors::close_if_silent(std::uint64_t number) {
  const auto found = visits_.find(number);
  if (found == visits_.end() || found->second.counters.frames_read > 0) return;
  logging_.write(LogLevel::kDebug, "connection_silent",
                 {{"address", found->second.connection->remote_address()}});
  close_later(number);
}

void Visitors::close_later(std::uint64_t number) {
  tasks_.add(kj::evalLater([this, number] { visits_.erase(number); }));
}

void Visitors::taskFailed(kj::Exception&& exception) {
  logging_.write(LogLevel::kDebug, "connection_failed", {{"error", exception.getDescription().cStr()}});
}

}  // namespace holdfast::server
