#include "raft/log.h"

#include <catch2/catch.hpp>

#include "tests/raft/bench.h"

using namespace holdfast;
using namespace holdfast::raft;
using namespace holdfast::raft::bench;

namespace {

std::shared_ptr<const Membership> nobody() { return std::make_shared<const Membership>(); }

}  // namespace

TEST_CASE("an empty log ends at its base") {
  const Log fresh(Index(), Term(), nobody(), {});
  CHECK(fresh.last_index() == Index(0));
  CHECK(fresh.last_term() == Term(0));
  CHECK(fresh.matches(Index(0), Term(0)));

  const Log compacted(Index(7), Term(3), nobody(), {});
  CHECK(compacted.last_index() == Index(7));
  CHECK(compacted.last_term() == Term(3));
  CHECK(compacted.term_at(Index(7)) == Term(3));
  CHECK(compacted.term_at(Index(6)) == std::nullopt);
  CHECK(compacted.term_at(Index(8)) == std::nullopt);
}

TEST_CASE("a log is covered by one that ends in a later term, or in the same and no earlier") {
  const Log log(Index(), Term(), nobody(), entries_of({1, 2, 2}));
  CHECK(log.covered_by(Index(1), Term(3)));
  CHECK(log.covered_by(Index(3), Term(2)));
  CHECK(log.covered_by(Index(4), Term(2)));
  CHECK_FALSE(log.covered_by(Index(2), Term(2)));
  CHECK_FALSE(log.covered_by(Index(9), Term(1)));
}

TEST_CASE("the last entry not after a term is found, in and around the log") {
  const Log log(Index(2), Term(1), nobody(), entries_of({1, 3, 3, 5}, 3));
  const auto last = [&](std::uint64_t from, std::uint64_t term) {
    return log.last_not_after(Index(from), Term(term)).value();
  };
  CHECK(last(6, 5) == 6);
  CHECK(last(6, 4) == 5);
  CHECK(last(6, 3) == 5);
  CHECK(last(4, 3) == 4);
  CHECK(last(6, 2) == 3);
  CHECK(last(6, 0) == 2);    // the base, which is committed
  CHECK(last(1, 9) == 2);    // below it
  CHECK(last(100, 9) == 6);  // behind the end
}

TEST_CASE("truncation and appending replace a tail") {
  Log log(Index(), Term(), nobody(), entries_of({1, 1, 1}));
  log.truncate_after(Index(1));
  CHECK(log.last_index() == Index(1));
  for (Entry& entry : entries_of({2, 2}, 2)) log.append(entry);
  CHECK(log.slice(Index(1), Index(3))[1].term == Term(2));
  CHECK(log.last_term() == Term(2));
}

TEST_CASE("compaction keeps the term of the last entry it drops") {
  Log log(Index(), Term(), nobody(), entries_of({1, 2, 3}));
  log.compact(Index(2));
  CHECK(log.base_index() == Index(2));
  CHECK(log.term_at(Index(2)) == Term(2));
  CHECK(log.term_at(Index(1)) == std::nullopt);
  CHECK(log.at(Index(3)).term == Term(3));
  log.compact(Index(1));  // long gone
  CHECK(log.base_index() == Index(2));
  log.compact(Index(3));
  CHECK(log.last_index() == Index(3));
  CHECK(log.last_term() == Term(3));
}

TEST_CASE("reading is bounded by bytes but never returns nothing") {
  Log log(Index(), Term(), nobody(), {});
  for (std::uint64_t i = 1; i <= 4; ++i)
    log.append({Term(1), Index(i), EntryKind::kCommand, Blob(std::string(100, 'x'))});
  const std::size_t one = size_of(log.at(Index(1)));
  CHECK(one > 100);
  CHECK(log.read(Index(1), 1).size() == 1);
  CHECK(log.read(Index(1), 2 * one - 1).size() == 1);
  CHECK(log.read(Index(1), 2 * one).size() == 2);
  CHECK(log.read(Index(2), 1'000'000).size() == 3);
  CHECK(log.read(Index(5), 1'000'000).empty());
}
