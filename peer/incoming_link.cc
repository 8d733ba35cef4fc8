#include "peer/incoming_link.h"

#include <utility>
#include <variant>

namespace holdfast::peer {
namespace {

// Frames of one member before others, and the rest of the loop, get their turn.
constexpr int kFramesPerTurn = 64;

// How long a refused peer may take to fetch its refusal.
constexpr milliseconds kGoodbye{500};

net::FramedStreamOptions greeting_options(net::StreamCounters& counters) {
  net::FramedStreamOptions options;
  options.counters = &counters;
  options.max_frame_bytes = kMaxGreetingBytes;
  return options;
}

}  // namespace

IncomingLink::IncomingLink(Context& context, Owner& owner, net::Socket socket)
    : context_(context),
      owner_(owner),
      stream_(std::move(socket), greeting_options(counters_)),
      alarm_(context.loop) {
  alarm_.set_after(context_.timing.handshake_timeout, [this] { close("no handshake in time"); });
  stream_.when_readable([this] { on_greeting(); });
}

void IncomingLink::on_greeting() {
  const auto frame = stream_.take();
  if (!frame) {
    return close(frame.error().message);
  }
  if (!*frame) {
    return close("it went away before the handshake");
  }
  const auto decoded = decode(**frame);
  if (!decoded) {
    return close(decoded.error().message);
  }
  if (const auto* hello = std::get_if<Hello>(&*decoded)) {
    return on_hello(*hello);
  }
  close("it did not begin with a handshake");
}

void IncomingLink::on_hello(const Hello& hello) {
  if (const auto refusal = refuse(hello, context_.self, owner_.peers())) {
    return reply_refusal(hello, *refusal);
  }
  if (const auto sent = stream_.send(encode(hello_of(context_.self, hello.member))); !sent) {
    return close(sent.error().message);
  }
  alarm_.set_after(context_.timing.alive_interval, [this] { on_interval(); });
  member_ = hello.member;
  name_ = hello.name;
  greeting_ = hello;
  stream_.set_max_frame_bytes(limits::kMaxPeerFrameBytes);
  stream_.when_readable([this] { on_messages(); });
  owner_.welcomed(*this);
}

void IncomingLink::reply_refusal(const Hello& hello, const Refusal& refusal) {
  const std::string address = stream_.remote().to_string();
  const auto held_back = context_.lines.pass(
      "refused " + stream_.remote().host + hello.name + refusal.explanation, context_.loop.now());
  if (held_back) {
    context_.logging.write(LogLevel::kWarn, "peer_refused",
                           {{"peer", hello.name},
                            {"address", address},
                            {"reason", name_of(refusal.reason)},
                            {"explanation", refusal.explanation},
                            {"repeated", *held_back}});
  }
  static_cast<void>(stream_.send(encode(refusal)));
  stream_.end();
  // Closing at once would lose the refusal in a reset, should bytes be on their way to us.
  alarm_.set_after(kGoodbye, [this] { owner_.closed(*this); });
}

void IncomingLink::on_messages() {
  for (int i = 0; i < kFramesPerTurn; ++i) {
    const auto frame = stream_.take();
    if (!frame) {
      return close(frame.error().message);
    }
    if (!*frame) {
      break;
    }
    auto decoded = decode(**frame);
    if (!decoded) {
      return close(decoded.error().message);
    }
    if (std::holds_alternative<Alive>(*decoded)) {
      continue;
    }
    auto* message = std::get_if<raft::Message>(&*decoded);
    if (message == nullptr) {
      return close("it greeted twice");
    }
    if (message->from != member_ || message->to != context_.self.member) {
      return close("a message from member " + to_hex(message->from.value()) + " to member " +
                   to_hex(message->to.value()) + " does not belong on this connection");
    }
    context_.events.received(std::move(*message));
  }
  if (stream_.ended()) {
    return close("it closed the connection");
  }
  stream_.when_readable([this] { on_messages(); });
}

/// Bytes count, not messages: a large one may take longer than an interval on a slow line.
void IncomingLink::on_interval() {
  if (arrivals() == arrivals_before_) {
    if (++silent_intervals_ > kMostSilentIntervals) {
      return close("it gave no sign of life");
    }
  } else {
    arrivals_before_ = arrivals();
    silent_intervals_ = 0;
    static_cast<void>(stream_.send(encode(Alive{})));
  }
  alarm_.set_after(context_.timing.alive_interval, [this] { on_interval(); });
}

void IncomingLink::close(const std::string& reason) {
  const std::string key = "closed " + stream_.remote().host + name_ + reason;
  if (const auto held_back = context_.lines.pass(key, context_.loop.now())) {
    context_.logging.write(LogLevel::kInfo, "peer_connection_closed",
                           {{"peer", name_},
                            {"address", stream_.remote().to_string()},
                            {"reason", reason},
                            {"repeated", *held_back}});
  }
  owner_.closed(*this);
}

}  // namespace holdfast::peer
