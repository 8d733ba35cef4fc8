#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/random.h"
#include "raft/core.h"
#include "raft/log.h"
#include "raft/persistence.h"
#include "raft/progress.h"
#include "raft/quorum.h"
#include "raft/read_index.h"

namespace holdfast::raft {

struct Follower {};

struct PreCandidate {
  quorum::Votes votes;
};

struct Candidate {
  quorum::Votes votes;
};

/// Leadership on its way to another voter: proposals are refused until it is there or `deadline` is reached.
struct Transfer {
  MemberId to;
  Instant deadline;
  bool told = false;  ///< it was told to campaign since the last heartbeat
};

struct Leader {
  /// Every member but this one, and those removed by an entry that is not committed yet.
  std::map<MemberId, Progress> followers;
  Index first_of_term;  ///< its no-op: nothing is complete before that is committed
  ReadIndex reads;
  std::optional<Transfer> transfer;
  std::size_t uncommitted_bytes = 0;  ///< of the entries behind the commit index
  Instant next_heartbeat;
  bool heartbeat_due = false;              ///< everybody is to hear from this leader before the step ends
  std::optional<Instant> commit_news_due;  ///< while a follower is owed the news of a commit
};

/// Everything one member knows. The files beside this one are functions over it, one concept a file; only
/// Core::step calls into them from outside, and it hands `output` to the driver when they are done.
struct Replica {
  Replica(const Options& given_options, Restored restored, Instant start);

  bool is_leader() const { return std::holds_alternative<Leader>(role); }
  Leader* leading() { return std::get_if<Leader>(&role); }
  const Leader* leading() const { return std::get_if<Leader>(&role); }
  /// The one in force.
  const Membership& membership() const { return *log.memberships().in_force(); }
  /// Returns: none if this member does not lead, or does not lead `id`.
  Progress* follower(MemberId id);
  const Progress* follower(MemberId id) const;

  // Constant after construction.
  const Options options;

  // What is or will be durable. Changed in memory first; outbox.cc hands it out at the end of the step.
  HardState hard_state;
  bool hard_state_changed = false;
  Log log;
  Persistence persistence;

  // handed_out <= commit <= log.last_index(), and log.base_index() <= handed_out. None of them falls. An
  // image that is installed raises all of them.
  Index commit;
  Index handed_out;  ///< committed entries up to here were given to the driver
  Index held_by_all;

  // Who leads, as far as known. `leader` is none whenever the role is not kFollower or kLeader.
  std::variant<Follower, PreCandidate, Candidate, Leader> role;
  MemberId leader;
  Instant heard_from_leader;      ///< means something while `leader` is another member
  bool has_known_leader = false;  ///< since it started, also if it led itself
  /// It has reason to think that there is no leader, and has neither heard of one nor stood since.
  bool suspects = false;

  /// What those who are connected showed; see data_ids.h.
  std::map<MemberId, std::string> shown_data_ids;

  /// While set, the store is replacing the log by this image, and the log stands still; see snapshot.h.
  std::optional<Snapshot> installing;

  // Time and chance. Neither is ever looked up: time comes with each step, chance from the seed.
  Instant now;
  Instant election_deadline;
  Random random;

  /// The last confirmation round begun here. Not reset with the term, so no round is ever mistaken.
  std::uint64_t last_round = 0;

  Output output;                   ///< of the step under way
  std::vector<Message> then_send;  ///< becomes output.persist->then_send
};

Role role_of(const Replica& replica);
/// Is this member the only voter?
bool is_alone(const Replica& replica);

}  // namespace holdfast::raft
