#include "node/image_pace.h"

#include <catch2/catch.hpp>
#include <set>

namespace holdfast::node {
namespace {

constexpr std::size_t kSmall = 10;
constexpr std::size_t kLarge = 1000;  // rows: 64,000 bytes are enough

struct Fixture {
  Instant now{std::chrono::seconds(100)};
  ImagePace pace{{std::chrono::seconds(5), 16'000, 0, 1}, now};

  /// A second passes in which so much is applied. Returns: whether an image begins at its end.
  bool second(std::size_t bytes, std::size_t rows) {
    now += std::chrono::seconds(1);
    pace.applied(bytes, rows, now);
    return look(rows);
  }
  bool look(std::size_t rows) {
    const bool begins = pace.begins(rows, now);
    if (begins) pace.begun(now);
    if (begins) pace.frozen();
    return begins;
  }
  /// Returns: how many seconds passed until an image began; 100 if none did.
  int seconds_until_image(std::size_t bytes, std::size_t rows) {
    for (int passed = 1; passed < 100; ++passed) {
      if (second(bytes, rows)) return passed;
    }
    return 100;
  }
};

TEST_CASE_METHOD(Fixture, "an image of a small state is due every interval, and earlier after many changes") {
  CHECK(seconds_until_image(100, kSmall) == 5);
  CHECK(seconds_until_image(0, kSmall) == 5);
  CHECK(seconds_until_image(8000, kSmall) == 2);
}

TEST_CASE_METHOD(Fixture, "an image of a large state waits until the changes are in proportion to it") {
  CHECK(seconds_until_image(8000, kLarge) == 8);
  CHECK(seconds_until_image(32'000, kLarge) == 2);
}

TEST_CASE_METHOD(Fixture, "an image of a large state waits no longer when changes stop coming") {
  for (int i = 0; i < 7; ++i) CHECK_FALSE(second(100, kLarge));
  CHECK(pace.due() == now + std::chrono::seconds(3));
  CHECK(seconds_until_image(0, kLarge) == 8);  // at 10 s there was something new, at 15 not
}

TEST_CASE_METHOD(Fixture,
                 "however slowly changes come an image of a large state is due after six intervals") {
  CHECK(seconds_until_image(1, kLarge) == 30);
  CHECK(seconds_until_image(1, kLarge) == 30);
}

TEST_CASE_METHOD(Fixture, "a state that was emptied is small again") {
  CHECK_FALSE(second(15'000, kLarge));
  CHECK(second(1'000, kSmall));
}

TEST_CASE("members that apply the same commands write their images at different moments") {
  Instant now{std::chrono::seconds(100)};
  constexpr std::size_t kBytes = 100'000;
  std::set<std::size_t> amounts;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ImagePace pace{{std::chrono::seconds(5), kBytes, 25, seed}, now};
    std::size_t bytes = 0;
    for (; !pace.begins(kSmall, now); bytes += 1000) pace.applied(1000, kSmall, now);
    CHECK(bytes >= kBytes * 3 / 4);
    CHECK(bytes <= kBytes * 5 / 4);
    amounts.insert(bytes);
  }
  CHECK(amounts.size() > 10);
}

TEST_CASE("what is enough for an image is drawn anew for each, for a large state as well") {
  Instant now{std::chrono::seconds(100)};
  ImagePace pace{{std::chrono::seconds(5), 16'000, 25, 1}, now};
  std::set<std::size_t> amounts;
  for (int image = 0; image < 20; ++image) {
    std::size_t bytes = 0;
    for (; !pace.begins(kLarge, now); bytes += 1000) pace.applied(1000, kLarge, now);
    CHECK(bytes >= 48'000);
    CHECK(bytes <= 80'000);
    amounts.insert(bytes);
    pace.begun(now);
    pace.frozen();
  }
  CHECK(amounts.size() > 10);
}

}  // namespace
}  // namespace holdfast::node
