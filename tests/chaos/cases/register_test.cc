#include <algorithm>
#include <catch2/catch.hpp>

#include "base/random.h"
#include "tests/chaos/register_model.h"

namespace holdfast::chaos {

namespace {

using Kind = KeyOperation::Kind;
using Answer = KeyOperation::Answer;
using History = std::vector<Interval<KeyOperation>>;

constexpr std::uint64_t kEnough = 1'000'000;

KeyOperation put(std::uint64_t value, std::uint64_t revision) {
  KeyOperation one;
  one.kind = Kind::kPut;
  one.value = value;
  one.revision = revision;
  return one;
}
KeyOperation put_unknown(std::uint64_t value) {
  KeyOperation one = put(value, 0);
  one.answer = Answer::kUnknown;
  return one;
}
KeyOperation swap(std::uint64_t expected, std::uint64_t value, std::uint64_t revision) {
  KeyOperation one = put(value, revision);
  one.conditional = true;
  one.expected = expected;
  return one;
}
KeyOperation swap_refused(std::uint64_t expected, std::uint64_t found) {
  KeyOperation one = swap(expected, 99, found);
  one.answer = Answer::kMismatch;
  return one;
}
KeyOperation swap_unknown(std::uint64_t expected, std::uint64_t value) {
  KeyOperation one = swap(expected, value, 0);
  one.answer = Answer::kUnknown;
  return one;
}
KeyOperation remove(std::uint64_t revision) {
  KeyOperation one;
  one.kind = Kind::kDelete;
  one.present = true;
  one.revision = revision;
  return one;
}
KeyOperation remove_nothing(std::uint64_t store_revision) {
  KeyOperation one = remove(store_revision);
  one.present = false;
  return one;
}
KeyOperation get(std::uint64_t value, std::uint64_t revision, std::uint64_t version) {
  KeyOperation one;
  one.value = value;
  one.revision = revision;
  one.version = version;
  one.present = true;
  return one;
}
KeyOperation get_nothing() { return {}; }

Verdict verdict(const History& history) { return check_key(history, kEnough).verdict; }
bool good(const History& history) { return verdict(history) == Verdict::kLinearizable; }
bool bad(const History& history) { return verdict(history) == Verdict::kViolation; }

}  // namespace

TEST_CASE("a history without operations, and one of calls one after the other, are linearizable") {
  CHECK(good({}));
  CHECK(good({{0, 1, get_nothing()},
              {2, 3, put(1, 5)},
              {4, 5, get(1, 5, 1)},
              {6, 7, swap(5, 2, 8)},
              {8, 9, get(2, 8, 2)},
              {10, 11, remove(9)},
              {12, 13, get_nothing()},
              {13, 14, remove_nothing(30)},
              {14, 15, swap(0, 3, 10)},
              {16, 17, get(3, 10, 1)}}));
}

TEST_CASE("calls that overlap may have happened in either order") {
  CHECK(good({{0, 10, put(1, 5)}, {1, 9, get_nothing()}}));
  CHECK(good({{0, 10, put(1, 5)}, {1, 9, get(1, 5, 1)}}));
  // Two readers beside one writer: the later reader decides nothing for the earlier one.
  CHECK(good({{0, 100, put(1, 5)}, {1, 2, get_nothing()}, {3, 4, get(1, 5, 1)}, {5, 6, get(1, 5, 1)}}));
}

TEST_CASE("a stale read is seen") {
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, put(2, 6)}, {4, 5, get(1, 5, 1)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, get_nothing()}}));
  // It overlaps the write, but follows a read that has seen the new value.
  CHECK(bad({{0, 1, put(1, 5)}, {2, 20, put(2, 6)}, {3, 4, get(2, 6, 2)}, {5, 6, get(1, 5, 1)}}));
}

