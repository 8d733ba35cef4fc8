#include "bench/pace.h"

#include <catch2/catch.hpp>

using holdfast::Duration;
using holdfast::Instant;
using holdfast::bench::Pace;
using std::chrono::seconds;

namespace {

constexpr Instant kStart{seconds(100)};

}  // namespace

TEST_CASE("in the closed loop an operation is due when it is taken, so many times") {
  Pace pace({3, Duration(0), 0.0}, kStart);
  for (int i = 0; i < 3; ++i) CHECK(pace.next(kStart + seconds(i)) == kStart + seconds(i));
  CHECK_FALSE(pace.next(kStart));
}

TEST_CASE("in the closed loop a duration ends the run whatever the total says") {
  Pace pace({1, seconds(2), 0.0}, kStart);
  CHECK(pace.next(kStart));
  CHECK(pace.next(kStart + seconds(2) - Duration(1)));
  CHECK_FALSE(pace.next(kStart + seconds(2)));
}

TEST_CASE("in the open loop operations are due at equal distances, however late they are taken") {
  Pace pace({5, Duration(0), 4.0}, kStart);
  const Instant late = kStart + seconds(60);
  for (int i = 0; i < 5; ++i) CHECK(pace.next(late) == kStart + i * Duration(250'000));
  CHECK_FALSE(pace.next(late));
}

TEST_CASE("in the open loop what was due within the duration is still sent after it") {
  Pace pace({1, seconds(1), 3.0}, kStart);
  const Instant late = kStart + seconds(60);
  CHECK(pace.next(late) == kStart);
  CHECK(pace.next(late) == kStart + Duration(333'333));
  CHECK(pace.next(late) == kStart + Duration(666'667));
  CHECK_FALSE(pace.next(late));
}

TEST_CASE("the open loop's distances do not gather rounding errors") {
  Pace pace({3'000'001, Duration(0), 3.0}, kStart);
  for (int i = 0; i < 3'000'000; ++i) static_cast<void>(pace.next(kStart));
  CHECK(pace.next(kStart) == kStart + seconds(1'000'000));
}
