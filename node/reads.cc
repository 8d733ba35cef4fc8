#include "node/reads.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::node {

void Reads::add(Instant deadline, Ready ready) {
  waiting_.push_back({deadline, std::move(ready)});
  urgent_ = true;
  earliest_.note(deadline);
}

void Reads::add_patient(Instant deadline, std::size_t weight, Ready ready) {
  waiting_.push_back({deadline, std::move(ready)});
  gathered_ += weight;
  earliest_.note(deadline);
}

std::uint64_t Reads::ask(Instant now) {
  INVARIANT(can_ask(now), "a question without anybody who waits for its answer");
  asked_ = std::exchange(waiting_, {});
  urgent_ = false;
  gathered_ = 0;
  asked_at_ = now;
  question_ = ++last_id_;
  return question_;
}

Instant Reads::due() const {
  const bool gathering = !waiting_.empty() && !question_ && !pressing();
  return gathering ? std::min(earliest_.due(), ask_from()) : earliest_.due();
}

void Reads::confirmed(std::uint64_t id, Index read_index) {
  if (id != question_) return;
  question_ = 0;
  if (!confirmed_.empty()) read_index = std::max(read_index, confirmed_.back().read_index);
  confirmed_.push_back({read_index, std::exchange(asked_, {})});
}

void Reads::unconfirmed(std::uint64_t id, const Error& why) {
  if (id != question_) return;
  question_ = 0;
  for (Read& read : std::exchange(asked_, {})) read.ready(fail(why));
}

void Reads::applied(Index applied) {
  while (!confirmed_.empty() && confirmed_.front().read_index <= applied) {
    Batch batch = std::move(confirmed_.front());
    confirmed_.pop_front();
    for (Read& read : batch.reads) read.ready({});
  }
}

void Reads::expire(Instant now) {
  if (now < earliest_.due()) return;
  earliest_.clear();
  std::vector<Ready> overdue;
  take_overdue(asked_, now, overdue);
  take_overdue(waiting_, now, overdue);
  for (Batch& batch : confirmed_) take_overdue(batch.reads, now, overdue);
  for (Ready& ready : overdue) {
    ready(fail(Errc::kUnavailable, "no quorum confirmed this leader in time; try again or another member"));
  }
}

void Reads::fail_all(const Error& why) {
  question_ = 0;
  std::vector<Read> all = std::exchange(asked_, {});
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(all));
  waiting_.clear();
  urgent_ = false;
  gathered_ = 0;
  for (Batch& batch : confirmed_) std::move(batch.reads.begin(), batch.reads.end(), std::back_inserter(all));
  confirmed_.clear();
  earliest_.clear();
  for (Read& read : all) read.ready(fail(why));
}

void Reads::take_overdue(std::vector<Read>& from, Instant now, std::vector<Ready>& overdue) {
  auto first = std::stable_partition(from.begin(), from.end(),
                                     [now](const Read& read) { return read.deadline > now; });
  for (auto i = from.begin(); i != first; ++i) earliest_.note(i->deadline);
  for (auto i = first; i != from.end(); ++i) overdue.push_back(std::move(i->ready));
  from.erase(first, from.end());
}

}  // namespace holdfast::node
