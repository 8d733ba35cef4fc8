#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "raft/inputs.h"
#include "raft/messages.h"
#include "raft/outputs.h"
#include "raft/types.h"

/// Consensus as a pure state machine: no clock, thread, socket, file or randomness of its own. Everything
/// that happens comes in as an Input; everything to be done goes out as an Output. docs/RAFT.md lists both.
namespace holdfast::raft {

struct Options {
  MemberId self;
  Duration election_timeout = milliseconds(1000);  ///< drawn anew from [1x, 1.5x) each time
  Duration heartbeat_interval = milliseconds(100);
  Duration commit_news_delay{0};  ///< for so long a commit waits for entries that carry the news of it
  /// The UUID of this member's data directory; see docs/RAFT.md, "Data ids".
  std::string data_id;
  std::size_t max_append_bytes = 1 << 20;     ///< of entries in a message; one entry may exceed it
  std::size_t max_appends_in_flight = 64;     ///< AppendEntries with entries, per follower
  std::size_t max_bytes_in_flight = 8 << 20;  ///< of entries, per follower; the last message may exceed it
  std::size_t max_uncommitted_bytes = 64
                                      << 20;  ///< of entries at the leader; beyond it proposals are refused
  std::uint64_t promotion_lag = 1000;         ///< entries that a learner to be promoted may be behind
  std::uint64_t seed = 1;
};

/// What a member finds on its disk when it starts.
struct Restored {
  HardState hard_state;
  Membership membership;  ///< in force at base_index: of the founders, or of the image that was installed
  Index base_index;       ///< the last compacted entry; zero if none
  Term base_term;
  std::vector<Entry> entries;  ///< those after it
  Index applied;  ///< already in the image: base_index <= applied; committed entries up to it are not given
                  ///< again
};

/// How a leader sends to one other member. Ref: docs/RAFT.md, "The leader's view of a follower"
enum class Pace : std::uint8_t {
  kProbe,          ///< one message at a time, until it is known where the logs match
  kReplicate,      ///< pipelined
  kNeedsSnapshot,  ///< what it needs next was compacted here
};

/// What a leader knows of one other member.
struct FollowerStatus {
  MemberId id;
  Pace pace = Pace::kProbe;
  Index match;                      ///< it durably has the leader's log up to here
  Index next;                       ///< what it is sent next
  std::size_t in_flight = 0;        ///< messages
  std::size_t bytes_in_flight = 0;  ///< of entries
  Instant last_heard;
};

/// What an observer may know of a member.
struct Status {
  Role role = Role::kFollower;
  Term term;
  MemberId leader;
  Index commit;
  Index last;
  Index durable;
  /// A leader's: its own term's no-op is committed, so reads and proposals are complete.
  bool own_term_committed = false;
  bool transferring = false;
};

struct Replica;

class Core {
 public:
  /// Requires: restored.base_index <= restored.applied <= the last restored entry, and the entries are
  /// consecutive from base_index + 1 on.
  Core(const Options& options, Restored restored, Instant now);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// The only way in. Requires: `now` does not go back.
  [[nodiscard]] Output step(Instant now, Input input);

  /// When step(Tick) is due next.
  Instant deadline() const;
  Status status() const;
  /// A leader's view of the others, in the order of the membership; empty on any other member.
  std::vector<FollowerStatus> followers() const;
  /// The one in force: of the newest membership entry in the log, committed or not, else of the base.
  const Membership& membership() const;
  /// Where it comes from; the base if no entry changed it since. It is settled once this is committed.
  Index membership_index() const;
  /// The one in force at an index, as a compaction through it or an image of it must record. Requires: the
  /// index is in the log in memory, or the last compacted one.
  std::shared_ptr<const Membership> membership_at(Index index) const;
  /// Returns: the term of an entry of the log in memory, or of the last compacted one; none for any other
  /// index.
  std::optional<Term> term_at(Index index) const;
  /// The image that Output::may_install allowed and whose outcome was not stepped yet.
  const std::optional<Snapshot>& installing() const;
  /// Lowest index that every member is known to hold, as the leader last told (or knows). Advice for
  /// compaction: whoever keeps its log from here on spares the others a snapshot.
  Index held_by_all() const;

 private:
  std::unique_ptr<Replica> replica_;
};

}  // namespace holdfast::raft
