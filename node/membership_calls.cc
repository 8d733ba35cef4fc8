#include "node/membership_calls.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::node {

void MembershipCalls::changing(raft::Accepted accepted, Instant deadline, Changed done) {
  changes_.push_back({accepted, deadline, std::move(done)});
  earliest_.note(deadline);
}

void MembershipCalls::applied(const raft::Entry& entry) {
  if (changes_.empty()) return;
  const bool completes = entry.membership && !entry.membership->is_joint();
  // Terms never fall along the log: behind an entry of a newer term, no entry of an older one can come.
  const auto replaced = [&](const Change& change) {
    return entry.index <= change.accepted.first && entry.term > change.accepted.term;
  };
  // Taken out before anybody is told: whoever is told may ask for the next change.
  std::vector<Change> decided;
  std::vector<Change> open;
  for (Change& change : std::exchange(changes_, {})) {
    const bool done = replaced(change) || (completes && entry.index >= change.accepted.first);
    (done ? decided : open).push_back(std::move(change));
  }
  changes_ = std::move(open);
  for (Change& change : decided) {
    if (replaced(change)) {
      change.done(fail(Errc::kNotCommitted,
                       "another leader's entry took the change's place; it had no effect: ask again"));
    } else {
      change.done(entry.index);
    }
  }
}

void MembershipCalls::transferring(MemberId to, std::string name, Instant deadline, Transferred done) {
  transfer_ = Transfer{to, std::move(name), deadline, std::move(done)};
  earliest_.note(deadline);
}

void MembershipCalls::look(const raft::Status& status) {
  if (!transfer_) return;
  if (status.role == raft::Role::kLeader) {
    if (status.transferring) return;
    return answer_transfer(fail(Errc::kUnavailable,
                                "'" + transfer_->name + "' did not take over in time; this member leads on"));
  }
  if (!status.leader) return;
  if (status.leader == transfer_->to) return answer_transfer({});
  answer_transfer(fail(Errc::kUnavailable, "another member than '" + transfer_->name + "' was elected"));
}

void MembershipCalls::answer_transfer(Result<void> answer) {
  Transfer transfer = *std::exchange(transfer_, std::nullopt);
  transfer.done(std::move(answer));
}

void MembershipCalls::deposed(Instant deadline) {
  for (Change& change : changes_) change.deadline = std::min(change.deadline, deadline);
  if (!changes_.empty()) earliest_.note(deadline);
}

void MembershipCalls::passed_over() { give_up("this member received the state from another one"); }

void MembershipCalls::give_up(const char* why) {
  for (Change& change : std::exchange(changes_, {})) {
    change.done(fail(Errc::kUnknown,
                     std::string(why) + " before it learned of the change's fate; list the members to see"));
  }
}

void MembershipCalls::expire(Instant now) {
  if (now < earliest_.due()) return;
  earliest_.clear();
  std::vector<Change> overdue;
  for (Change& change : std::exchange(changes_, {})) {
    if (change.deadline <= now) {
      overdue.push_back(std::move(change));
    } else {
      changing(change.accepted, change.deadline, std::move(change.done));
    }
  }
  for (Change& change : overdue) {
    change.done(fail(Errc::kUnknown,
                     "the time is over before the change's fate is known; the leader completes it or takes "
                     "it back: list the members to see"));
  }
  if (!transfer_) return;
  if (transfer_->deadline > now) return earliest_.note(transfer_->deadline);
  answer_transfer(fail(Errc::kUnknown, "the time is over and no leader is known yet; '" + transfer_->name +
                                           "' may still be elected"));
}

void MembershipCalls::fail_all(const Error& why) {
  give_up("this member stops");
  if (transfer_) answer_transfer(fail(why));
}

}  // namespace holdfast::node
