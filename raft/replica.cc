#include "raft/replica.h"

#include "base/check.h"
#include "raft/role.h"

namespace holdfast::raft {

namespace {

std::shared_ptr<const Membership> shared(Membership&& membership) {
  return std::make_shared<const Membership>(std::move(membership));
}

}  // namespace

Replica::Replica(const Options& given_options, Restored restored, Instant start)
    : options(given_options),
      hard_state(restored.hard_state),
      log(restored.base_index, restored.base_term, shared(std::move(restored.membership)),
          std::move(restored.entries)),
      persistence(log.last_index()),
      commit(restored.applied),
      handed_out(restored.applied),
      held_by_all(restored.base_index),
      now(start),
      random(given_options.seed) {
  INVARIANT(options.self, "a member has an id");
  INVARIANT(!options.data_id.empty(), "a member whose disk has no id could never be counted");
  INVARIANT(options.election_timeout > options.heartbeat_interval && options.heartbeat_interval > Duration(0),
            "heartbeats must come more often than elections");
  INVARIANT(options.max_appends_in_flight > 0 && options.max_bytes_in_flight > 0,
            "a closed window never opens");
  INVARIANT(log.base_index() <= commit && commit <= log.last_index(), "the image is not of this log");
  INVARIANT(log.last_term() <= hard_state.term, "the log has entries of a term that was never entered");
  postpone_election(*this);
  if (is_alone(*this)) election_deadline = now;  // there is nobody to wait for
}

Progress* Replica::follower(MemberId id) {
  Leader* own = leading();
  if (!own) return nullptr;
  const auto found = own->followers.find(id);
  return found == own->followers.end() ? nullptr : &found->second;
}

const Progress* Replica::follower(MemberId id) const { return const_cast<Replica*>(this)->follower(id); }

bool is_alone(const Replica& replica) {
  const Membership& membership = replica.membership();
  return membership.voters.size() == 1 && !membership.is_joint() &&
         membership.voters[0].id == replica.options.self;
}

Role role_of(const Replica& replica) {
  constexpr Role kRoles[] = {Role::kFollower, Role::kPreCandidate, Role::kCandidate, Role::kLeader};
  return kRoles[replica.role.index()];
}

}  // namespace holdfast::raft
