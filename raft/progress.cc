#include "raft/progress.h"

#include <algorithm>

namespace holdfast::raft {

bool Progress::may_send_entries(std::size_t max_in_flight) const {
  switch (pace_) {
    case Pace::kProbe:
      return !probe_sent_;
    case Pace::kReplicate:
      return in_flight_.size() < max_in_flight;
    case Pace::kNeedsSnapshot:
      return false;
  }
  return false;
}

void Progress::entries_sent(Index last) {
  if (pace_ == Pace::kProbe) {
    probe_sent_ = true;
    return;
  }
  next_ = last.next();
  in_flight_.push_back(last);
}

bool Progress::accepted(Index index) {
  const bool news = index > match_;
  match_ = std::max(match_, index);
  next_ = std::max(next_, match_.next());
  while (!in_flight_.empty() && in_flight_.front() <= match_) in_flight_.pop_front();
  if (pace_ != Pace::kReplicate) {
    pace_ = Pace::kReplicate;
    probe_sent_ = false;
  }
  return news;
}

bool Progress::rejected(Index previous, Index retry) {
  if (previous <= match_ || previous >= next_) return false;
  // While probing only the latest probe counts: an older one's answer would undo what was learned since.
  if (pace_ != Pace::kReplicate && previous.next() != next_) return false;
  next_ = std::max(std::min(retry, previous), match_.next());
  pace_ = Pace::kProbe;
  probe_sent_ = false;
  in_flight_.clear();
  told_commit = Index();
  return true;
}

void Progress::reset() {
  if (pace_ == Pace::kReplicate) next_ = match_.next();
  pace_ = Pace::kProbe;
  probe_sent_ = false;
  in_flight_.clear();
  told_commit = Index();
}

void Progress::needs_snapshot() {
  pace_ = Pace::kNeedsSnapshot;
  probe_sent_ = false;
  in_flight_.clear();
}

}  // namespace holdfast::raft
