#include "client/session/sequence.h"

#include "base/check.h"

namespace holdfast::session {

Sequence::Sequence(LeaseId session, std::uint64_t window) : session_(session), window_(window) {
  INVARIANT(session, "a session is a lease");
  INVARIANT(window > 0, "an empty window admits no write");
}

std::optional<std::uint64_t> Sequence::begin() {
  if (next_ - acknowledged_below() >= window_) {
    return std::nullopt;
  }
  open_.insert(next_);
  return next_++;
}

Stamp Sequence::stamp(std::uint64_t sequence) const {
  INVARIANT(open_.contains(sequence), "a number that was given back would be acknowledged by its own write");
  return {session_, sequence, acknowledged_below()};
}

void Sequence::end(std::uint64_t sequence) {
  INVARIANT(open_.erase(sequence) == 1, "a number is given back once");
}

}  // namespace holdfast::session
