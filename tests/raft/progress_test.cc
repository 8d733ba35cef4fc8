#include "raft/progress.h"

#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

Progress replicating(std::uint64_t match) {
  Progress progress(Index(match + 1), at(0));
  progress.accepted(Index(match), Index());
  return progress;
}

}  // namespace

TEST_CASE("a probe is one message, until it is answered") {
  Progress progress(Index(5), at(0));
  CHECK(progress.pace() == Pace::kProbe);
  CHECK(progress.may_send_entries(9, 1000));
  progress.entries_sent(Index(8), 10);
  CHECK_FALSE(progress.may_send_entries(9, 1000));
  CHECK(progress.next() == Index(5));
  CHECK(progress.accepted(Index(8), Index()));
  CHECK(progress.pace() == Pace::kReplicate);
  CHECK(progress.match() == Index(8));
  CHECK(progress.next() == Index(9));
}

TEST_CASE("a window closes when it is full and opens with the acknowledgement of its first message") {
  Progress progress = replicating(0);
  progress.entries_sent(Index(2), 10);
  progress.entries_sent(Index(4), 10);
  CHECK(progress.next() == Index(5));
  CHECK(progress.in_flight() == 2);
  CHECK_FALSE(progress.may_send_entries(2, 1000));
  progress.accepted(Index(1), Index());  // half of the first
  CHECK_FALSE(progress.may_send_entries(2, 1000));
  progress.accepted(Index(2), Index());
  CHECK(progress.may_send_entries(2, 1000));
  progress.accepted(Index(4), Index());
  CHECK(progress.in_flight() == 0);
}

TEST_CASE("an old acknowledgement changes nothing") {
  Progress progress = replicating(7);
  CHECK_FALSE(progress.accepted(Index(3), Index()));
  CHECK(progress.match() == Index(7));
  CHECK(progress.next() == Index(8));
}

TEST_CASE("a rejection turns replicating into probing at the retry, never at or below the match") {
  Progress progress = replicating(3);
  progress.entries_sent(Index(9), 10);
  CHECK(progress.rejected(Index(9), Index(6)));
  CHECK(progress.pace() == Pace::kProbe);
  CHECK(progress.next() == Index(6));
  CHECK(progress.in_flight() == 0);
  progress.entries_sent(Index(9), 10);
  CHECK(progress.rejected(Index(5), Index(1)));
  CHECK(progress.next() == Index(4));
}

TEST_CASE("each rejected probe looks further back, whatever the hint") {
  Progress progress(Index(10), at(0));
  for (std::uint64_t previous = 9; previous > 0; --previous) {
    CHECK(progress.rejected(Index(previous), Index(1000)));
    CHECK(progress.next() == Index(previous));
  }
}

TEST_CASE("a rejection of what is known to match, or of an older probe, is ignored") {
  Progress replicate = replicating(5);
  replicate.entries_sent(Index(9), 10);
  CHECK_FALSE(replicate.rejected(Index(5), Index(1)));
  CHECK_FALSE(replicate.rejected(Index(10), Index(1)));
  CHECK(replicate.pace() == Pace::kReplicate);

  Progress probe(Index(10), at(0));
  CHECK(probe.rejected(Index(9), Index(4)));
  CHECK_FALSE(probe.rejected(Index(9), Index(2)));
  CHECK_FALSE(probe.rejected(Index(2), Index(1)));
  CHECK(probe.next() == Index(4));
}

TEST_CASE("a lost connection sends everything behind the match again") {
  Progress progress = replicating(3);
  progress.entries_sent(Index(9), 10);
  progress.reset();
  CHECK(progress.pace() == Pace::kProbe);
  CHECK(progress.next() == Index(4));
  CHECK(progress.may_send_entries(1, 1000));
}

TEST_CASE("one that needs a snapshot is sent no entries until it has enough") {
  Progress progress(Index(4), at(0));
  progress.needs_snapshot();
  CHECK(progress.pace() == Pace::kNeedsSnapshot);
  CHECK_FALSE(progress.may_send_entries(9, 1000));
  CHECK(progress.accepted(Index(20), Index()));
  CHECK(progress.pace() == Pace::kReplicate);
  CHECK(progress.next() == Index(21));
}
