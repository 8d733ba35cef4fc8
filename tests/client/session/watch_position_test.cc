#include "client/session/watch_position.h"

#include <catch2/catch.hpp>

using holdfast::Revision;
using holdfast::session::WatchPosition;

namespace {
std::vector<Revision> revisions(std::initializer_list<std::uint64_t> numbers) {
  std::vector<Revision> result;
  for (std::uint64_t number : numbers) {
    result.emplace_back(number);
  }
  return result;
}
}  // namespace

TEST_CASE("a watch resumes behind the last batch that came whole") {
  WatchPosition position(Revision(5));
  CHECK(position.next() == Revision(5));
  CHECK(position.take(revisions({5, 7, 7}), Revision(8)) == 0);
  CHECK(position.next() == Revision(8));
  // Changes that the watch does not cover move it on as well.
  CHECK(position.take({}, Revision(20)) == 0);
  CHECK(position.next() == Revision(20));
}

TEST_CASE("a revision that was cut in two is neither lost nor repeated at another member") {
  WatchPosition position(Revision(5));
  CHECK(position.take(revisions({5, 6, 6}), Revision(6)) == 0);  // there is more of revision 6
  CHECK(position.next() == Revision(6));
  position.resumed();
  CHECK(position.take(revisions({6, 6, 6, 7}), Revision(8)) == 2);
  CHECK(position.next() == Revision(8));
}

TEST_CASE("a revision that goes on at the same member is delivered on") {
  WatchPosition position(Revision(5));
  CHECK(position.take(revisions({5, 5}), Revision(5)) == 0);
  CHECK(position.take(revisions({5}), Revision(6)) == 0);
  CHECK(position.next() == Revision(6));
}

TEST_CASE("a cut revision that is cut elsewhere the next time still comes whole and once") {
  WatchPosition position(Revision(9));
  CHECK(position.take(revisions({9, 9, 9}), Revision(9)) == 0);
  position.resumed();
  CHECK(position.take(revisions({9}), Revision(9)) == 1);
  CHECK(position.take(revisions({9}), Revision(9)) == 1);
  position.resumed();  // lost again, while still within what was delivered
  CHECK(position.take(revisions({9, 9, 9, 9}), Revision(10)) == 3);
  CHECK(position.next() == Revision(10));
}

TEST_CASE("what is older than the position was delivered before") {
  WatchPosition position(Revision(5));
  CHECK(position.take(revisions({3, 4, 5}), Revision(6)) == 2);
  CHECK(position.take(revisions({5}), Revision(6)) == 1);
  CHECK(position.next() == Revision(6));
}
