#include "raft/quorum.h"

namespace holdfast::raft {

namespace {

bool contains(const std::vector<Member>& members, MemberId id) {
  return std::any_of(members.begin(), members.end(), [&](const Member& member) { return member.id == id; });
}

quorum::Outcome count_half(const std::vector<Member>& voters, const quorum::Votes& votes) {
  std::size_t granted = 0;
  std::size_t refused = 0;
  for (const Member& voter : voters) {
    const auto vote = votes.find(voter.id);
    if (vote == votes.end()) continue;
    ++(vote->second ? granted : refused);
  }
  const std::size_t majority = voters.size() / 2 + 1;
  if (granted >= majority) return quorum::Outcome::kWon;
  if (voters.size() - refused < majority) return quorum::Outcome::kLost;
  return quorum::Outcome::kPending;
}

}  // namespace

quorum::Outcome quorum::count(const Membership& membership, const Votes& votes) {
  const Outcome incoming = count_half(membership.voters, votes);
  if (membership.outgoing_voters.empty()) return incoming;
  const Outcome outgoing = count_half(membership.outgoing_voters, votes);
  if (incoming == Outcome::kLost || outgoing == Outcome::kLost) return Outcome::kLost;
  return incoming == outgoing ? incoming : Outcome::kPending;
}

bool is_voter(const Membership& membership, MemberId id) {
  return contains(membership.voters, id) || contains(membership.outgoing_voters, id);
}

bool is_incoming_voter(const Membership& membership, MemberId id) { return contains(membership.voters, id); }

bool is_member(const Membership& membership, MemberId id) { return find_member(membership, id) != nullptr; }

const Member* find_member(const Membership& membership, MemberId id) {
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners})
    for (const Member& member : *side)
      if (member.id == id) return &member;
  return nullptr;
}

std::vector<MemberId> all_members(const Membership& membership) {
  std::vector<MemberId> everybody;
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners})
    for (const Member& member : *side)
      if (std::find(everybody.begin(), everybody.end(), member.id) == everybody.end())
        everybody.push_back(member.id);
  return everybody;
}

}  // namespace holdfast::raft
