#include "raft/read_index.h"

#include <algorithm>

#include "base/canary.h"
#include "raft/data_ids.h"
#include "raft/replica.h"
#include "raft/replication.h"

namespace holdfast::raft {

void ReadIndex::begin(std::uint64_t round, Index commit) {
  for (const std::uint64_t id : waiting_) asked_.push_back({round, {id, commit}});
  waiting_.clear();
}

std::vector<Confirmed> ReadIndex::confirmed(std::uint64_t round) {
  std::vector<Confirmed> answers;
  while (!asked_.empty() && asked_.front().round <= round) {
    answers.push_back(asked_.front().answer);
    asked_.pop_front();
  }
  return answers;
}

std::vector<std::uint64_t> ReadIndex::give_up() {
  std::vector<std::uint64_t> ids;
  for (const Asked& asked : asked_) ids.push_back(asked.answer.id);
  ids.insert(ids.end(), waiting_.begin(), waiting_.end());
  asked_.clear();
  waiting_.clear();
  return ids;
}

namespace {

/// The canary's: the highest round that as many members as are a majority of the voters answered.
std::uint64_t confirmed_by_anybody(const Replica& replica) {
  std::vector<std::uint64_t> rounds = {replica.last_round};
  for (const auto& [id, progress] : replica.leading()->followers) rounds.push_back(progress.confirmed_round);
  std::sort(rounds.rbegin(), rounds.rend());
  return rounds[replica.membership().voters.size() / 2];
}

/// The highest round that a majority of the voters answered; this member answers its own at once.
std::uint64_t confirmed_round(const Replica& replica) {
  const Leader& leader = *replica.leading();
  if (HOLDFAST_CANARY(learners_confirm_reads)) return confirmed_by_anybody(replica);
  return quorum::reached<std::uint64_t>(replica.membership(), [&](MemberId id) {
    if (!counts(replica, id)) return std::uint64_t{0};
    return id == replica.options.self ? replica.last_round : leader.followers.at(id).confirmed_round;
  });
}

void answer(Replica& replica) {
  for (Confirmed& confirmed : replica.leading()->reads.confirmed(confirmed_round(replica)))
    replica.output.confirmed.push_back(confirmed);
}

}  // namespace

void advance_reads(Replica& replica) {
  Leader& leader = *replica.leading();
  answer(replica);
  if (!own_term_committed(replica) && !HOLDFAST_CANARY(read_before_the_no_op)) return;
  // If everybody hears from this leader now anyway, those that wait need not wait for the round under way: a
  // lost answer would hold them up.
  if (!leader.reads.may_begin() && !(leader.heartbeat_due && leader.reads.has_waiting())) return;
  const bool older = replica.last_round > 0 && HOLDFAST_CANARY(read_in_an_older_round);
  leader.reads.begin(older ? replica.last_round : ++replica.last_round, replica.commit);
  leader.heartbeat_due = true;
  answer(replica);  // a single voter needs nobody
}

}  // namespace holdfast::raft
