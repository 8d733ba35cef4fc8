#include "raft/well_formed.h"

namespace holdfast::raft {

namespace {

// No cluster ever gets there, and arithmetic around it cannot overflow.
constexpr std::uint64_t kBeyondAllNumbers = std::uint64_t{1} << 62;

bool plausible(Index index) { return index.value() < kBeyondAllNumbers; }
bool plausible(Term term) { return term.value() < kBeyondAllNumbers; }

bool check(Term, const RequestVote& request) {
  return plausible(request.last_index) && request.last_term.value() < kBeyondAllNumbers;
}

bool check(Term, const VoteReply&) { return true; }

bool check(Term term, const AppendEntries& append) {
  if (!plausible(append.previous_index) || !plausible(append.commit) || !plausible(append.held_by_all))
    return false;
  if (!append.previous_index && append.previous_term) return false;
  Index previous = append.previous_index;
  Term previous_term = append.previous_term;
  for (const Entry& entry : append.entries) {
    if (entry.index != previous.next() || entry.term < previous_term || !entry.term) return false;
    previous = entry.index;
    previous_term = entry.term;
  }
  return previous_term <= term;
}

bool check(Term, const AppendReply& reply) {
  return plausible(reply.index) && plausible(reply.hint_index) && plausible(reply.hint_term);
}

bool check(Term, const TimeoutNow&) { return true; }

bool check(Term, const InstallSnapshot&) { return true; }

bool check(Term, const InstallReply&) { return true; }

}  // namespace

bool well_formed(const Message& message) {
  if (!message.term || !plausible(message.term)) return false;
  return std::visit([&](const auto& body) { return check(message.term, body); }, message.body);
}

}  // namespace holdfast::raft
