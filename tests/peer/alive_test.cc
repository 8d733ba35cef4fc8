#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include "net/alarm.h"
#include "net/framed_stream.h"
#include "net/listener.h"
#include "peer/codec.h"
#include "tests/peer/cluster.h"

/// Connections that both kernels believe in although nothing gets through them any more.
namespace holdfast::peer::test {
namespace {

using Socket = asio::ip::tcp::socket;

constexpr milliseconds kInterval{10};

std::string bytes_of(const Frame& frame) {
  return std::string(reinterpret_cast<const char*>(frame.begin()), frame.asBytes().size());
}

Member member_one() {
  Member member;
  member.self = identity(1);
  member.timing.alive_interval = kInterval;
  return member;
}

/// Takes what has arrived. Returns: false at the connection's end.
bool read(Socket& socket, std::string& all) {
  std::string bytes(4096, '\0');
  asio::error_code error;
  bytes.resize(socket.read_some(asio::buffer(bytes), error));
  all += bytes;
  return !error || error == asio::error::would_block;
}

/// Member 2, played by the test: it has dialled member 1 and greeted.
Socket dial_as_two(net::EventLoop& loop, const Member& one) {
  Socket socket(loop.io());
  const Endpoint& door = one.transport->endpoint();
  socket.connect(asio::ip::tcp::endpoint(asio::ip::make_address(door.host), door.port));
  socket.non_blocking(true);
  asio::write(socket, asio::buffer(bytes_of(encode(hello_of(identity(2), MemberId(1))))));
  return socket;
}

const Peer kTwoIsAway{MemberId(2), "n2", Endpoint{"127.0.0.1", 1}};

/// Member 2, played by the test: it greets whoever dials, and then says what it is given.
class PlayedTwo {
 public:
  PlayedTwo(net::EventLoop& loop, std::function<void(net::FramedStream&)> and_then) {
    auto listener =
        net::Listener::open(loop, kAnyPort, {}, [this, and_then = std::move(and_then)](net::Socket socket) {
          accepted_.push_back(
              std::make_unique<net::FramedStream>(std::move(socket), net::FramedStreamOptions{}));
          static_cast<void>(accepted_.back()->send(encode(hello_of(identity(2), MemberId(1)))));
          and_then(*accepted_.back());
        });
    REQUIRE(listener);
    listener_ = std::move(*listener);
  }
  Peer as_peer() const { return {MemberId(2), "n2", listener_->endpoint()}; }
  std::size_t dialled() const { return accepted_.size(); }

 private:
  std::vector<std::unique_ptr<net::FramedStream>> accepted_;
  std::unique_ptr<net::Listener> listener_;
};

TEST_CASE("a member that takes everything and gives no sign of life is lost, and dialled again") {
  net::EventLoop loop;
  Member one = member_one();
  one.open(loop);
  PlayedTwo two(loop, [](net::FramedStream& stream) { stream.when_readable([] {}); });
  one.start({two.as_peer()});
  run_until(loop, [&] { return two.dialled() == 3; });
  CHECK(one.lost == 2);
  CHECK(one.lines.count({"peer_lost", "peer=n2", "it gave no sign of life"}) == 2);
}

TEST_CASE("a member that dialled and then says nothing for long is closed") {
  net::EventLoop loop;
  Member one = member_one();
  one.open(loop);
  one.start({kTwoIsAway});
  Socket two = dial_as_two(loop, one);
  std::string heard;
  run_until(loop, [&] { return !read(two, heard); });
  CHECK(one.lines.count({"peer_connection_closed", "peer=n2", "it gave no sign of life"}) == 1);
}

TEST_CASE("a large message that takes many intervals to arrive is a sign of life all the while") {
  net::EventLoop loop;
  Member one = member_one();
  one.open(loop);
  one.start({kTwoIsAway});
  Socket two = dial_as_two(loop, one);
  raft::AppendEntries append{Index(1), Term(1), {}, 0, {}, {}};
  append.entries.push_back({Term(1), Index(2), raft::EntryKind::kCommand, Blob(std::string(100, 'e'))});
  const std::string message = bytes_of(encode(raft::Message{MemberId(2), MemberId(1), Term(1), append}));
  std::string heard;
  net::Alarm alarm(loop);
  std::size_t sent = 0;
  // A few bytes at a time, over many times the silence that ends a connection.
  const std::size_t piece = message.size() / (4 * kMostSilentIntervals);
  std::function<void()> send_more = [&] {
    asio::write(two, asio::buffer(message.substr(sent, piece)));
    sent = std::min(sent + piece, message.size());
    if (sent < message.size()) alarm.set_after(kInterval, send_more);
  };
  send_more();
  run_until(loop, [&] { return !read(two, heard) || !one.received.empty(); });
  REQUIRE(one.received.size() == 1);
  CHECK(heard.find(bytes_of(encode(Alive{}))) != std::string::npos);
}

TEST_CASE("members that have nothing to say to each other stay connected") {
  net::EventLoop loop;
  Member one = member_one();
  Member two;
  two.self = identity(2);
  two.timing.alive_interval = kInterval;
  one.open(loop);
  two.open(loop);
  one.start({two.as_peer()});
  two.start({one.as_peer()});
  run_until(loop, [&] { return one.connected.size() == 1 && two.connected.size() == 1; });
  const Instant end = loop.now() + 10 * kMostSilentIntervals * Duration(kInterval);
  run_until(loop, [&] { return loop.now() > end; });
  CHECK(one.lost + two.lost == 0);
}

TEST_CASE("who answers with anything but signs of life is given up") {
  net::EventLoop loop;
  Member one = member_one();
  one.open(loop);
  PlayedTwo two(loop, [](net::FramedStream& stream) {
    static_cast<void>(stream.send(encode(Alive{})));
    static_cast<void>(stream.send(encode(raft::Message{MemberId(2), MemberId(1), Term(1),
                                                       raft::RequestVote{false, false, Index(1), Term(1)}})));
  });
  one.start({two.as_peer()});
  run_until(loop, [&] { return one.lost == 1; });
  CHECK(one.lines.count({"peer_lost", "it sent something where it only listens"}) == 1);
  CHECK(one.received.empty());
}

}  // namespace
}  // namespace holdfast::peer::test
