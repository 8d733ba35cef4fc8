#include "peer/outgoing_link.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace holdfast::peer {
namespace {

// Signs of life come one by one; whoever sends more does not keep the loop from others.
constexpr int kFramesPerTurn = 16;

}  // namespace

OutgoingLink::OutgoingLink(Context& context, Peer peer, Random random)
    : context_(context),
      peer_(std::move(peer)),
      random_(random),
      alarm_(context.loop),
      next_pause_(context.timing.least_pause) {}

void OutgoingLink::start() { dial(); }

void OutgoingLink::hurry() {
  if (state_ == State::kPausing && !refused_) {
    dial();
  }
}

void OutgoingLink::dial() {
  state_ = State::kDialling;
  alarm_.cancel();
  connector_.emplace(context_.loop, peer_.endpoint, context_.timing.connect_timeout,
                     [this](Result<net::Socket> socket) { on_dialled(std::move(socket)); });
}

void OutgoingLink::on_dialled(Result<net::Socket> socket) {
  connector_.reset();
  if (!socket) {
    return give_up(socket.error().message);
  }
  state_ = State::kGreeting;
  socket->set_stall_timeout(context_.timing.stall_timeout);
  net::FramedStreamOptions options;
  options.max_frame_bytes = kMaxGreetingBytes;
  options.max_queue_bytes = context_.max_queue_bytes;
  stream_.emplace(std::move(*socket), options);
  if (auto sent = stream_->send(encode(hello_of(context_.self, peer_.id))); !sent) {
    return give_up(sent.error().message);
  }
  stream_->when_readable([this] { on_greeting(); });
  alarm_.set_after(context_.timing.handshake_timeout, [this] { give_up("it did not answer the handshake"); });
}

void OutgoingLink::on_greeting() {
  auto frame = stream_->take();
  if (!frame) {
    return give_up(frame.error().message);
  }
  if (!*frame) {
    return give_up("it closed the connection during the handshake");
  }
  const auto decoded = decode(**frame);
  if (!decoded) {
    return give_up(decoded.error().message);
  }
  if (const auto* refusal = std::get_if<Refusal>(&*decoded)) {
    return on_refusal(*refusal);
  }
  if (const auto* hello = std::get_if<Hello>(&*decoded)) {
    return on_hello(*hello);
  }
  give_up("it did not answer with a handshake");
}

void OutgoingLink::on_hello(const Hello& answer) {
  if (const auto mistake = mistaken(answer, context_.self, peer_)) {
    return give_up(*mistake);
  }
  state_ = State::kConnected;
  refused_ = false;
  next_pause_ = context_.timing.least_pause;
  stream_->set_max_frame_bytes(limits::kMaxPeerFrameBytes);
  stream_->when_readable([this] { on_answer(); });
  silent_intervals_ = 0;
  alarm_.set_after(context_.timing.alive_interval, [this] { on_interval(); });
  context_.logging.write(LogLevel::kInfo, "peer_connected",
                         {{"peer", peer_.name}, {"address", stream_->remote().to_string()}});
  shown_data_id_ = answer.data_id;
  context_.events.connected(peer_.id, answer.client_endpoint, answer.data_id, answer.feature_level);
}

void OutgoingLink::know(const std::string& data_id) {
  peer_.data_id = data_id;
  if (state_ == State::kConnected && is_other_data(shown_data_id_, peer_)) {
    give_up("it has data directory " + shown_data_id_ + ", on record is " + peer_.data_id);
  }
}

void OutgoingLink::on_refusal(const Refusal& refusal) {
  refused_ = true;
  next_pause_ = context_.timing.most_pause;  // asking more often changes nobody's mind
  const std::string reason = std::string(name_of(refusal.reason)) + ": " + refusal.explanation;
  if (const auto held_back = context_.lines.pass("refused by " + peer_.name + reason, context_.loop.now())) {
    context_.logging.write(LogLevel::kWarn, "refused_by_peer",
                           {{"peer", peer_.name},
                            {"address", peer_.endpoint.to_string()},
                            {"reason", name_of(refusal.reason)},
                            {"explanation", refusal.explanation},
                            {"repeated", *held_back}});
  }
  pause();
  context_.events.refused(peer_.id, reason);
}

void OutgoingLink::on_answer() {
  for (int i = 0; i < kFramesPerTurn; ++i) {
    const auto frame = stream_->take();
    if (!frame) {
      return give_up(frame.error().message);
    }
    if (!*frame) {
      break;
    }
    const auto decoded = decode(**frame);
    if (!decoded || !std::holds_alternative<Alive>(*decoded)) {
      return give_up("it sent something where it only listens");
    }
    silent_intervals_ = 0;
  }
  if (stream_->ended()) {
    return give_up("it closed the connection");
  }
  stream_->when_readable([this] { on_answer(); });
}

void OutgoingLink::on_interval() {
  if (++silent_intervals_ > kMostSilentIntervals) {
    return give_up("it gave no sign of life");
  }
  // While something is queued its bytes are sign enough, if they arrive.
  if (stream_->queued_bytes() == 0) {
    static_cast<void>(stream_->send(encode(Alive{})));
  }
  alarm_.set_after(context_.timing.alive_interval, [this] { on_interval(); });
}

void OutgoingLink::send(const raft::Message& message) {
  if (state_ != State::kConnected) {
    return;  // it is told of nothing before it is told that it is connected
  }
  if (stream_->over_bound()) {
    ++dropped_;
    if (const auto held_back = context_.lines.pass("queue " + peer_.name, context_.loop.now())) {
      context_.logging.write(
          LogLevel::kWarn, "peer_queue_full",
          {{"peer", peer_.name}, {"bytes", stream_->queued_bytes()}, {"repeated", *held_back}});
    }
    return;
  }
  if (const auto sent = stream_->send(encode(message)); !sent) {
    ++dropped_;
    context_.logging.write(LogLevel::kError, "peer_message_too_large",
                           {{"peer", peer_.name}, {"reason", sent.error().message}});
  }
}

void OutgoingLink::give_up(const std::string& reason) {
  const bool was_connected = state_ == State::kConnected;
  refused_ = false;
  if (was_connected) {
    context_.logging.write(LogLevel::kInfo, "peer_lost", {{"peer", peer_.name}, {"reason", reason}});
  } else if (const auto held_back = context_.lines.pass("unreachable " + peer_.name, context_.loop.now())) {
    context_.logging.write(LogLevel::kInfo, "peer_unreachable",
                           {{"peer", peer_.name}, {"reason", reason}, {"repeated", *held_back}});
  }
  pause();
  if (was_connected) {
    context_.events.lost(peer_.id);
  }
}

void OutgoingLink::pause() {
  stream_.reset();
  connector_.reset();
  state_ = State::kPausing;
  // Between half and the whole of it: members that lost each other do not dial in step.
  const auto most = static_cast<std::uint64_t>(next_pause_.count());
  const milliseconds now_pause(static_cast<milliseconds::rep>(random_.between(most / 2, most)));
  next_pause_ = std::min(next_pause_ * 2, context_.timing.most_pause);
  alarm_.set_after(now_pause, [this] { dial(); });
}

}  // namespace holdfast::peer