TEST_CASE("a lost update is seen") {
  // Two compare-and-swaps from one revision, both told that they succeeded.
  CHECK(bad({{0, 1, put(1, 5)}, {2, 9, swap(5, 2, 6)}, {3, 8, swap(5, 3, 7)}}));
  // An acknowledged put of which nothing is left, not even in the version.
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, put(2, 6)}, {4, 5, put(3, 7)}, {6, 7, get(3, 7, 2)}}));
  // An acknowledged write that is gone after a failover.
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, put(2, 6)}, {4, 5, swap(5, 3, 7)}}));
}

TEST_CASE("a read of two sides of a split brain is seen") {
  // Each side acknowledged its own write and its own read.
  CHECK(bad(
      {{0, 1, put(1, 5)}, {2, 3, put(2, 6)}, {2, 3, put(3, 7)}, {4, 5, get(2, 6, 2)}, {4, 5, get(3, 7, 2)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 9, swap(5, 2, 6)}, {2, 9, get(2, 6, 2)}, {10, 11, get(1, 5, 1)}}));
}

TEST_CASE("a value out of thin air is seen") {
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, get(7, 6, 2)}}));
  CHECK(bad({{0, 1, get(7, 6, 1)}}));
  // The right value with a revision or a version that it cannot have.
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, get(1, 6, 1)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, get(1, 5, 2)}}));
}

TEST_CASE("revisions of a key that run backwards are seen") {
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, put(2, 4)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, remove(5)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, kOpen, put_unknown(2)}, {3, 4, get(2, 4, 2)}}));
}

TEST_CASE("an unknown outcome may have taken effect, at once or late") {
  const Interval<KeyOperation> open{2, kOpen, put_unknown(2)};
  CHECK(good({{0, 1, put(1, 5)}, open, {4, 5, get(2, 6, 2)}}));
  CHECK(good({{0, 1, put(1, 5)}, open, {4, 5, get(1, 5, 1)}, {6, 7, get(2, 6, 2)}}));
  CHECK(good({{0, 1, put(1, 5)}, open, {4, 5, put(3, 7)}, {6, 7, get(3, 7, 3)}}));
  CHECK(good({{0, 1, put(1, 5)}, open, {4, 5, put(3, 7)}, {6, 7, get(2, 9, 3)}}));
}

TEST_CASE("an unknown outcome may never take effect") {
  const Interval<KeyOperation> open{2, kOpen, put_unknown(2)};
  CHECK(good({{0, 1, put(1, 5)}, open, {4, 5, get(1, 5, 1)}, {6, 7, put(3, 7)}, {8, 9, get(3, 7, 2)}}));
}

TEST_CASE("an unknown outcome takes effect once, and not before its call") {
  const Interval<KeyOperation> open{2, kOpen, put_unknown(2)};
  CHECK(bad({{0, 1, put(1, 5)}, open, {4, 5, get(2, 6, 2)}, {6, 7, get(1, 5, 1)}}));
  CHECK(bad({{0, 1, put(1, 5)}, open, {4, 5, get(2, 6, 2)}, {6, 7, put(3, 8)}, {8, 9, get(2, 9, 4)}}));
  CHECK(bad({{0, 1, get(2, 6, 1)}, open}));
  CHECK(bad({{0, 1, put(1, 5)}, open, {4, 5, get(2, 6, 3)}}));  // twice
}

TEST_CASE("a compare-and-swap with an unknown outcome has its effect only where its condition holds") {
  CHECK(good({{0, 1, put(1, 5)}, {2, kOpen, swap_unknown(5, 2)}, {4, 5, get(2, 6, 2)}}));
  CHECK(good({{0, 1, put(1, 5)}, {2, kOpen, swap_unknown(5, 2)}, {4, 5, get(1, 5, 1)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, kOpen, swap_unknown(4, 2)}, {4, 5, get(2, 6, 2)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, put(3, 6)}, {4, kOpen, swap_unknown(5, 2)}, {5, 6, get(2, 7, 3)}}));
  // The condition names the revision that a put of unknown outcome turned out to have.
  CHECK(good({{0, kOpen, put_unknown(1)}, {1, 2, swap(7, 2, 8)}, {3, 4, get(2, 8, 2)}}));
  CHECK(good({{0, kOpen, put_unknown(1)}, {1, kOpen, swap_unknown(7, 2)}, {3, 4, get(2, 8, 2)}}));
}

