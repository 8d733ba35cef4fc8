#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "raft/core.h"

/// A bench to put cores on: it carries their messages and completes their writes when told to, at once or
/// step by step. Nothing happens that the test did not ask for.
namespace holdfast::raft::bench {

constexpr milliseconds kElectionTimeout{1000};
constexpr milliseconds kHeartbeat{100};

inline Instant at(std::int64_t ms) { return Instant(milliseconds(ms)); }
inline MemberId id(std::uint64_t number) { return MemberId(number); }
/// Of the member's data directory, on record in every membership made here.
std::string data_id_of(std::uint64_t number);
Member member(std::uint64_t number);
Membership voters(std::uint64_t count, std::uint64_t learners = 0);
Options options_for(std::uint64_t self);
/// One command entry of each term given, at indexes from `first` on.
std::vector<Entry> entries_of(const std::vector<std::uint64_t>& terms, std::uint64_t first = 1);
std::vector<Blob> commands(const std::vector<std::string>& texts);
/// A follower has the log up to there.
inline AppendReply accepted(std::uint64_t index, std::uint64_t round = 0) {
  return {true, Index(index), Index(), Term(), round};
}

/// A restored member of `count` voters, its log made of one entry of each term.
Restored restored_with(std::uint64_t count, const std::vector<std::uint64_t>& log_terms,
                       std::uint64_t term = 0);

/// One core alone, looked at from outside: what it says is collected, its writes complete on request.
class Single {
 public:
  explicit Single(Restored restored, Options options = options_for(1));

  Output step(Input input);
  Output receive(std::uint64_t from, std::uint64_t term, Body body);
  /// Completes every write handed out so far. Returns: what was sent because of it.
  std::vector<Message> persist();
  /// Lets time pass to its deadline and ticks.
  Output tick();
  void pass(Duration time) { now += time; }

  /// Through pre-vote and vote, with every voter's help, to a leader with a durable no-op.
  void become_leader();

  Instant now = at(0);
  std::uint64_t self;
  Core core;
  std::deque<Persist> writes;
  std::vector<Message> sent;  ///< everything that left, in order
  std::vector<Entry> committed;
  std::vector<Entry> stored;  ///< what a disk would have
  HardState stored_state;
};

/// Several cores and the network and disks between them.
class Cluster {
 public:
  explicit Cluster(std::uint64_t count, std::uint64_t learners = 0);
  Cluster(Cluster&&) = default;

  Single& operator[](std::uint64_t member) { return *members_.at(member); }
  /// Replaces one member by a restarted one with this on its disk.
  void restart(std::uint64_t member, Restored restored);

  /// Completes writes and delivers messages until nothing is under way.
  void settle();
  /// As `member` times out; then everything settles.
  void campaign(std::uint64_t member);
  /// Everybody's time passes, with ticks, in small steps, settling each.
  void pass(Duration time);
  void propose(std::uint64_t member, const std::string& text);

  void cut(std::uint64_t a, std::uint64_t b);
  void isolate(std::uint64_t member);
  void heal() { cut_.clear(); }

  std::optional<std::uint64_t> leader() const;

 private:
  bool deliver_one_round();

  std::map<std::uint64_t, std::unique_ptr<Single>> members_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> cut_;
};

/// The messages of one kind.
template <typename T>
std::vector<std::pair<std::uint64_t, T>> of_kind(const std::vector<Message>& messages) {
  std::vector<std::pair<std::uint64_t, T>> found;
  for (const Message& message : messages)
    if (const auto* body = std::get_if<T>(&message.body)) found.emplace_back(message.to.value(), *body);
  return found;
}

}  // namespace holdfast::raft::bench
