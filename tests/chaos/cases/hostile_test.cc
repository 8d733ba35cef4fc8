#include <holdfast/client.h>
#include <schema/api.capnp.h>

#include <algorithm>
#include <array>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <vector>

#include "net/connect.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"
#include "tests/chaos/cases/ready_servers.h"
#include "tests/chaos/waiting.h"
#include "tests/sanitized.h"

/// Clients that mean harm, or are broken, at real servers: memory stays bounded, nobody is elected meanwhile,
/// and others are served.
namespace holdfast::chaos {

namespace {

using Socket = asio::ip::tcp::socket;

constexpr std::size_t kMiB = 1 << 20;

/// Three members, of which the leader is besieged.
struct Besieged : ReadyServers {
  asio::io_context io;
  const std::size_t leader = find_leader();
  const std::uint64_t term = present_term();
  const std::size_t memory_before = memory();

  Besieged() : ReadyServers(options()) {}

  static MembersOptions options() {
    MembersOptions all;
    // A loop that does nothing else for two seconds is found; a machine that builds beside the test is not.
    all.election_timeout = milliseconds(2000);
    all.heartbeat_interval = milliseconds(100);
    all.more_words = {"--handshake-timeout", "1s"};
    all.proxied = false;
    return all;
  }

  client::Client client() const {
    client::Options all;
    all.endpoints = members.own_endpoints();
    all.call_timeout = milliseconds(15'000);
    all.session_ttl = milliseconds(0);
    return client::Client(all);
  }
  /// As the members say that answer in time: on a machine that is slow just now that may be few of them.
  std::uint64_t present_term() const {
    std::optional<std::uint64_t> found;
    const auto find = [&] {
      const auto status = client().status();
      if (!status) return false;
      for (const auto& member : status->members) {
        if (member.role == "leader") found = member.term;
      }
      return found.has_value();
    };
    REQUIRE(wait_until(find, milliseconds(20'000)));
    return *found;
  }
  /// The leader's, resident.
  std::size_t memory() const {
    std::ifstream status("/proc/" + std::to_string(members.pid(leader)) + "/status");
    for (std::string word; status >> word;) {
      std::size_t kilobytes = 0;
      if (word == "VmRSS:" && status >> kilobytes) return kilobytes * 1024;
    }
    FAIL("the leader is gone");
    return 0;
  }
  Socket dial() {
    Socket socket(io);
    const auto door = *parse_endpoint(members.own_endpoint(leader));
    socket.connect(asio::ip::tcp::endpoint(asio::ip::make_address(door.host), door.port));
    socket.non_blocking(true);
    return socket;
  }
  /// Others write and read as if nothing were.
  void check_others_are_served() const {
    client::Client other = client();
    for (int i = 0; i < 20; ++i) {
      const std::string value = std::to_string(i);
      const auto written = other.put("other", value);
      INFO((written ? "" : written.error().message));
      REQUIRE(written);
      const auto got = other.get("other");
      REQUIRE(got);
      REQUIRE(got->entries.size() == 1);
      CHECK(got->entries[0].value == value);
    }
  }
  void check_unmoved(std::size_t most_growth) const {
    CHECK(present_term() == term);
    const std::size_t now = memory();
    const std::size_t growth = now > memory_before ? now - memory_before : 0;
    INFO("the leader grew by " << growth / kMiB << " MiB");
    CHECK((growth < most_growth || test::kSanitized));
    std::printf("hostile: memory grew by %zu MiB of at most %zu\n", growth / kMiB, most_growth / kMiB);
  }
};

/// Writes what the other side takes. Returns: false if the connection is over.
bool write_some(Socket& socket, const std::string& bytes, std::size_t& written) {
  asio::error_code error;
  while (written < bytes.size() && !error) {
    written += socket.write_some(asio::buffer(bytes.data() + written, bytes.size() - written), error);
  }
  return !error || error == asio::error::would_block;
}

bool is_closed(Socket& socket) {
  std::array<char, 4096> said{};  // why, perhaps
  asio::error_code error;
  while (!error) socket.read_some(asio::buffer(said), error);
  return error != asio::error::would_block;
}

/// The bytes of a client that calls without waiting for any answer: it speaks to a socket that says nothing.
std::string recorded(const std::function<void(schema::Holdfast::Client)>& ask) {
  net::EventLoop loop;
  asio::ip::tcp::acceptor acceptor(loop.io(), {asio::ip::make_address("127.0.0.1"), 0});
  const Endpoint door{"127.0.0.1", acceptor.local_endpoint().port()};
  net::RpcConnection connection(loop.run_until(net::connect(loop, door, milliseconds(5000))));
  Socket far = acceptor.accept();
  far.non_blocking(true);
  ask(connection.bootstrap().castAs<schema::Holdfast>());
  std::string all;
  bool more = true;
  while (more) {
    loop.run_until(loop.timer().afterDelay(5 * kj::MILLISECONDS));
    std::string bytes(kMiB, '\0');
    asio::error_code error;
    bytes.resize(far.read_some(asio::buffer(bytes), error));
    all += bytes;
    more = !bytes.empty() || connection.queued_bytes() > 0;
  }
  return all;
}

kj::ArrayPtr<const kj::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

/// Calls that nobody waits for; dropping them would send that they are not wanted any more.
template <typename Promise>
void never_mind(Promise promise, std::vector<Promise>& kept) {
  kept.push_back(kj::mv(promise));
}

void fill_range(schema::Config::Range0::Builder range, const std::string& begin, const std::string& end) {
  range.setBegin(bytes_of(begin));
  range.setEnd(bytes_of(end));
}

class Deaf final : public schema::Config::Watcher::Server {};

}  // namespace

TEST_CASE("clients that ask without end and never read their answers cost a bounded amount of memory") {
  Besieged world;
  constexpr int kClients = 8;
  constexpr int kCalls = 2000;
  REQUIRE(world.client().put("large", std::string(512 * 1024, 'x')));
  const std::string asked = recorded([](schema::Holdfast::Client door) {
    auto config = door.configRequest().send().getConfig();
    std::vector<capnp::RemotePromise<schema::Config::GetResults>> kept;
    for (int i = 0; i < kCalls; ++i) {
      auto request = config.getRequest();
      request.initCall().setTimeoutMs(60'000);
      fill_range(request.initGet().initRange(), "large", std::string("large\0", 6));
      never_mind(request.send(), kept);
    }
    for (auto& one : kept) one.detach([](kj::Exception&&) {});
  });
  std::vector<Socket> greedy;
  std::vector<std::size_t> written(kClients, 0);
  for (int i = 0; i < kClients; ++i) greedy.push_back(world.dial());
  // All of it, if the member takes it: together they ask for 8 GiB.
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < greedy.size(); ++i) write_some(greedy[i], asked, written[i]);
    world.check_others_are_served();
  }
  // Each may have its queue full, and as much again being answered.
  world.check_unmoved(kClients * 20 * kMiB + 64 * kMiB);
  greedy.clear();
  world.check_others_are_served();
}

TEST_CASE("watchers that never read what they asked for cost a bounded amount of memory") {
  Besieged world;
  constexpr int kClients = 8;
  constexpr int kWatches = 5;
  const std::string asked = recorded([](schema::Holdfast::Client door) {
    auto config = door.configRequest().send().getConfig();
    std::vector<capnp::RemotePromise<schema::Config::WatchResults>> kept;
    for (int i = 0; i < kWatches; ++i) {
      auto request = config.watchRequest();
      request.setWatcher(kj::heap<Deaf>());
      fill_range(request.initRange(), "w", "x");
      never_mind(request.send(), kept);
    }
    for (auto& one : kept) one.detach([](kj::Exception&&) {});
  });
  std::vector<Socket> deaf;
  for (int i = 0; i < kClients; ++i) {
    deaf.push_back(world.dial());
    std::size_t written = 0;
    while (written < asked.size()) REQUIRE(write_some(deaf.back(), asked, written));
  }
  // 40 watchers, 24 MiB each, were it kept for them.
  client::Client writer = world.client();
  const std::string value(64 * 1024, 'v');
  for (int i = 0; i < 384; ++i) REQUIRE(writer.put("w" + std::to_string(i % 8), value));
  world.check_others_are_served();
  world.check_unmoved(kClients * kWatches * 2 * kMiB + 128 * kMiB);
}

TEST_CASE(
    "thousands of connections that say nothing, or a byte now and then, keep nobody out and are closed") {
  Besieged world;
  std::vector<Socket> idle;
  for (int i = 0; i < 3000; ++i) idle.push_back(world.dial());
  std::size_t rounds = 0;
  const auto all_closed = [&] {
    // The first few send a frame a byte at a time: a header for one segment of 256 KiB, which never comes.
    const std::string header("\0\0\0\0\0\x80\0\0", 8);
    for (std::size_t i = 0; i < 50; ++i) {
      asio::error_code closed;
      idle[i].write_some(asio::buffer(header.data() + rounds % header.size(), 1), closed);
    }
    ++rounds;
    world.check_others_are_served();
    return std::all_of(idle.begin(), idle.end(), [](Socket& one) { return is_closed(one); });
  };
  world.check_others_are_served();
  CHECK(wait_until(all_closed, milliseconds(30'000)));
  world.check_unmoved(128 * kMiB);
}

TEST_CASE("frames that are too large, and bytes that are no frames, end their connection and nothing else") {
  Besieged world;
  const std::vector<std::string> bad = {
      std::string("\0\0\0\0\0\0\0\x7f", 8),  // a segment of many gigabytes
      std::string("\0\0\0\0\0\0\x10\0", 8),  // one of 8 MiB
      std::string(8, '\xff'),                // as many segments as there can be
      std::string("\xff\0\0\0", 4) + std::string(1100, '\0'),
      "GET / HTTP/1.1\r\nHost: holdfast\r\n\r\n",
      std::string("\0\0\0\0\x01\0\0\0", 8) + std::string(8, '\xee'),
  };
  for (const std::string& bytes : bad) {
    std::vector<Socket> sent;
    for (int times = 0; times < 50; ++times) {
      sent.push_back(world.dial());
      std::size_t written = 0;
      write_some(sent.back(), bytes, written);
    }
    const auto all_closed = [&] { return std::all_of(sent.begin(), sent.end(), is_closed); };
    CHECK(wait_until(all_closed, milliseconds(10'000)));
  }
  client::Client client = world.client();
  const auto refused = client.put("k", std::string(kMiB + 1, 'v'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == client::Errc::kLimitExceeded);
  CHECK(refused.error().message.find("kMaxValueBytes") != std::string::npos);
  world.check_others_are_served();
  world.check_unmoved(64 * kMiB);
}

}  // namespace holdfast::chaos
