#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "base/canary.h"
#include "raft/types.h"

/// Majorities as arithmetic. A decision of a joint membership needs a majority of each side. Ref: Raft §6
namespace holdfast::raft::quorum {

/// The highest value that more than half of `values` reach. Requires: not empty.
template <typename T>
T reached_by_majority(std::vector<T> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end(), std::greater<>());
  return *middle;
}

/// The highest value that a deciding set of voters reaches, where `value_of(id)` is what one voter has
/// reached: of match indexes what may be committed, of rounds what is confirmed, of instants since when the
/// majority is silent. Returns: T() without voters: then nothing is ever decided.
template <typename T, typename ValueOf>
T reached(const Membership& membership, ValueOf&& value_of) {
  const auto half = [&](const std::vector<Member>& voters) {
    std::vector<T> values;
    values.reserve(voters.size());
    for (const Member& voter : voters) values.push_back(value_of(voter.id));
    return values.empty() ? T() : reached_by_majority(std::move(values));
  };
  const T incoming = half(membership.voters);
  if (membership.outgoing_voters.empty() || HOLDFAST_CANARY(count_the_new_voters_only)) return incoming;
  return std::min(incoming, half(membership.outgoing_voters));
}

/// Who answered a request for votes, and how. Only the first answer of each counts.
using Votes = std::map<MemberId, bool>;

enum class Outcome { kPending, kWon, kLost };

/// Answers of others than voters do not count.
Outcome count(const Membership& membership, const Votes& votes);

}  // namespace holdfast::raft::quorum

namespace holdfast::raft {

/// On either side of a joint membership.
bool is_voter(const Membership& membership, MemberId id);
/// A voter that stays one when a joint membership is left.
bool is_incoming_voter(const Membership& membership, MemberId id);
bool is_member(const Membership& membership, MemberId id);
/// On any side. Returns: nullptr if it is not in it; valid as long as `membership` is not changed.
const Member* find_member(const Membership& membership, MemberId id);
/// Everybody once, voters first.
std::vector<MemberId> all_members(const Membership& membership);

}  // namespace holdfast::raft
