#include "tests/peers/http2_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <utility>

namespace {

std::vector<nghttp2_nv> listed(const Http2Server::Headers& headers) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : headers) {
    list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

const Http2Server::Headers kHead{{":status", "200"}, {"content-type", "application/grpc"}};

}  // namespace

struct Http2Server::Callbacks {
  static Request& request(void* user, std::int32_t stream) {
    auto& all = static_cast<Http2Server*>(user)->requests_;
    const auto found =
        std::find_if(all.begin(), all.end(), [stream](const Request& one) { return one.stream == stream; });
    return found == all.end() ? all.emplace_back(Request{stream, {}, {}, false}) : *found;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                       std::uint8_t, void* user) {
    const std::string key(reinterpret_cast<const char*>(name), name_length);
    Request& asked = request(user, frame->hd.stream_id);
    if (key == ":path") asked.path.assign(reinterpret_cast<const char*>(value), value_length);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                     std::size_t length, void* user) {
    request(user, stream).body.append(reinterpret_cast<const char*>(data), length);
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool of_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (of_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      request(user, frame->hd.stream_id).ended = true;
    return 0;
  }

  static ssize_t read(nghttp2_session* session, std::int32_t stream, std::uint8_t* to, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source* source, void*) {
    Body& body = *static_cast<Body*>(source->ptr);
    const std::size_t length = std::min(room, body.rest.size());
    std::memcpy(to, body.rest.data(), length);
    body.rest.erase(0, length);
    if (!body.rest.empty()) return static_cast<ssize_t>(length);
    if (!body.last && length == 0) return NGHTTP2_ERR_DEFERRED;
    if (!body.last) return static_cast<ssize_t>(length);
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const auto trailers = listed(body.trailers);
    nghttp2_submit_trailer(session, stream, trailers.data(), trailers.size());
    return static_cast<ssize_t>(length);
  }

  static nghttp2_session* session_of(Http2Server* server) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session* session = nullptr;
    nghttp2_session_server_new(&session, callbacks, server);
    nghttp2_session_callbacks_del(callbacks);
    return session;
  }
};

Http2Server::Http2Server(int connected)
    : descriptor_(connected), session_(Callbacks::session_of(this), nghttp2_session_del) {
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, nullptr, 0);
}

Http2Server::~Http2Server() { close(); }

void Http2Server::turn() {
  std::array<std::uint8_t, 64 * 1024> piece;
  while (true) {
    const ssize_t length = recv(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (length <= 0) break;
    REQUIRE(nghttp2_session_mem_recv(session_.get(), piece.data(), static_cast<std::size_t>(length)) ==
            length);
  }
  const std::uint8_t* frame = nullptr;
  while (const ssize_t length = nghttp2_session_mem_send(session_.get(), &frame)) {
    REQUIRE(length > 0);
    outgoing_.append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(length));
  }
  const ssize_t sent = send(descriptor_, outgoing_.data(), outgoing_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) outgoing_.erase(0, static_cast<std::size_t>(sent));
}

void Http2Server::answer(std::int32_t stream, std::string body, const Headers& trailers) {
  begin(stream, std::move(body));
  bodies_[stream].last = true;
  bodies_[stream].trailers = trailers;
}

void Http2Server::begin(std::int32_t stream, std::string body) {
  bodies_[stream].rest = std::move(body);
  nghttp2_data_provider provider{};
  provider.source.ptr = &bodies_[stream];
  provider.read_callback = Callbacks::read;
  const auto head = listed(kHead);
  REQUIRE(nghttp2_submit_response(session_.get(), stream, head.data(), head.size(), &provider) == 0);
}

void Http2Server::tell(std::int32_t stream, const std::string& more) {
  bodies_[stream].rest += more;
  nghttp2_session_resume_data(session_.get(), stream);
}

void Http2Server::answer_head(std::int32_t stream, const Headers& headers) {
  const auto head = listed(headers);
  REQUIRE(nghttp2_submit_response(session_.get(), stream, head.data(), head.size(), nullptr) == 0);
}

void Http2Server::reset(std::int32_t stream, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, code);
}

void Http2Server::go_away() { nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR); }

void Http2Server::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}
