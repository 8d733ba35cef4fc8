#include "raft/membership_change.h"

#include <algorithm>
#include <memory>

#include "base/canary.h"
#include "raft/data_ids.h"
#include "raft/membership_rules.h"
#include "raft/replication.h"

namespace holdfast::raft {

namespace {

bool same_voters(const Membership& a, const Membership& b) {
  const auto every_of = [](const std::vector<Member>& voters, const Membership& other) {
    return std::all_of(voters.begin(), voters.end(),
                       [&](const Member& voter) { return is_incoming_voter(other, voter.id); });
  };
  return every_of(a.voters, b) && every_of(b.voters, a);
}

void lead_newcomers(Replica& replica) {
  Leader& leader = *replica.leading();
  const Index next = replica.log.last_index().next();
  for (const MemberId id : all_members(replica.membership()))
    if (id != replica.options.self) leader.followers.emplace(id, Progress(next, replica.now));
}

}  // namespace

void change_membership(Replica& replica, Membership target) {
  if (auto reason = why_not_now(replica)) {
    replica.output.refused = std::move(reason);
    return;
  }
  keep_data_ids(target, replica.membership());
  if (auto reason = why_not(replica, target)) {
    replica.output.refused = std::move(reason);
    return;
  }
  replica.output.accepted = Accepted{replica.log.last_index().next(), replica.hard_state.term};
  if (!same_voters(target, replica.membership())) target.outgoing_voters = replica.membership().voters;
  append_membership(replica, std::move(target));
}

void append_membership(Replica& replica, Membership membership) {
  Entry entry{replica.hard_state.term, replica.log.last_index().next(), EntryKind::kMembership, Blob()};
  entry.membership = std::make_shared<const Membership>(std::move(membership));
  append_as_leader(replica, std::move(entry));
  lead_newcomers(replica);
}

void leave_joint(Replica& replica) {
  if (!replica.membership().is_joint()) return;
  if (replica.log.membership_index() > replica.commit && !HOLDFAST_CANARY(leave_joint_before_it_is_committed))
    return;
  // The joint entry may be an older term's: known to be committed, but by a count that this leader has not
  // made. It waits for its own first commit as every change does.
  if (!own_term_committed(replica)) return;
  Membership after = replica.membership();
  after.outgoing_voters.clear();
  append_membership(replica, std::move(after));
}

void forget_removed(Replica& replica) {
  if (replica.log.membership_index() > replica.commit) return;
  auto& followers = replica.leading()->followers;
  for (auto follower = followers.begin(); follower != followers.end();)
    follower =
        is_member(replica.membership(), follower->first) ? std::next(follower) : followers.erase(follower);
}

bool is_removed(const Replica& replica) {
  return replica.log.membership_index() <= replica.commit && !replica.membership().is_joint() &&
         !is_voter(replica.membership(), replica.options.self);
}

}  // namespace holdfast::raft
