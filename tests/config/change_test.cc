#include "config/change.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

using namespace holdfast;
using namespace holdfast::config;

TEST_CASE("a change gives back what it was made of, bytes of every kind included") {
  const std::string key("\0k\xff", 3);
  const std::string value("v\0", 2);
  const Change put = Change::put(key, value, {Revision(3), Revision(~0ull), 7, LeaseId(5)});
  CHECK(put.is_put());
  CHECK(put.key() == key);
  CHECK(put.value() == value);
  CHECK(put.create_revision() == Revision(3));
  CHECK(put.mod_revision() == Revision(~0ull));
  CHECK(put.revision() == put.mod_revision());
  CHECK(put.version() == 7);
  CHECK(put.lease() == LeaseId(5));
  const Change longest = Change::put(std::string(65'535, 'k'), "", {});
  CHECK(longest.key().size() == 65'535);
  CHECK(longest.value().empty());
}

TEST_CASE("a deletion has a key and a revision, and is no put of nothing") {
  const Change gone = Change::deletion("k", Revision(4));
  CHECK(gone.type() == ChangeType::kDelete);
  CHECK(gone.value().empty());
  CHECK(gone.revision() == Revision(4));
  CHECK(gone.version() == 0);
  CHECK(gone != Change::put("k", "", gone.numbers()));
}

TEST_CASE("changes are equal if all of them is") {
  const Change::Numbers numbers{Revision(1), Revision(2), 2, {}};
  const Change change = Change::put("ab", "c", numbers);
  CHECK(change == Change::put("ab", "c", numbers));
  CHECK(change != Change::put("a", "bc", numbers));
  CHECK(change != Change::put("ab", "c", {Revision(1), Revision(2), 3, {}}));
}

TEST_CASE("a value outlives the change that it is shared with") {
  std::optional<Change> change = Change::put("k", "value", {});
  const Blob value = change->shared_value();
  CHECK(value.view().data() == change->value().data());
  change.reset();
  CHECK(value.view() == "value");
}
