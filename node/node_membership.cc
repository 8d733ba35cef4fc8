#include <algorithm>
#include <string>
#include <utility>

#include "node/node_impl.h"

/// A node's part in changes of the membership, and what it does when its disk fills up.
namespace holdfast::node {

namespace {

// Between two attempts to hand leadership over, in election timeouts.
constexpr int kHandOverInterval = 10;

}  // namespace

void Node::Impl::membership_changed(const raft::Membership& membership) {
  ports_.transport.set_members(driver_.everybody(machine_->applied()), driver_.membership_index());
  std::string voters;
  for (const raft::Member& voter : membership.voters) voters += (voters.empty() ? "" : ",") + voter.name;
  ports_.logging.write(LogLevel::kInfo, "membership",
                       {{"voters", voters},
                        {"learners", membership.learners.size()},
                        {"joint", membership.is_joint() ? "true" : "false"},
                        {"term", driver_.status().term},
                        {"index", driver_.status().last}});
  duties_.membership_changed();
}

void Node::Impl::change_membership(raft::Membership target, Duration timeout, MembershipCalls::Changed done) {
  if (stopping_) return done(fail(stopping_error()));
  if (!is_leader()) return done(fail(not_leader()));
  const Instant deadline = deadline_of(timeout);
  Result<raft::Accepted> accepted = driver_.change_membership(std::move(target));
  if (!accepted) {
    done(fail(accepted.error()));
  } else if (driver_.membership().is_joint() || machine_->applied() < accepted->first) {
    membership_calls_.changing(*accepted, deadline, std::move(done));
  } else {
    done(accepted->first);  // a cluster of one has committed it already
  }
  settle();
}

void Node::Impl::transfer_leadership(MemberId to, Duration timeout, MembershipCalls::Transferred done) {
  if (stopping_) return done(fail(stopping_error()));
  if (!is_leader()) return done(fail(not_leader()));
  if (to == options_.raft.self) return done({});
  if (membership_calls_.is_transferring()) {
    return done(fail(Errc::kChangeInProgress, "leadership is being handed over already; wait for that"));
  }
  Result<void> begun = driver_.transfer_leadership(to);
  if (!begun) {
    done(fail(begun.error()));
  } else {
    membership_calls_.transferring(to, name_of(to), deadline_of(timeout), std::move(done));
  }
  settle();
}

void Node::Impl::look_at_followers() { sender_.run(now(), driver_.followers(), imager_.newest()); }

void Node::Impl::space_changed(Space space) {
  const bool changed = space.low != space_.low;
  space_ = space;
  if (!changed) return;
  ports_.logging.write(space.low ? LogLevel::kError : LogLevel::kInfo, space.low ? "space_low" : "space_back",
                       {{"free_bytes", space.free_bytes}, {"threshold_bytes", space.threshold_bytes}});
  // What is not written now can be fetched later: the leader sends it again.
  driver_.take_no_entries(space.low);
  hand_over_again_ = kNever;
  if (space.low) hand_over_for_space();
  settle();
}

/// Again and again, for the others may be short of space too, or away: then this member leads on, for reads.
void Node::Impl::hand_over_for_space() {
  hand_over_again_ = kNever;
  if (!space_.low || !is_leader() || stopping_) return;
  hand_over_again_ = now() + kHandOverInterval * options_.raft.election_timeout;
  if (driver_.membership().voters.size() < 2) return;
  if (Result<void> begun = driver_.transfer_leadership(); !begun) {
    ports_.logging.write(LogLevel::kDebug, "not_handed_over", {{"error", begun.error().message}});
  }
}

}  // namespace holdfast::node
