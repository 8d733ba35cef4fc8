#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <cstring>

#include "base/random.h"
#include "net/listener.h"
#include "peer/codec.h"
#include "tests/peer/cluster.h"

namespace holdfast::peer::test {
namespace {

/// Members 1 and 3 talk; member 2 is away, and a stranger at the door of member 1 pretends to be it.
struct Besieged {
  Besieged() {
    for (Member* member : {&one, &three}) {
      member->self = identity(member == &one ? 1 : 3);
      member->open(loop);
    }
    const Peer away{MemberId(2), "n2", Endpoint{"127.0.0.1", 1}};
    one.start({away, three.as_peer()});
    three.start({one.as_peer(), away});
    run_until(loop, [&] { return one.connected.size() == 1 && three.connected.size() == 1; });
  }

  asio::ip::tcp::socket dial() {
    asio::ip::tcp::socket socket(loop.io());
    const Endpoint& door = one.transport->endpoint();
    socket.connect(asio::ip::tcp::endpoint(asio::ip::make_address(door.host), door.port));
    socket.non_blocking(true);
    return socket;
  }
  /// Runs until the member has closed the connection. Returns: what it said first.
  std::string read_to_end(asio::ip::tcp::socket& socket) {
    std::string all;
    run_until(loop, [&] {
      std::string bytes(4096, '\0');
      asio::error_code error;
      bytes.resize(socket.read_some(asio::buffer(bytes), error));
      all += bytes;
      return error && error != asio::error::would_block;
    });
    return all;
  }
  void write(asio::ip::tcp::socket& socket, const std::string& bytes) {
    asio::error_code closed;  // the member may have had enough before all of it is there
    asio::write(socket, asio::buffer(bytes), closed);
  }
  /// What was there before still works.
  void check_alive() {
    const auto heard = one.received.size();
    three.transport->send(vote(three, one, 1));
    run_until(loop, [&] { return one.received.size() > heard; });
    CHECK(one.lost == 0);
  }

