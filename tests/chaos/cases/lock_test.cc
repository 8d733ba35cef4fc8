#include <catch2/catch.hpp>

#include "tests/chaos/lock_model.h"

namespace holdfast::chaos {

namespace {

using Kind = LockOperation::Kind;
using History = std::vector<Interval<LockOperation>>;

LockOperation grant(std::uint64_t token) { return {Kind::kGrant, token}; }
LockOperation release(std::uint64_t token) { return {Kind::kRelease, token}; }
LockOperation end(std::uint64_t token) { return {Kind::kEnd, token}; }
LockOperation look(std::uint64_t token) { return {Kind::kLook, token}; }

Verdict verdict(const History& history) { return check_lock(history, 100'000).verdict; }
bool good(const History& history) { return verdict(history) == Verdict::kLinearizable; }
bool bad(const History& history) { return verdict(history) == Verdict::kViolation; }

}  // namespace

TEST_CASE("a lock that goes from hand to hand is in order") {
  CHECK(good({{0, 10, grant(1)}, {20, 30, release(1)}, {5, 40, grant(2)}, {50, 60, release(2)}}));
  CHECK(good({{0, 1, look(0)}, {2, 3, grant(1)}, {4, 5, look(1)}, {6, 7, release(1)}, {8, 9, look(0)}}));
}

TEST_CASE("a double grant is seen") {
  CHECK(bad({{0, 1, grant(1)}, {2, 3, grant(2)}, {4, 5, release(1)}, {6, 7, release(2)}}));
  CHECK(bad({{0, 1, grant(1)}, {2, 3, grant(2)}}));
  // The first holder's release is answered late, but was called after the second grant was there.
  CHECK(bad({{0, 1, grant(1)}, {2, 3, grant(2)}, {4, 90, release(1)}}));
}

TEST_CASE("tokens that do not grow are seen") {
  CHECK(bad({{0, 1, grant(5)}, {2, 3, release(5)}, {4, 5, grant(4)}}));
  CHECK(bad({{0, 1, grant(5)}, {2, 3, release(5)}, {4, 5, grant(5)}}));
}

TEST_CASE("a grant while another holder was told that it is safe is seen") {
  // The first holder never released; it may have lost the lock from 100 on.
  CHECK(good({{0, 1, grant(1)}, {100, kOpen, end(1)}, {2, 150, grant(2)}}));
  CHECK(bad({{0, 1, grant(1)}, {100, kOpen, end(1)}, {2, 90, grant(2)}}));
}

TEST_CASE("who is shown as the holder is the holder") {
  CHECK(bad({{0, 1, grant(1)}, {2, 3, look(0)}, {50, kOpen, end(1)}}));
  CHECK(bad({{0, 1, grant(1)}, {2, 3, release(1)}, {4, 5, look(1)}}));
  // A grant whose answer nobody got is known by its token alone.
  CHECK(good({{0, 5, grant(1)}, {0, kOpen, end(1)}, {4, 5, look(1)}, {6, 7, look(0)}, {8, 9, grant(2)}}));
}

}  // namespace holdfast::chaos
