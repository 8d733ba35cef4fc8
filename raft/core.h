#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "raft/messages.h"
#include "raft/types.h"

/// Consensus as a pure state machine: no clock, thread, socket, file or randomness of its own. Everything
/// that happens comes in as an Input; everything to be done goes out as an Output. docs/RAFT.md lists both.
namespace holdfast::raft {

struct Options {
  MemberId self;
  Duration election_timeout = milliseconds(1000);  ///< drawn anew from [1x, 2x) each time
  Duration heartbeat_interval = milliseconds(100);
  std::size_t max_append_bytes = 1 << 20;
  std::size_t max_appends_in_flight = 64;  ///< AppendEntries with entries, per follower
  std::uint64_t seed = 1;
};

// --- Inputs ---

/// Time has passed; expected at Core::deadline() or soon after.
struct Tick {};
struct Receive {
  Message message;
};
/// Commands to append, in order, at consecutive indexes. Only a leader takes them: see Output::accepted.
struct Propose {
  std::vector<Blob> commands;
};
/// The Persist with this sequence, and all before it, are durable.
struct Persisted {
  std::uint64_t sequence = 0;
};
/// Is this member still the leader, as of now? Answered by Output::confirmed or Output::unconfirmed under
/// `id`. Ids must increase. All that wait share one round. Ref: Diss. §6.4
struct ConfirmLeadership {
  std::uint64_t id = 0;
};
/// Hands leadership to a voter, or to the best one if `to` is none. Given up after an election timeout.
struct TransferLeadership {
  MemberId to;
};
/// Entries up to and including `through` are in a durable image and need not be kept. Until there are
/// snapshots, a driver stays at or below held_by_all(): what another member still needs must be kept.
struct Compact {
  Index through;
};
/// The connection to a member was lost or came back; what was in flight to it may be lost.
struct PeerReset {
  MemberId member;
};

using Input = std::variant<Tick, Receive, Propose, Persisted, ConfirmLeadership, TransferLeadership, Compact,
                           PeerReset>;

// --- Outputs ---

/// To be made durable, in the order of `sequence`; entries replace whatever the stored log has from the first
/// entry's index on. `then_send` only after it is durable; then step(Persisted{sequence}).
struct Persist {
  std::uint64_t sequence = 0;
  std::optional<HardState> hard_state;
  std::vector<Entry> entries;
  std::vector<Message> then_send;
};

/// Where the proposed commands went: the first at `first`, the others behind it, all in `term`.
struct Accepted {
  Index first;
  Term term;
};

/// This member was the leader after the question `id` came in, and all that was acknowledged by then is at or
/// below `read_index`: a read that waits until it is applied is linearizable.
struct Confirmed {
  std::uint64_t id = 0;
  Index read_index;
};

/// What changed for whoever watches this member.
struct RoleChanged {
  Role role = Role::kFollower;
  Term term;
  MemberId leader;  ///< none while unknown
};

/// The parts are independent, except that `send` may go at once, even before `persist` is written.
struct Output {
  std::optional<Persist> persist;
  std::vector<Message> send;
  std::vector<Entry> committed;  ///< in order, each entry exactly once
  std::optional<Accepted>
      accepted;  ///< set in answer to Propose if this member leads and is not handing over
  std::vector<Confirmed> confirmed;
  std::vector<std::uint64_t> unconfirmed;
  std::optional<RoleChanged> role_changed;  ///< role, term or leader differ from before
};

// --- The core ---

/// What a member finds on its disk when it starts.
struct Restored {
  HardState hard_state;
  Membership membership;
  Index base_index;  ///< the last compacted entry; zero if none
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
  Index match;  ///< it durably has the leader's log up to here
  Index next;   ///< what it is sent next
  std::size_t in_flight = 0;
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
  const Membership& membership() const;
  /// Returns: the term of an entry of the log in memory, or of the last compacted one; none for any other
  /// index.
  std::optional<Term> term_at(Index index) const;
  /// Lowest index that every member is known to hold, as the leader last told (or knows).
  Index held_by_all() const;

 private:
  std::unique_ptr<Replica> replica_;
};

}  // namespace holdfast::raft