  net::EventLoop loop;
  Member one;
  Member three;
};

/// As member 2 would send it to member 1.
raft::Message vote_of_two(std::uint64_t term) {
  return raft::Message{MemberId(2), MemberId(1), Term(term),
                       raft::RequestVote{false, false, Index(term), Term(term)}};
}

std::string bytes_of(const Frame& frame) {
  return std::string(reinterpret_cast<const char*>(frame.begin()), frame.asBytes().size());
}

std::string good_hello() { return bytes_of(encode(hello_of(identity(2), MemberId(1)))); }

Refusal refusal_in(const std::string& bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(static_cast<void*>(words.begin()), bytes.data(), words.asBytes().size());
  const auto decoded = decode(words);
  REQUIRE(decoded);
  REQUIRE(std::holds_alternative<Refusal>(*decoded));
  return std::get<Refusal>(*decoded);
}

TEST_CASE("a stranger is refused with the reason that fits") {
  Besieged besieged;
  struct Case {
    Hello hello;
    RefusalReason reason;
  };
  Hello good = hello_of(identity(2), MemberId(1));
  std::vector<Case> cases(4, Case{good, RefusalReason::kOtherVersion});
  cases[0].hello.protocol_version = 2;
  cases[1] = {hello_of(identity(2, 8), MemberId(1)), RefusalReason::kWrongCluster};
  cases[2] = {hello_of(identity(4), MemberId(1)), RefusalReason::kUnknownMember};
  cases[3] = {hello_of(identity(2), MemberId(3)), RefusalReason::kWrongMember};
  for (const Case& one : cases) {
    auto socket = besieged.dial();
    besieged.write(socket, bytes_of(encode(one.hello)));
    const Refusal refusal = refusal_in(besieged.read_to_end(socket));
    CHECK(refusal.reason == one.reason);
    CHECK(refusal.explanation.find("n1") != std::string::npos);
  }
  CHECK(besieged.one.lines.count({"warn peer_refused"}) == cases.size());
}

TEST_CASE("a refused stranger learns why even if it talked on") {
  Besieged besieged;
  auto socket = besieged.dial();
  besieged.write(socket, bytes_of(encode(hello_of(identity(2, 8), MemberId(1)))) + std::string(2000, 'x'));
  CHECK(refusal_in(besieged.read_to_end(socket)).reason == RefusalReason::kWrongCluster);
}

TEST_CASE("what comes instead of a handshake ends the connection, unanswered") {
  Besieged besieged;
  const std::string message = bytes_of(encode(vote_of_two(1)));
  raft::AppendEntries append{Index(1), Term(1), {}, 0, {}, {}};
  append.entries.push_back({Term(1), Index(2), raft::EntryKind::kCommand, Blob(std::string(5000, 'e'))});
  const std::string large = bytes_of(encode(raft::Message{MemberId(2), MemberId(1), Term(1), append}));
  for (const std::string& bytes :
       {message, large, std::string(8, '\xff'), std::string("GET / HTTP/1.1\r\n\r\n"),
        bytes_of(encode(Refusal{RefusalReason::kWrongCluster, "no"}))}) {
    auto socket = besieged.dial();
    besieged.write(socket, bytes);
    CHECK(besieged.read_to_end(socket).empty());
  }
  CHECK(besieged.one.received.empty());
  besieged.check_alive();
}

TEST_CASE("a connection that never greets is closed at its deadline") {
  net::EventLoop loop;
  Member member;
  member.self = identity(1);
  member.timing.handshake_timeout = milliseconds(30);
  member.open(loop);
  member.start({});
  asio::ip::tcp::socket socket(loop.io());
  const Endpoint& door = member.transport->endpoint();
  socket.connect(asio::ip::tcp::endpoint(asio::ip::make_address(door.host), door.port));
  socket.non_blocking(true);
  run_until(loop, [&] {
    char byte = 0;
    asio::error_code error;
    socket.read_some(asio::buffer(&byte, 1), error);
    return error == asio::error::eof;
  });
  CHECK(member.lines.count({"peer_connection_closed", "no handshake in time"}) == 1);
}

TEST_CASE("strangers who say nothing do not keep a member out, however many they are") {
  Besieged world;
  std::vector<asio::ip::tcp::socket> strangers;
  for (int i = 0; i < 600; ++i) {
    strangers.push_back(world.dial());
    int turns = 0;
    run_until(world.loop, [&] { return ++turns > 2; });
  }
  auto member = world.dial();
  world.write(member, good_hello());
  std::string answer;
  run_until(world.loop, [&] {
    std::string bytes(4096, '\0');
    asio::error_code error;
    bytes.resize(member.read_some(asio::buffer(bytes), error));
    answer += bytes;
    return !answer.empty();
  });
  world.write(member, bytes_of(encode(vote_of_two(1))));
  run_until(world.loop, [&] { return !world.one.received.empty(); });
  world.check_alive();
}

TEST_CASE("a member that does not answer the handshake is given up and dialled again") {
  net::EventLoop loop;
  Member member;
  member.self = identity(1);
  member.timing.handshake_timeout = milliseconds(20);
  member.open(loop);
  int dialled = 0;
  std::vector<net::Socket> held;
  auto listener = net::Listener::open(loop, kAnyPort, {}, [&](net::Socket socket) {
    ++dialled;
    held.push_back(std::move(socket));
  });
  REQUIRE(listener);
  member.start({Peer{MemberId(2), "n2", (*listener)->endpoint()}});
  run_until(loop, [&] { return dialled == 3; });
  CHECK(member.connected.empty());
  CHECK(member.lost == 0);
  CHECK(member.lines.count({"peer_unreachable", "it did not answer the handshake"}) == 1);
}

TEST_CASE("messages that do not belong on a connection end it and are not delivered") {
  for (const auto& ids : {std::pair(MemberId(3), MemberId(1)), std::pair(MemberId(2), MemberId(9))}) {
    Besieged besieged;
    auto socket = besieged.dial();
    raft::Message forged = vote_of_two(66);
    forged.from = ids.first;
    forged.to = ids.second;
    besieged.write(socket, good_hello() + bytes_of(encode(forged)));
    besieged.read_to_end(socket);
    CHECK(besieged.one.lines.count({"peer_connection_closed", "peer=n2", "does not belong"}) == 1);
    CHECK(besieged.one.received.empty());
  }
}

TEST_CASE("a second handshake on a connection ends it") {
  Besieged besieged;
  auto socket = besieged.dial();
  besieged.write(socket, good_hello() + good_hello());
  besieged.read_to_end(socket);
  CHECK(besieged.one.lines.count({"peer_connection_closed", "it greeted twice"}) == 1);
}

TEST_CASE("a message that arrives a byte at a time is delivered") {
  Besieged besieged;
  auto socket = besieged.dial();
  const std::string bytes = good_hello() + bytes_of(encode(vote_of_two(42)));
  for (const char byte : bytes) {
    besieged.write(socket, std::string(1, byte));
    bool turned = false;
    besieged.loop.post([&turned] { turned = true; });
    run_until(besieged.loop, [&turned] { return turned; });
  }
  run_until(besieged.loop, [&] { return !besieged.one.received.empty(); });
  CHECK(besieged.one.received.front().term == Term(42));
}

TEST_CASE("a second connection of a member takes the place of its first") {
  Besieged besieged;
  auto first = besieged.dial();
  besieged.write(first, good_hello());
  auto second = besieged.dial();
  besieged.write(second, good_hello());
  besieged.read_to_end(first);
  besieged.write(second, bytes_of(encode(vote_of_two(5))));
  run_until(besieged.loop, [&] { return !besieged.one.received.empty(); });
}

TEST_CASE("garbage and cut frames end their connection and nothing else") {
  Besieged besieged;
  Random random(4711);
  const std::string message = bytes_of(encode(vote_of_two(7)));
  for (int round = 0; round < 150; ++round) {
    auto socket = besieged.dial();
    std::string bytes = random.chance(70) ? good_hello() : "";
    switch (random.below(3)) {
      case 0:  // bits flipped, also in the header
        bytes += message + message;
        for (int flips = 0; flips < 6; ++flips) {
          bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
        }
        break;
      case 1:  // cut
        bytes += message;
        bytes.resize(random.below(bytes.size()));
        break;
      default:  // anything at all
        for (std::uint64_t left = random.below(200); left > 0; --left) {
          bytes += static_cast<char>(random.next());
        }
    }
    besieged.write(socket, bytes);
    asio::error_code ignored;
    socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    besieged.read_to_end(socket);
  }
  besieged.check_alive();
}

}  // namespace
}  // namespace holdfast::peer::test
