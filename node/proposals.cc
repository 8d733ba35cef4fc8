#include "node/proposals.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/canary.h"
#include "base/check.h"

namespace holdfast::node {

namespace {

Error not_committed() {
  return {Errc::kNotCommitted, "another leader's entry took its place; it had no effect: send it again", {}};
}

}  // namespace

Result<void> Proposals::has_room(std::size_t bytes) const {
  if (HOLDFAST_CANARY(queue_whatever_is_asked)) return {};
  if (count_ >= bounds_.proposals) {
    return fail(Errc::kOverloaded, "kMaxPendingProposals (" + std::to_string(bounds_.proposals) +
                                       ") commands are under way; try again later");
  }
  if (bytes_ + bytes > bounds_.proposal_bytes) {
    return fail(Errc::kOverloaded, "kMaxPendingProposalBytes (" + std::to_string(bounds_.proposal_bytes) +
                                       ") of commands are under way; try again later");
  }
  return {};
}

void Proposals::add(Blob command, Instant deadline, std::vector<LeaseId> ends, Done done, bool bounded) {
  std::size_t bytes = command.size();
  pending_.push_back(
      {Term(), Index(), std::move(command), bytes, deadline, std::move(ends), std::move(done), bounded});
  ++waiting_;
  earliest_.note(deadline);
  if (!bounded) return;
  ++count_;
  bytes_ += bytes;
  ++taken_;
}

void Proposals::count(Held& held) const {
  held.proposals = count_;
  held.proposal_bytes = bytes_;
  held.proposals_taken = taken_;
}

std::vector<LeaseId> Proposals::waiting_ends() const {
  std::vector<LeaseId> ends;
  for (auto i = pending_.end() - static_cast<std::ptrdiff_t>(waiting_); i != pending_.end(); ++i) {
    ends.insert(ends.end(), i->ends.begin(), i->ends.end());
  }
  return ends;
}

std::vector<Blob> Proposals::take_waiting() {
  std::vector<Blob> commands;
  commands.reserve(waiting_);
  for (auto i = first_waiting(); i != pending_.end(); ++i) {
    commands.push_back(std::exchange(i->command, Blob()));
  }
  return commands;
}

void Proposals::accepted(raft::Accepted where) {
  Index index = where.first;
  for (auto i = first_waiting(); i != pending_.end(); ++i) {
    i->term = where.term;
    i->index = index;
    index = index.next();
  }
  waiting_ = 0;
}

void Proposals::refused(const Error& why) { drop(first_waiting(), why); }

void Proposals::resolve(Index index, Term term, state::Reply reply) {
  while (pending_.size() > waiting_) {
    const Pending& first = pending_.front();
    bool is_it = (first.term == term || HOLDFAST_CANARY(answer_by_index_alone)) && first.index == index;
    // Terms never fall along the log: behind an entry of a newer term, no entry of an older one can come.
    bool was_replaced = first.term < term;
    if (!is_it && !was_replaced) return;
    Pending decided = std::move(pending_.front());
    pending_.pop_front();
    finish(std::move(decided), is_it ? std::move(reply) : state::Reply(fail(not_committed())));
    if (is_it) return;
  }
}

void Proposals::passed_over(Index through) {
  while (pending_.size() > waiting_ && pending_.front().index <= through) {
    Pending lost = std::move(pending_.front());
    pending_.pop_front();
    finish(
        std::move(lost),
        fail(Errc::kUnknown, "this member received the state from another one before it learned its fate"));
  }
}

void Proposals::expire(Instant now) {
  if (now < earliest_.due()) return;
  earliest_.clear();
  std::vector<Done> unknown;
  for (auto i = pending_.begin(); i != first_waiting(); ++i) {
    if (i->done && i->deadline <= now) {
      unknown.push_back(std::exchange(i->done, Done()));
    } else if (i->done) {
      earliest_.note(i->deadline);
    }
  }
  auto overdue = std::stable_partition(first_waiting(), pending_.end(),
                                       [now](const Pending& pending) { return pending.deadline > now; });
  for (auto i = first_waiting(); i != overdue; ++i) earliest_.note(i->deadline);
  drop(overdue, {Errc::kUnavailable, "the time is over and no quorum took it; it had no effect", {}});
  for (Done& done : unknown) {
    Errc code = HOLDFAST_CANARY(call_unknown_unavailable) ? Errc::kUnavailable : Errc::kUnknown;
    done(fail(code, "the time is over before its fate is known; it may take effect yet"));
  }
}

void Proposals::shorten(Instant deadline) {
  for (Pending& pending : pending_) pending.deadline = std::min(pending.deadline, deadline);
  if (!pending_.empty()) earliest_.note(deadline);
}

void Proposals::give_up(const Error& not_proposed, const Error& unknown) {
  refused(not_proposed);
  std::vector<Done> callers;
  for (Pending& pending : pending_) {
    if (pending.done) callers.push_back(std::exchange(pending.done, Done()));
  }
  for (Done& done : callers) done(fail(unknown));
}

bool Proposals::anybody_waits() const {
  return std::any_of(pending_.begin(), pending_.end(), [](const Pending& one) { return bool(one.done); });
}

std::deque<Proposals::Pending>::iterator Proposals::first_waiting() {
  return pending_.end() - static_cast<std::ptrdiff_t>(waiting_);
}

void Proposals::drop(std::deque<Pending>::iterator from, const Error& why) {
  // Taken out before anybody is told: whoever is told may add the next one.
  std::vector<Pending> dropped(std::make_move_iterator(from), std::make_move_iterator(pending_.end()));
  pending_.erase(from, pending_.end());
  waiting_ -= dropped.size();
  for (Pending& pending : dropped) finish(std::move(pending), fail(why));
}

void Proposals::finish(Pending pending, state::Reply reply) {
  if (pending.bounded) {
    --count_;
    bytes_ -= pending.bytes;
  }
  if (!pending.ends.empty()) ends_decided_(pending.ends);
  if (pending.done) pending.done(std::move(reply));
}

}  // namespace holdfast::node
