#include "raft/progress.h"

#include <algorithm>

#include "base/canary.h"

namespace holdfast::raft {

bool Progress::may_send_entries(std::size_t max_in_flight, std::size_t max_bytes) const {
  switch (pace_) {
    case Pace::kProbe:
      return !probe_sent_;
    case Pace::kReplicate:
      return in_flight_.size() < max_in_flight &&
             (bytes_in_flight_ < max_bytes || HOLDFAST_CANARY(send_beyond_the_window));
    case Pace::kNeedsSnapshot:
      return false;
  }
  return false;
}

void Progress::entries_sent(Index last, std::size_t bytes) {
  if (pace_ == Pace::kProbe) {
    probe_sent_ = true;
    return;
  }
  next_ = last.next();
  in_flight_.push_back({last, bytes});
  bytes_in_flight_ += bytes;
}

bool Progress::accepted(Index index, Index log_base) {
  const bool news = index > match_;
  match_ = std::max(match_, index);
  next_ = std::max(next_, match_.next());
  while (!in_flight_.empty() && in_flight_.front().last <= match_) {
    bytes_in_flight_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  const bool still_needs_snapshot = pace_ == Pace::kNeedsSnapshot && match_ < log_base;
  if (pace_ != Pace::kReplicate && !still_needs_snapshot) {
    pace_ = Pace::kReplicate;
    probe_sent_ = false;
  }
  return news;
}

bool Progress::rejected(Index previous, Index retry) {
  // An image is on its way, and what entries would do first is no question any more.
  if (pace_ == Pace::kNeedsSnapshot) return false;
  if (previous <= match_ || previous >= next_) return false;
  // While probing only the latest probe counts: an older one's answer would undo what was learned since.
  if (pace_ != Pace::kReplicate && previous.next() != next_) return false;
  next_ = std::max(std::min(retry, previous), match_.next());
  pace_ = Pace::kProbe;
  probe_sent_ = false;
  forget_in_flight();
  told_commit = Index();
  return true;
}

void Progress::reset() {
  if (pace_ == Pace::kReplicate) next_ = match_.next();
  pace_ = Pace::kProbe;
  probe_sent_ = false;
  forget_in_flight();
  told_commit = Index();
}

void Progress::needs_snapshot() {
  pace_ = Pace::kNeedsSnapshot;
  probe_sent_ = false;
  forget_in_flight();
}

void Progress::forget_in_flight() {
  in_flight_.clear();
  bytes_in_flight_ = 0;
}

}  // namespace holdfast::raft
