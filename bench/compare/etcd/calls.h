#pragma once

#include <bench/compare/etcd/etcd.pb.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "bench/compare/etcd/channel.h"
#include "bench/compare/etcd/messages.h"

/// Calls and streams of etcd's messages.
namespace holdfast::bench::etcd {

namespace pb = etcdserverpb;

/// Told the answer, or why there is none.
template <typename Reply>
using Then = std::function<void(const std::string& why, const Reply& reply)>;

inline constexpr const char* kNotUnderstood = "an answer is not what was agreed";

template <typename Request>
std::string framed(const Request& request) {
  const std::size_t length = request.ByteSizeLong();
  std::string text(kPrefixBytes + length, '\0');
  write_prefix(text.data(), length);
  request.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(text.data() + kPrefixBytes));
  return text;
}

template <typename Reply>
bool parse(Reply& reply, std::string_view message) {
  return reply.ParseFromArray(message.data(), static_cast<int>(message.size()));
}

/// One call: a request and an answer.
template <typename Reply, typename Request>
void call(Channel& channel, std::string_view method, const Request& request, Then<Reply> then) {
  channel.call(method, framed(request),
               [then = std::move(then)](const std::string& why, std::string_view answer) {
                 Reply reply;
                 if (why.empty() && !parse(reply, answer)) return then(kNotUnderstood, reply);
                 then(why, reply);
               });
}

/// A stream of requests and a stream of answers. The channel goes first.
template <typename Request, typename Reply>
class Stream {
 public:
  /// Told each answer; nullptr: the stream has ended, or speaks of something else.
  using OnReply = std::function<void(const Reply*)>;

  Stream(Channel& channel, std::string_view method, OnReply on_reply)
      : channel_(channel),
        on_reply_(std::move(on_reply)),
        id_(channel.open(
            method, [this](std::string_view message) { take(message); },
            [this](const std::string&) { on_reply_(nullptr); })) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void send(const Request& request) { channel_.send(id_, framed(request)); }

 private:
  void take(std::string_view message) { on_reply_(parse(reply_, message) ? &reply_ : nullptr); }

  Channel& channel_;
  const OnReply on_reply_;
  Reply reply_;  // one for all, as its parts are used again
  const Channel::StreamId id_;
};

}  // namespace holdfast::bench::etcd
