#include "raft/transfer.h"

#include "raft/data_ids.h"
#include "raft/membership_change.h"
#include "raft/outbox.h"
#include "raft/role.h"

namespace holdfast::raft {

namespace {

/// A voter that the joint step removes would only have to hand over again.
bool may_take_over(const Replica& replica, MemberId id) {
  return id != replica.options.self && is_incoming_voter(replica.membership(), id) && counts(replica, id) &&
         !shows_other_data(replica, id);
}

MemberId furthest_voter(const Replica& replica) {
  MemberId best;
  const Progress* furthest = nullptr;
  for (const auto& [id, progress] : replica.leading()->followers) {
    if (!may_take_over(replica, id)) continue;
    // One that was silent for an election timeout is likely down, however complete its log.
    if (replica.now - progress.last_heard >= replica.options.election_timeout) continue;
    if (furthest && progress.match() <= furthest->match()) continue;
    best = id;
    furthest = &progress;
  }
  return best;
}

std::optional<Error> why_no_transfer(const Replica& replica, MemberId to) {
  const Leader* leader = replica.leading();
  if (!leader) return Error{Errc::kNotLeader, "only the leader can hand over"};
  if (leader->transfer && to && leader->transfer->to != to)
    return Error{Errc::kChangeInProgress, "leadership is being handed over to another member already"};
  if (to == replica.options.self) return Error{Errc::kInvalidArgument, "the member leads already"};
  if (to && !may_take_over(replica, to))
    return Error{Errc::kMemberNotFound, "leadership goes to a voter, and there is none of that id"};
  if (!to && !leader->transfer && !furthest_voter(replica))
    return Error{Errc::kUnavailable, "no other voter answers"};
  return std::nullopt;
}

}  // namespace

void begin_transfer(Replica& replica, MemberId to) {
  if (auto reason = why_no_transfer(replica, to)) {
    replica.output.refused = std::move(reason);
    return;
  }
  Leader& leader = *replica.leading();
  if (leader.transfer) return;
  if (!to) to = furthest_voter(replica);
  leader.transfer = Transfer{to, replica.now + replica.options.election_timeout};
}

void advance_transfer(Replica& replica) {
  Leader& leader = *replica.leading();
  if (leader.transfer && !may_take_over(replica, leader.transfer->to)) leader.transfer.reset();
  if (!leader.transfer && is_removed(replica)) {
    const MemberId to = furthest_voter(replica);
    if (!to) return become_follower(replica, replica.hard_state.term, MemberId());
    leader.transfer = Transfer{to, replica.now + replica.options.election_timeout};
  }
  if (!leader.transfer || leader.transfer->told) return;
  if (leader.followers.at(leader.transfer->to).match() != replica.log.last_index()) return;
  leader.transfer->told = true;
  send(replica, leader.transfer->to, TimeoutNow());
}

void abdicate(Replica& replica) {
  const MemberId to = furthest_voter(replica);
  if (to) send(replica, to, TimeoutNow());
  become_follower(replica, replica.hard_state.term, MemberId());
}

}  // namespace holdfast::raft
