#include "raft/persistence.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::raft {

std::uint64_t Persistence::begin(Index last, bool hard_state, Instant now) {
  ++last_sequence_;
  under_way_.push_back({last_sequence_, last, now});
  handed_out_ = last;
  if (hard_state) hard_state_sequence_ = last_sequence_;
  return last_sequence_;
}

void Persistence::persisted(std::uint64_t sequence) {
  INVARIANT(sequence <= last_sequence_, "a write became durable that was never handed out");
  durable_sequence_ = std::max(durable_sequence_, sequence);
  while (!under_way_.empty() && under_way_.front().sequence <= sequence) {
    durable_ = std::max(durable_, under_way_.front().last);
    under_way_.pop_front();
  }
}

void Persistence::truncated(Index last) {
  durable_ = std::min(durable_, last);
  handed_out_ = std::min(handed_out_, last);
  for (Write& write : under_way_) write.last = std::min(write.last, last);
}

void Persistence::installed(Index index) {
  durable_ = index;
  handed_out_ = index;
  for (Write& write : under_way_) write.last = Index();
}

std::optional<Instant> Persistence::waiting_since() const {
  if (under_way_.empty()) return std::nullopt;
  return under_way_.front().since;
}

}  // namespace holdfast::raft
