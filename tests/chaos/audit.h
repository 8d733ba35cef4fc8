#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/chaos/history.h"

namespace holdfast::chaos {

/// What came of judging a history.
struct Judgement {
  std::vector<std::string> breaches;  ///< empty: everything was as promised; each names its rule first
  std::uint64_t operations = 0;       ///< calls with an answer, and those without
  std::uint64_t unknown = 0;          ///< of these, with an unknown outcome
  std::uint64_t events = 0;           ///< changes that watchers saw
  std::uint64_t grants = 0;           ///< of locks
  std::uint64_t steps = 0;            ///< of all searches for a linear order

  bool good() const { return breaches.empty(); }
};

/// Judges a whole history:
///  - each key and each lock is linearizable; an undecided search counts as a breach;
///  - revisions and tokens follow real time over all keys and locks;
///  - queued claims on a lock are granted in the order of the queue, as far as it was seen;
///  - every watcher saw every change once and in order; every acknowledged write and everything that was read
///    is among them, and nothing that nobody wrote or that was said to have failed;
///  - no lease ended before its time, and what hung on one that did is gone;
///  - what is there in the end is what the changes add up to.
/// `most_steps`: of each search.
Judgement judge(const std::vector<Record>& history, std::uint64_t most_steps = 5'000'000);

}  // namespace holdfast::chaos
