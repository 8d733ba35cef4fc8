#include "raft/well_formed.h"

#include <algorithm>
#include <vector>

namespace holdfast::raft {

namespace {

// No cluster ever gets there, and arithmetic around it cannot overflow.
constexpr std::uint64_t kBeyondAllNumbers = std::uint64_t{1} << 62;

constexpr std::size_t kMaxDataIdBytes = 64;
constexpr std::size_t kMaxDigestBytes = 64;

bool plausible(Index index) { return index.value() < kBeyondAllNumbers; }
bool plausible(Term term) { return term.value() < kBeyondAllNumbers; }

bool check(Term, const RequestVote& request) {
  return plausible(request.last_index) && plausible(request.last_term) &&
         request.recorded_data_id.size() <= kMaxDataIdBytes;
}

bool plausible(const Member& member) { return member.id && member.data_id.size() <= kMaxDataIdBytes; }

/// An entry that changes the membership, and no other, carries one; and somebody votes in it.
bool carries_what_it_should(const Entry& entry) {
  if (entry.kind != EntryKind::kMembership) return !entry.membership;
  return entry.membership && entry.payload.empty() && !entry.membership->voters.empty() &&
         well_formed(*entry.membership);
}

bool check(Term, const VoteReply& reply) { return reply.data_id.size() <= kMaxDataIdBytes; }

bool check(Term term, const AppendEntries& append) {
  if (!plausible(append.previous_index) || !plausible(append.commit) || !plausible(append.held_by_all))
    return false;
  if (!append.previous_index && append.previous_term) return false;
  Index previous = append.previous_index;
  Term previous_term = append.previous_term;
  for (const Entry& entry : append.entries) {
    if (entry.index != previous.next() || entry.term < previous_term || !entry.term) return false;
    if (!carries_what_it_should(entry)) return false;
    previous = entry.index;
    previous_term = entry.term;
  }
  return previous_term <= term;
}

bool check(Term, const AppendReply& reply) {
  return plausible(reply.index) && plausible(reply.hint_index) && plausible(reply.hint_term);
}

bool check(Term, const TimeoutNow&) { return true; }

bool check(Term term, const InstallSnapshot& install) {
  const Snapshot& snapshot = install.snapshot;
  if (!snapshot.index || !plausible(snapshot.index) || !snapshot.term || snapshot.term > term) return false;
  if (snapshot.membership.voters.empty() || !well_formed(snapshot.membership)) return false;
  if (install.size >= kBeyondAllNumbers || install.offset > install.size) return false;
  return install.data.size() <= install.size - install.offset && install.digest.size() <= kMaxDigestBytes;
}

bool check(Term, const InstallReply& reply) {
  return plausible(reply.index) && reply.next_offset < kBeyondAllNumbers;
}

bool once_each(const std::vector<Member>& members, std::vector<MemberId>& seen) {
  return std::all_of(members.begin(), members.end(), [&](const Member& member) {
    const bool again = std::find(seen.begin(), seen.end(), member.id) != seen.end();
    seen.push_back(member.id);
    return !again && plausible(member);
  });
}

}  // namespace

bool well_formed(const Membership& membership) {
  if (membership.voters.size() > kMaxVoters || membership.outgoing_voters.size() > kMaxVoters ||
      membership.learners.size() > kMaxLearners)
    return false;
  std::vector<MemberId> to_come;
  std::vector<MemberId> to_go;
  return once_each(membership.voters, to_come) && once_each(membership.learners, to_come) &&
         once_each(membership.outgoing_voters, to_go);
}

bool well_formed(const Message& message) {
  if (!message.from || !message.term || !plausible(message.term)) return false;
  return std::visit([&](const auto& body) { return check(message.term, body); }, message.body);
}

}  // namespace holdfast::raft
