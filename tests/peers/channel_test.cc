#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/compare/etcd/channel.h"
#include "bench/compare/etcd/messages.h"
#include "tests/peers/http2_server.h"

using namespace holdfast::bench::etcd;

namespace {

constexpr const char* kMethod = "/a.Service/Method";
const Http2Server::Headers kOk{{"grpc-status", "0"}};

std::string framed(const std::string& message) {
  std::string text(kPrefixBytes, '\0');
  write_prefix(text.data(), message.size());
  return text + message;
}

std::array<int, 2> connected() {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  return ends;
}

/// A channel and whom it speaks with.
struct Conversation {
  explicit Conversation(std::array<int, 2> ends = connected())
      : channel(ends[0], "somewhere"), server(ends[1]) {}

  /// Until neither has more to say: a large answer takes some turns.
  void turns() {
    for (int turn = 0; turn < 100; ++turn) {
      channel.flush();
      server.turn();
      channel.receive();
    }
  }
  std::int32_t last_stream() const {
    REQUIRE(!server.requests().empty());
    return server.requests().back().stream;
  }

  Channel channel;
  Http2Server server;
};

struct Outcome {
  std::string why;
  std::string answer;
};

/// A call that the server has got.
struct Asked {
  Asked() {
    talk.channel.call(kMethod, framed("question"), [this](const std::string& why, std::string_view answer) {
      outcome = Outcome{why, std::string(answer)};
    });
    talk.turns();
    stream = talk.last_stream();
    REQUIRE_FALSE(outcome);
  }
  /// Why the call failed, once the server has done what the test said.
  std::string why() {
    talk.turns();
    REQUIRE(outcome);
    return outcome->why;
  }

  Conversation talk;
  std::int32_t stream = 0;
  std::optional<Outcome> outcome;
};

}  // namespace

TEST_CASE("a call arrives whole, and its answer comes back") {
  Asked asked;
  const Http2Server::Request& request = asked.talk.server.requests().front();
  CHECK(request.path == kMethod);
  CHECK(request.body == framed("question"));
  CHECK(request.ended);
  asked.talk.server.answer(asked.stream, framed("answer"), kOk);
  CHECK(asked.why().empty());
  CHECK(asked.outcome->answer == "answer");
}

TEST_CASE("an answer far beyond the windows that HTTP/2 begins with comes as a whole") {
  Asked asked;
  const std::string large(4 << 20, 'x');
  asked.talk.server.answer(asked.stream, framed(large), kOk);
  CHECK(asked.why().empty());
  CHECK(asked.outcome->answer == large);
}

TEST_CASE("a status of gRPC's other than 0 is why a call failed, with or without an answer") {
  Asked asked;
  asked.talk.server.answer(asked.stream, framed("half"),
                           {{"grpc-status", "14"}, {"grpc-message", "no leader"}});
  CHECK(asked.why() == "gRPC's status 14: no leader");

  Asked refused;
  refused.talk.server.answer_head(refused.stream, {{":status", "200"}, {"grpc-status", "8"}});
  CHECK(refused.why() == "gRPC's status 8");
}

TEST_CASE("an answer without a status of gRPC's has failed") {
  Asked asked;
  asked.talk.server.answer_head(asked.stream, {{":status", "503"}});
  CHECK(asked.why() == "an answer without a status of gRPC's, HTTP's is 503");
}

TEST_CASE("a call whose stream is reset has failed") {
  Asked asked;
  asked.talk.server.reset(asked.stream, NGHTTP2_REFUSED_STREAM);
  CHECK(asked.why() == "a stream was ended: REFUSED_STREAM");
}

TEST_CASE("a call that has no answer, two, half of one or a compressed one has failed, whatever its status") {
  for (const std::string& body : {std::string(), framed("one") + framed("two"), framed("cut").substr(0, 6),
                                  std::string("\1\0\0\0\1x", 6)}) {
    Asked asked;
    asked.talk.server.answer(asked.stream, body, kOk);
    CHECK_FALSE(asked.why().empty());
  }
}

TEST_CASE("a server that is going away, or gone, ends the connection") {
  Asked asked;
  asked.talk.server.go_away();
  CHECK_THROWS_AS(asked.talk.turns(), std::runtime_error);

  Asked alone;
  alone.talk.server.close();
  CHECK_THROWS_AS(alone.talk.channel.receive(), std::runtime_error);
}

TEST_CASE("many calls travel at once, and each gets its own answer") {
  constexpr std::size_t kCalls = 500;
  Conversation talk;
  talk.turns();  // greetings: until then a client may have 100 streams at most
  std::vector<std::string> answers(kCalls);
  for (std::size_t call = 0; call < kCalls; ++call) {
    talk.channel.call(kMethod, framed(std::to_string(call)),
                      [&answers, call](const std::string& why, std::string_view answer) {
                        answers[call] = why + std::string(answer);
                      });
  }
  talk.turns();
  REQUIRE(talk.server.requests().size() == kCalls);
  for (const auto& request : talk.server.requests()) talk.server.answer(request.stream, request.body, kOk);
  talk.turns();
  for (std::size_t call = 0; call < kCalls; ++call) CHECK(answers[call] == std::to_string(call));
}

TEST_CASE("a stream carries messages in both directions whenever there are some, until it ends") {
  Conversation talk;
  std::vector<std::string> told;
  std::optional<std::string> ended;
  const auto stream = talk.channel.open(
      kMethod, [&told](std::string_view message) { told.emplace_back(message); },
      [&ended](const std::string& why) { ended = why; });
  talk.channel.send(stream, framed("first"));
  talk.turns();
  talk.channel.send(stream, framed("second"));
  talk.channel.send(stream, framed("third"));
  talk.turns();
  CHECK(talk.server.requests().front().body == framed("first") + framed("second") + framed("third"));
  CHECK_FALSE(talk.server.requests().front().ended);

  talk.server.begin(stream, framed("one"));
  talk.turns();
  talk.server.tell(stream, framed("two") + framed("three"));
  talk.turns();
  CHECK(told == std::vector<std::string>{"one", "two", "three"});
  CHECK_FALSE(ended);

  talk.server.reset(stream, NGHTTP2_NO_ERROR);
  talk.turns();
  CHECK(ended);
  talk.channel.send(stream, framed("too late"));
  CHECK_NOTHROW(talk.turns());
}
