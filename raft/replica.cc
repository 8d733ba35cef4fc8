#include "raft/replica.h"

#include "base/check.h"
#include "raft/role.h"

namespace holdfast::raft {

namespace {

bool is_alone(const Membership& membership, MemberId self) {
  return membership.voters.size() == 1 && membership.outgoing_voters.empty() &&
         membership.voters[0].id == self;
}

}  // namespace

Replica::Replica(const Options& given_options, Restored restored, Instant start)
    : options(given_options),
      membership(std::move(restored.membership)),
      hard_state(restored.hard_state),
      log(restored.base_index, restored.base_term, std::move(restored.entries)),
      persistence(log.last_index()),
      commit(restored.applied),
      handed_out(restored.applied),
      held_by_all(restored.base_index),
      now(start),
      random(given_options.seed) {
  INVARIANT(options.self, "a member has an id");
  INVARIANT(options.election_timeout > options.heartbeat_interval && options.heartbeat_interval > Duration(0),
            "heartbeats must come more often than elections");
  INVARIANT(options.max_appends_in_flight > 0, "a closed window never opens");
  INVARIANT(log.base_index() <= commit && commit <= log.last_index(), "the image is not of this log");
  INVARIANT(log.last_term() <= hard_state.term, "the log has entries of a term that was never entered");
  postpone_election(*this);
  if (is_alone(membership, options.self)) election_deadline = now;  // there is nobody to wait for
}

Role role_of(const Replica& replica) {
  constexpr Role kRoles[] = {Role::kFollower, Role::kPreCandidate, Role::kCandidate, Role::kLeader};
  return kRoles[replica.role.index()];
}

}  // namespace holdfast::raft