TEST_CASE("a refused compare-and-swap speaks the truth about the revision it found") {
  CHECK(good({{0, 1, put(1, 5)}, {2, 3, swap_refused(4, 5)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, swap_refused(5, 5)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, swap_refused(5, 4)}}));
  CHECK(bad({{0, 1, put(1, 5)}, {2, 3, put(2, 6)}, {4, 5, swap_refused(3, 5)}}));
  CHECK(good({{0, 1, swap_refused(5, 0)}}));
}

TEST_CASE("a check that cannot be finished within its steps is undecided, not good") {
  History history;
  for (std::uint64_t i = 0; i < 20; ++i) history.push_back({0, 100, put(i + 1, 40 - i)});
  CHECK(check_key(history, 1).verdict == Verdict::kUndecided);
}

TEST_CASE("a violation says which operation has no place") {
  const History history{{0, 1, put(1, 5)}, {2, 3, put(2, 6)}, {4, 5, get(1, 5, 1)}, {6, 7, get(2, 6, 2)}};
  const Search search = check_key(history, kEnough);
  CHECK(search.verdict == Verdict::kViolation);
  CHECK(search.stuck_at == 2);
  CHECK(search.placed == 1);
}

namespace {

/// A history drawn from a real order: each operation's interval surrounds the moment at which it took effect.
History drawn(Random& random, std::size_t length, double unknown_percent) {
  History history;
  RegisterModel::State state;
  std::uint64_t revision = 0;
  bool told = true;  // some client was told the revision of the last change
  for (std::size_t i = 0; i < length; ++i) {
    const auto moment = static_cast<std::int64_t>(1000 * (i + 1));
    Interval<KeyOperation> one{moment - static_cast<std::int64_t>(random.below(4000)),
                               moment + static_cast<std::int64_t>(random.below(4000)),
                               {}};
    const std::uint64_t kind = random.below(4);
    if (kind == 0) {
      one.operation = state.present ? get(state.value, state.revision, state.version) : get_nothing();
    } else if (kind == 1 && state.present) {
      one.operation = remove(++revision);
    } else if (kind == 2 && (told || !state.present)) {
      one.operation = swap(state.present ? state.revision : 0, i + 1, ++revision);
    } else {
      one.operation = put(i + 1, ++revision);
    }
    std::vector<RegisterModel::State> next;
    RegisterModel().step(state, one.operation, next);
    REQUIRE(next.size() == 1);
    const bool lost = one.operation.kind != Kind::kGet && random.chance(unknown_percent);
    // Of what is unknown a half happened, and a half never did.
    const bool happened = !lost || random.chance(50);
    if (happened) state = next.front();
    if (happened) told = !lost;
    if (lost) {
      one.end = kOpen;
      one.operation.answer = Answer::kUnknown;
    }
    history.push_back(one);
  }
  return history;
}

}  // namespace

TEST_CASE("histories drawn from a real order are linearizable, however the calls overlap") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const History history = drawn(random, 60, 15);
    CHECK(good(history));
  }
}

TEST_CASE("one stale answer in a long history is found, with many unknown outcomes around it") {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    History history = drawn(random, 200, 5);
    const auto is_get = [](const auto& one) {
      return one.operation.kind == Kind::kGet && one.operation.present;
    };
    const auto old = std::find_if(history.begin(), history.begin() + 80, is_get);
    const auto late = std::find_if(history.begin() + 150, history.end(), is_get);
    if (old == history.begin() + 80 || late == history.end()) continue;
    late->operation = old->operation;
    CHECK(verdict(history) == Verdict::kViolation);
    ++found;
  }
  CHECK(found > 40);
}

TEST_CASE("a history of tens of thousands of operations is checked in a moment") {
  Random random(7);
  const History history = drawn(random, 20'000, 1);
  const Search search = check_key(history, kEnough);
  CHECK(search.verdict == Verdict::kLinearizable);
  CHECK(search.steps < 500'000);
}

}  // namespace holdfast::chaos
