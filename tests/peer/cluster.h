#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/event_loop.h"
#include "peer/transport.h"

/// Members on loopback, on one loop.
namespace holdfast::peer::test {

inline const Endpoint kAnyPort{"127.0.0.1", 0};
constexpr milliseconds kSoon{5000};  // a bound that only a broken test reaches

/// Runs the loop until `done` says so; fails the test if it never does.
inline void run_until(net::EventLoop& loop, const std::function<bool()>& done) {
  const Instant give_up = loop.now() + kSoon;
  while (!done()) {
    if (loop.now() > give_up) {
      FAIL("what the test waits for never came");
    }
    auto turn = kj::newPromiseAndFulfiller<void>();
    loop.post([fulfiller = kj::mv(turn.fulfiller)]() mutable { fulfiller->fulfill(); });
    loop.run_until(kj::mv(turn.promise));
  }
}

/// Keeps the lines, as "event key=value ...".
class Lines final : public LogSink {
 public:
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override {
    std::string line = (level == LogLevel::kWarn ? "warn " : "") + std::string(event);
    for (const auto& field : fields) {
      line += " " + std::string(field.key) + "=" + field.value;
    }
    lines.push_back(std::move(line));
  }
  /// Lines that contain all of `parts`.
  std::size_t count(const std::vector<std::string>& parts) const {
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return std::all_of(parts.begin(), parts.end(),
                         [&](const std::string& part) { return line.find(part) != std::string::npos; });
    }));
  }

  std::vector<std::string> lines;
};

/// Pauses short enough for a test that has to wait for them.
inline Timing quick() {
  Timing timing;
  timing.least_pause = milliseconds(2);
  timing.most_pause = milliseconds(10);
  return timing;
}

struct Member {
  Member() = default;
  /// It listens.
  Member(net::EventLoop& loop, Identity as) : self(std::move(as)) { open(loop); }

  Identity self;
  Timing timing = quick();
  std::size_t max_queue_bytes = 16 * limits::kMiB;
  Lines lines;

  std::unique_ptr<Transport> transport;
  std::vector<raft::Message> received;
  std::map<MemberId, std::string> connected;
  std::map<MemberId, std::string> data_ids;
  std::map<MemberId, std::uint16_t> levels;
  std::map<MemberId, std::string> refused;
  int lost = 0;

  void open(net::EventLoop& loop, const Endpoint& listen = kAnyPort) {
    Options options;
    options.self = self;
    options.listen = listen;
    options.timing = timing;
    options.max_queue_bytes = max_queue_bytes;
    options.seed = self.member.value();
    auto opened = Transport::open(loop, std::move(options), lines);
    REQUIRE(opened);
    transport = std::move(*opened);
  }
  void start(std::vector<Peer> peers) {
    transport->set_peers(std::move(peers));
    Events events;
    events.received = [this](raft::Message message) { received.push_back(std::move(message)); };
    events.connected = [this](MemberId member, std::string endpoint, std::string data_id,
                              std::uint16_t level) {
      levels[member] = level;
      connected[member] = std::move(endpoint);
      data_ids[member] = std::move(data_id);
      refused.erase(member);
    };
    events.lost = [this](MemberId member) {
      connected.erase(member);
      ++lost;
    };
    events.refused = [this](MemberId member, std::string reason) { refused[member] = std::move(reason); };
    transport->start(std::move(events), self.data_id);
  }
  Peer as_peer() const { return Peer{self.member, self.name, transport->endpoint()}; }
};

inline Identity identity(std::uint64_t number, std::uint64_t cluster = 7) {
  return Identity{ClusterId(cluster), MemberId(number), "n" + std::to_string(number),
                  "10.0.0." + std::to_string(number) + ":2379", "data-" + std::to_string(number)};
}

inline raft::Message vote(const Member& from, const Member& to, std::uint64_t term) {
  return raft::Message{from.self.member, to.self.member, Term(term),
                       raft::RequestVote{false, false, Index(term), Term(term)}};
}

/// Members 1..count, connected all to all.
struct Cluster {
  explicit Cluster(std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) {
      members.push_back(std::make_unique<Member>(loop, identity(i)));
    }
    for (auto& member : members) {
      member->start(peers_of(*member));
    }
    run_until(loop, [&] { return all_connected(); });
  }
  std::vector<Peer> peers_of(const Member& self) const {
    std::vector<Peer> peers;
    for (const auto& member : members) {
      if (member.get() != &self) {
        peers.push_back(member->as_peer());
      }
    }
    return peers;
  }
  bool all_connected() const {
    return std::all_of(members.begin(), members.end(),
                       [&](const auto& member) { return member->connected.size() + 1 == members.size(); });
  }
  Member& operator[](std::size_t number) { return *members.at(number - 1); }

  net::EventLoop loop;
  std::vector<std::unique_ptr<Member>> members;
};

}  // namespace holdfast::peer::test
