#include "bench/compare/etcd/channel.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "bench/compare/etcd/messages.h"

namespace holdfast::bench::etcd {
namespace {

// Nobody is to wait for leave to send: a loader takes whatever arrives.
constexpr std::int32_t kWindowBytes = std::numeric_limits<std::int32_t>::max();

/// Points to what is told to it, which must outlive the request.
nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void require(ssize_t result) {
  if (result < 0)
    throw std::runtime_error(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(result)));
}

}  // namespace

/// One call, from its request to its end, and then another: its strings keep their room.
struct Channel::Stream {
  StreamId id = 0;
  std::string outgoing;   // framed
  std::size_t sent = 0;   // of it
  bool last_sent = true;  // there will be no more than that
  Messages incoming;
  bool broken = false;  // what arrived are no messages
  std::string http_status, grpc_status, grpc_message;
  OnMessage on_message;  // none: a call, whose one answer is kept
  std::string answer;
  std::size_t answers = 0;
  OnAnswer on_end;

  void forget() {
    outgoing.clear();
    sent = 0;
    last_sent = true;
    incoming = Messages();
    broken = false;
    for (std::string* text : {&http_status, &grpc_status, &grpc_message, &answer}) text->clear();
    answers = 0;
    on_message = nullptr;
    on_end = nullptr;
  }

  bool read(std::string_view piece) {
    return incoming.read(piece, [this](std::string_view message) {
      if (on_message) return on_message(message);
      answer = message;
      ++answers;
    });
  }

  /// Why it failed, nothing if it did not.
  std::string why(std::uint32_t error_code) const {
    if (grpc_status == "0") {
      if (broken || !incoming.complete()) return "an answer is no message of gRPC's";
      return on_message || answers == 1 ? "" : "not one answer to a call";
    }
    if (!grpc_status.empty())
      return "gRPC's status " + grpc_status + (grpc_message.empty() ? "" : ": " + grpc_message);
    if (error_code != NGHTTP2_NO_ERROR)
      return std::string("a stream was ended: ") + nghttp2_http2_strerror(error_code);
    return "an answer without a status of gRPC's, HTTP's is " +
           (http_status.empty() ? "missing" : http_status);
  }
};

/// What the library tells of a session. `user` is the channel.
struct Channel::Callbacks {
  static Stream* find(nghttp2_session* session, StreamId id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static ssize_t read(nghttp2_session*, StreamId, std::uint8_t* to, std::size_t room, std::uint32_t* flags,
                      nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t length = std::min(room, stream.outgoing.size() - stream.sent);
    std::memcpy(to, stream.outgoing.data() + stream.sent, length);
    stream.sent += length;
    if (stream.sent < stream.outgoing.size()) return static_cast<ssize_t>(length);
    stream.outgoing.clear();
    stream.sent = 0;
    if (stream.last_sent) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (length == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(length);
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                       std::uint8_t, void*) {
    Stream* const stream = find(session, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const std::string_view key(reinterpret_cast<const char*>(name), name_length);
    std::string* const kept = key == "grpc-status"    ? &stream->grpc_status
                              : key == "grpc-message" ? &stream->grpc_message
                              : key == ":status"      ? &stream->http_status
                                                      : nullptr;
    if (kept != nullptr) kept->assign(reinterpret_cast<const char*>(value), value_length);
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, StreamId id, const std::uint8_t* data,
                     std::size_t length, void*) {
    Stream* const stream = find(session, id);
    if (stream == nullptr || stream->broken) return 0;
    const std::string_view piece(reinterpret_cast<const char*>(data), length);
    stream->broken = !stream->read(piece);
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& channel = *static_cast<Channel*>(user);
    if (frame->hd.type == NGHTTP2_SETTINGS) channel.greeted_ = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) channel.leaving_ = true;
    return 0;
  }

  static int on_close(nghttp2_session* session, StreamId id, std::uint32_t error_code, void* user) {
    Stream* const stream = find(session, id);
    if (stream == nullptr) return 0;
    auto& channel = *static_cast<Channel*>(user);
    if (stream->on_message) channel.opened_.erase(id);
    stream->on_end(stream->why(error_code), stream->answer);
    stream->forget();
    channel.idle_.push_back(stream);
    return 0;
  }

  static nghttp2_session* session_of(Channel* channel) {
    nghttp2_session_callbacks* callbacks = nullptr;
    require(nghttp2_session_callbacks_new(&callbacks));
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session* session = nullptr;
    const int result = nghttp2_session_client_new(&session, callbacks, channel);
    nghttp2_session_callbacks_del(callbacks);
    require(result);
    return session;
  }
};

Channel::Channel(const Endpoint& endpoint, milliseconds patience)
    : socket_(endpoint, patience),
      authority_(endpoint.to_string()),
      session_(Callbacks::session_of(this), nghttp2_session_del) {
  begin();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!greeted_) {
    flush();
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !socket_.wait(left))
      throw std::runtime_error("no greeting from " + authority_ + " in time");
    receive();
  }
}

