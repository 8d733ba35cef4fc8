#include "node/log_retention.h"

#include <catch2/catch.hpp>

namespace holdfast::node {
namespace {

constexpr std::size_t kEntry = 100 + LogRetention::kEntryBytes;

struct Fixture {
  LogRetention retention{{10, 50 * kEntry}, Index()};
  std::uint64_t applied = 0;

  /// Applies entries up to `index` and writes an image there.
  void image(std::uint64_t index) {
    for (; applied < index; ++applied) {
      raft::Entry entry;
      entry.index = Index(applied + 1);
      entry.payload = Blob(std::string(100, 'x'));
      retention.applied(entry);
    }
    retention.image_at(Index(index));
  }
  std::uint64_t through(std::uint64_t held_by_all, std::optional<Index> served = {}) const {
    return retention.through(Index(held_by_all), served).value();
  }
};

TEST_CASE_METHOD(Fixture, "what every member has goes, but for the newest entries below the image") {
  CHECK(through(0) == 0);
  image(5);
  CHECK(through(5) == 0);
  image(30);
  CHECK(through(30) == 20);
  CHECK(through(15) == 15);
}

TEST_CASE_METHOD(Fixture, "for a member that is gone the log is kept up to a bound, then no more") {
  image(20);
  image(40);
  CHECK(through(3) == 3);
  image(60);
  CHECK(through(3) == 20);
  image(90);
  CHECK(through(3) == 40);
  image(500);
  CHECK(through(3) == 490);
}

TEST_CASE_METHOD(Fixture, "an image that is being served holds the log where it stands") {
  image(500);
  CHECK(through(3, Index(200)) == 200);
  CHECK(through(3, Index(499)) == 490);
}

TEST_CASE_METHOD(Fixture, "behind another member's image it counts anew") {
  image(30);
  retention.start_at(Index(1000));
  CHECK(through(0) == 0);
  CHECK(through(1000) == 990);
}

}  // namespace
}  // namespace holdfast::node
