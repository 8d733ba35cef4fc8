#include "raft/well_formed.h"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

bool accepts(std::uint64_t term, Body body) {
  return well_formed({id(2), id(1), Term(term), std::move(body)});
}

AppendEntries append(std::uint64_t previous, std::uint64_t previous_term, std::vector<Entry> entries) {
  AppendEntries body;
  body.previous_index = Index(previous);
  body.previous_term = Term(previous_term);
  body.entries = std::move(entries);
  return body;
}

}  // namespace

TEST_CASE("what the protocol says is well formed") {
  CHECK(accepts(1, RequestVote()));
  CHECK(accepts(1, append(0, 0, entries_of({1, 1}))));
  CHECK(accepts(3, append(4, 2, entries_of({2, 3}, 5))));
  CHECK(accepts(1, AppendReply()));
  CHECK(accepts(1, TimeoutNow()));
}

TEST_CASE("numbers that no cluster reaches are refused, wherever they stand") {
  CHECK_FALSE(accepts(kHuge, TimeoutNow()));
  CHECK_FALSE(accepts(0, TimeoutNow()));
  CHECK_FALSE(accepts(1, RequestVote{false, false, Index(kHuge), Term(1)}));
  CHECK_FALSE(accepts(1, RequestVote{false, false, Index(1), Term(kHuge)}));
  CHECK_FALSE(accepts(1, append(kHuge, 1, {})));
  AppendEntries commit;
  commit.commit = Index(kHuge);
  CHECK_FALSE(accepts(1, commit));
  AppendEntries held;
  held.held_by_all = Index(kHuge);
  CHECK_FALSE(accepts(1, held));
  CHECK_FALSE(accepts(1, AppendReply{true, Index(kHuge), Index(), Term(), 0}));
  CHECK_FALSE(accepts(1, AppendReply{false, Index(1), Index(kHuge), Term(), 0}));
  CHECK_FALSE(accepts(1, AppendReply{false, Index(1), Index(1), Term(kHuge), 0}));
}

TEST_CASE("entries follow each other, and their terms neither fall nor exceed the sender's") {
  CHECK_FALSE(accepts(1, append(3, 1, entries_of({1}, 5))));
  CHECK_FALSE(accepts(1, append(3, 1, entries_of({1}, 3))));
  CHECK_FALSE(accepts(9, append(3, 3, entries_of({2}, 4))));
  CHECK_FALSE(accepts(9, append(3, 3, entries_of({4, 3}, 4))));
  CHECK_FALSE(accepts(3, append(3, 3, entries_of({4}, 4))));
  CHECK_FALSE(accepts(3, append(3, 4, {})));
  CHECK_FALSE(accepts(3, append(0, 1, {})));
  CHECK_FALSE(accepts(3, append(0, 0, entries_of({0}))));
}