Channel::Channel(int connected, std::string authority)
    : socket_(connected),
      authority_(std::move(authority)),
      session_(Callbacks::session_of(this), nghttp2_session_del) {
  begin();
}

Channel::~Channel() = default;

void Channel::begin() {
  const std::array<nghttp2_settings_entry, 2> settings{
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(kWindowBytes)}}};
  require(nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  require(nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, kWindowBytes));
}

Channel::Stream& Channel::idle() {
  if (idle_.empty()) {
    all_.push_back(std::make_unique<Stream>());
    return *all_.back();
  }
  Stream* const stream = idle_.back();
  idle_.pop_back();
  return *stream;
}

void Channel::start(std::string_view method, Stream& stream) {
  const std::array<nghttp2_nv, 6> headers{header(":method", "POST"),
                                          header(":scheme", "http"),
                                          header(":path", method),
                                          header(":authority", authority_),
                                          header("content-type", "application/grpc"),
                                          header("te", "trailers")};
  nghttp2_data_provider body{};
  body.source.ptr = &stream;
  body.read_callback = Callbacks::read;
  stream.id = nghttp2_submit_request(session_.get(), nullptr, headers.data(), headers.size(), &body, &stream);
  require(stream.id);
  gathered();
}

void Channel::call(std::string_view method, std::string_view framed, OnAnswer on_answer) {
  Stream& stream = idle();
  stream.outgoing = framed;
  stream.on_end = std::move(on_answer);
  start(method, stream);
}

Channel::StreamId Channel::open(std::string_view method, OnMessage on_message, OnEnd on_end) {
  Stream& stream = idle();
  stream.last_sent = false;
  stream.on_message = std::move(on_message);
  stream.on_end = [on_end = std::move(on_end)](const std::string& why, std::string_view) { on_end(why); };
  start(method, stream);
  opened_[stream.id] = &stream;
  return stream.id;
}

void Channel::send(StreamId id, std::string_view framed) {
  const auto found = opened_.find(id);
  if (found == opened_.end()) return;
  found->second->outgoing.append(framed);
  // It fails if the stream is not waiting: then it goes on anyway.
  nghttp2_session_resume_data(session_.get(), id);
  gathered();
}

void Channel::flush() {
  const std::uint8_t* frame = nullptr;
  while (const ssize_t length = nghttp2_session_mem_send(session_.get(), &frame)) {
    require(length);
    outgoing_.append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(length));
  }
  if (outgoing_.empty()) return;
  socket_.send(outgoing_);
  outgoing_.clear();
}

void Channel::receive() {
  const std::string_view arrived = socket_.receive();
  require(nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(arrived.data()),
                                   arrived.size()));
  if (nghttp2_session_want_write(session_.get()) != 0) gathered();  // what HTTP/2 answers by itself
  if (leaving_) throw std::runtime_error("a server is going away");
  if (nghttp2_session_want_read(session_.get()) == 0)
    throw std::runtime_error("HTTP/2: a connection has ended");
}

}  // namespace holdfast::bench::etcd
