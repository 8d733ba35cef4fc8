#include "raft/membership_rules.h"

#include <algorithm>
#include <string>

#include "base/canary.h"
#include "raft/data_ids.h"
#include "raft/replication.h"
#include "raft/well_formed.h"

namespace holdfast::raft {

namespace {

const Member* find(const Membership& membership, MemberId id) {
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners})
    for (const Member& member : *side)
      if (member.id == id) return &member;
  return nullptr;
}

Error invalid(std::string message) { return {Errc::kInvalidArgument, std::move(message)}; }

std::optional<Error> bad_shape(const Membership& target) {
  if (target.voters.empty()) return invalid("a cluster needs a voter: the last one cannot be removed");
  if (target.voters.size() > kMaxVoters || target.learners.size() > kMaxLearners)
    return Error{Errc::kLimitExceeded, "a cluster has at most " + std::to_string(kMaxVoters) +
                                           " voters and " + std::to_string(kMaxLearners) +
                                           " learners: remove a member first"};
  if (target.is_joint()) return invalid("the joint step is the leader's own: name only the members to come");
  const auto has_no_name = [](const Member& member) {
    return member.name.empty() || member.peer_address.empty();
  };
  for (const auto* side : {&target.voters, &target.learners})
    if (std::any_of(side->begin(), side->end(), has_no_name))
      return invalid("a member needs a name and an address at which the others reach it");
  if (!well_formed(target)) return invalid("a member is named twice, or has no id");
  return std::nullopt;
}

/// An id stands for one name and one data directory for as long as it is a member.
std::optional<Error> changes_identity(const Membership& current, const Membership& target) {
  for (const auto* side : {&target.voters, &target.learners}) {
    for (const Member& member : *side) {
      const Member* before = find(current, member.id);
      if (!before) continue;
      if (before->name != member.name)
        return invalid("member " + before->name + " cannot become " + member.name +
                       ": a name is for ever; add another member");
      if (!before->data_id.empty() && before->data_id != member.data_id)
        return invalid("member " + before->name +
                       " has another data directory: remove the member, then add it again");
    }
  }
  return std::nullopt;
}

bool was_heard(const Replica& replica, MemberId id) {
  if (id == replica.options.self) return true;
  const Progress* progress = replica.follower(id);
  return progress && progress->has_answered &&
         replica.now - progress->last_heard < replica.options.election_timeout;
}

/// Or may need one: who has not said yet where its log ends, to a leader that has no longer all of its own.
bool needs_image(const Replica& replica, MemberId id) {
  const Progress* progress = replica.follower(id);
  return progress &&
         (progress->pace() == Pace::kNeedsSnapshot || progress->match() < replica.log.base_index());
}

/// A voter that lags would hold up every commit that needs it, or outvote those who know more; and one whose
/// data is not on record could not vote at all. Ref: Diss. §4.2.1
std::optional<Error> lags(const Replica& replica, const Membership& target) {
  for (const Member& voter : target.voters) {
    if (is_incoming_voter(replica.membership(), voter.id)) continue;
    const Progress* progress = replica.follower(voter.id);
    if (!progress)
      return Error{
          Errc::kNotCaughtUp,
          "member " + voter.name + " is not a learner: add it as one, and promote it once it has caught up"};
    const std::uint64_t behind = replica.log.last_index().value() - progress->match().value();
    if (!was_heard(replica, voter.id) || !counts(replica, voter.id))
      return Error{
          Errc::kNotCaughtUp,
          "member " + voter.name +
              " does not answer: start it, with holdfastd --join if it is new, and ask again once it has "
              "caught up"};
    // However few entries it lacks, they are gone, and an image may be any size.
    if (needs_image(replica, voter.id))
      return Error{Errc::kNotCaughtUp,
                   "member " + voter.name +
                       " needs an image first, or has not said yet where its log ends: try again later"};
    if (behind > replica.options.promotion_lag)
      return Error{Errc::kNotCaughtUp,
                   "member " + voter.name + " is " + std::to_string(behind) + " entries behind, at most " +
                       std::to_string(replica.options.promotion_lag) + " are allowed: try again later"};
  }
  return std::nullopt;
}

/// The final entry is committed by the new voters alone: if most of them are away, the cluster would stand
/// still in the middle of the change, with no way back; and if they must be sent an image first, until that
/// is there. Nor is there one if the data of most of them is not on record, as a founder's that was never
/// seen: only a leader can put it there, and they could not elect one.
std::optional<Error> loses_quorum(const Replica& replica, const Membership& target) {
  const auto answering = std::count_if(target.voters.begin(), target.voters.end(), [&](const Member& voter) {
    return was_heard(replica, voter.id) && counts(replica, voter.id) && !needs_image(replica, voter.id);
  });
  if (static_cast<std::size_t>(answering) > target.voters.size() / 2) return std::nullopt;
  return Error{Errc::kWouldLoseQuorum,
               "only " + std::to_string(answering) + " of the " + std::to_string(target.voters.size()) +
                   " voters to come answer and need no image first: more than half must"};
}

}  // namespace

std::optional<Error> why_not_now(const Replica& replica) {
  const Leader* leader = replica.leading();
  if (!leader) return Error{Errc::kNotLeader, "only the leader changes the membership"};
  if (leader->transfer) return Error{Errc::kChangeInProgress, "leadership is being handed over"};
  // What an older leader left open in its log this one may not know to be open. Two changes from the same
  // membership, neither aware of the other, can have majorities that do not meet.
  if (!own_term_committed(replica)) {
    if (HOLDFAST_CANARY(change_membership_before_the_no_op)) return std::nullopt;
    return Error{Errc::kUnavailable, "the new leader has not committed anything yet: try again"};
  }
  if (HOLDFAST_CANARY(change_membership_while_one_is_open)) return std::nullopt;
  if (replica.membership().is_joint() || replica.log.membership_index() > replica.commit)
    return Error{Errc::kChangeInProgress, "another change of the membership is under way: try again"};
  return std::nullopt;
}

std::optional<Error> why_not(const Replica& replica, const Membership& target) {
  if (auto reason = bad_shape(target)) return reason;
  if (target == replica.membership()) return invalid("the membership is so already");
  if (auto reason = changes_identity(replica.membership(), target)) return reason;
  if (auto reason = lags(replica, target)) return reason;
  return loses_quorum(replica, target);
}

void keep_data_ids(Membership& target, const Membership& current) {
  for (auto* side : {&target.voters, &target.learners})
    for (Member& member : *side)
      if (member.data_id.empty()) member.data_id = recorded_data_id(current, member.id);
}

}  // namespace holdfast::raft
