#include "config/config_table.h"

#include <catch2/catch.hpp>
#include <iterator>
#include <string>

#include "base/random.h"

using namespace holdfast;
using namespace holdfast::config;

namespace {

struct Config {
  ConfigTable table;
  std::vector<Change> changes;
  Revision at;

  Result<std::size_t> put(const std::string& key, const std::string& value, LeaseId lease = {},
                          std::optional<Revision> expected = {}) {
    changes.clear();
    at = at.next();
    return table.put({key, Blob(value), lease, expected}, at, changes);
  }
  Result<std::size_t> remove(const KeyRange& range, std::optional<Revision> expected = {}) {
    changes.clear();
    at = at.next();
    return table.remove({range, expected}, at, changes);
  }
};

}  // namespace

TEST_CASE("a key keeps its creation's revision and counts its versions until it is deleted") {
  Config config;
  REQUIRE(config.put("a", "1"));
  REQUIRE(config.put("a", "2"));
  CHECK(*config.table.find("a") == Change::put("a", "2", {Revision(1), Revision(2), 2, {}}));
  CHECK(config.changes == std::vector<Change>{*config.table.find("a")});
  CHECK(config.remove(KeyRange::one("a")).value() == 1);
  REQUIRE(config.changes.size() == 1);
  CHECK(config.changes[0] == Change::deletion("a", Revision(3)));
  REQUIRE(config.put("a", "3"));
  CHECK(*config.table.find("a") == Change::put("a", "3", {Revision(4), Revision(4), 1, {}}));
}

TEST_CASE("a put with an expected revision changes nothing unless the key is at that revision") {
  Config config;
  REQUIRE(config.put("a", "1", {}, Revision(0)));
  const auto again = config.put("a", "2", {}, Revision(0));
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::kRevisionMismatch);
  CHECK(again.error().revision == Revision(1));
  CHECK(config.changes.empty());
  CHECK(config.table.find("a")->value() == "1");
  REQUIRE(config.put("a", "2", {}, Revision(1)));
  const auto missing = config.put("b", "2", {}, Revision(1));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().revision == Revision(0));
}

TEST_CASE("a delete with an expected revision is for one key and changes nothing on a mismatch") {
  Config config;
  REQUIRE(config.put("a", "1"));
  CHECK(config.remove(KeyRange::one("a"), Revision(9)).error().code == Errc::kRevisionMismatch);
  CHECK(config.remove(KeyRange::prefix("a"), Revision(1)).error().code == Errc::kInvalidArgument);
  CHECK(config.table.find("a"));
  CHECK(config.remove(KeyRange::one("b"), Revision(0)).value() == 0);
  CHECK(config.remove(KeyRange::one("a"), Revision(1)).value() == 1);
  CHECK_FALSE(config.table.find("a"));
}

TEST_CASE("a prefix covers exactly the keys that start with it") {
  CHECK(KeyRange::prefix("a") == KeyRange{"a", "b"});
  CHECK(KeyRange::prefix("a\xff") == KeyRange{"a\xff", "b"});
  CHECK(KeyRange::prefix("\xff\xff") == KeyRange{"\xff\xff", ""});
  CHECK(KeyRange::prefix("") == KeyRange{"", ""});
  CHECK(KeyRange::prefix("\xff").contains("\xff\xff\xff"));
  CHECK(KeyRange::one("a").is_one_key());
  CHECK(KeyRange::one("").is_one_key());
  CHECK_FALSE(KeyRange::prefix("a").is_one_key());
  CHECK_FALSE(KeyRange::one("a").contains(std::string("a\0", 2)));
  Config config;
  for (const char* key : {"a", "a/1", "a/2", "a0", "b"}) REQUIRE(config.put(key, "x"));
  CHECK(config.table.count(KeyRange::prefix("a/")) == 2);
  CHECK(config.table.count(KeyRange::one("a")) == 1);
  CHECK(config.table.count(KeyRange::prefix("")) == 5);
  CHECK(config.table.count(KeyRange{"b", ""}) == 1);
  CHECK(config.table.count(KeyRange{"b", "a"}) == 0);
  CHECK(config.remove(KeyRange::prefix("a/")).value() == 2);
  CHECK(config.changes.size() == 2);
  CHECK(config.table.all().size() == 3);
}

TEST_CASE("a key belongs to the lease of its last put only") {
  Config config;
  REQUIRE(config.put("a", "1", LeaseId(1)));
  REQUIRE(config.put("b", "1", LeaseId(1)));
  REQUIRE(config.put("a", "2", LeaseId(2)));
  REQUIRE(config.put("b", "2"));
  CHECK_FALSE(config.table.attached_to(LeaseId(1)));
  REQUIRE(config.table.attached_to(LeaseId(2)));
  CHECK(config.table.attached_to(LeaseId(2))->contains("a"));
  config.changes.clear();
  CHECK(config.table.end_lease(LeaseId(1), 10, Revision(9), config.changes) == 0);
  CHECK(config.table.end_lease(LeaseId(2), 10, Revision(9), config.changes) == 1);
  CHECK(config.changes.size() == 1);
  CHECK(config.table.find("b"));
}

TEST_CASE("the keys of an ending lease go in batches") {
  Config config;
  for (int i = 0; i < 25; ++i) REQUIRE(config.put("k" + std::to_string(i), "x", LeaseId(1)));
  config.changes.clear();
  CHECK(config.table.end_lease(LeaseId(1), 10, Revision(100), config.changes) == 10);
  CHECK(config.table.end_lease(LeaseId(1), 10, Revision(101), config.changes) == 10);
  CHECK(config.table.end_lease(LeaseId(1), 10, Revision(102), config.changes) == 5);
  CHECK(config.table.end_lease(LeaseId(1), 10, Revision(103), config.changes) == 0);
  CHECK(config.changes.size() == 25);
  CHECK(config.table.all().empty());
}

TEST_CASE(
    "what is found by its key is what the ordered table holds, and images with their history come to it") {
  Config config;
  Random random(7);
  const auto key_of = [](std::uint64_t number) { return "key " + std::to_string(number); };
  LaggingRows& lagging = config.table.lagging();
  ConfigTable::Table image;
  std::vector<Change> history;
  int walks = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = key_of(random.below(40));
    const LeaseId lease(random.below(4));
    config.table.prefetch(std::vector<std::string_view>{key, "another key"});
    switch (random.below(6)) {
      case 0:
        REQUIRE(config.remove(random.below(8) > 0 ? KeyRange::one(key) : KeyRange::prefix("key 1")));
        break;
      case 1:
        config.at = config.at.next();
        if (lease) config.table.end_lease(lease, 1 + random.below(10), config.at, config.changes);
        break;
      default:
        REQUIRE(config.put(key, std::to_string(step), lease));
    }
    for (Change& change : config.changes) history.push_back(std::move(change));
    config.changes.clear();

    if (!lagging.walking() && random.below(30) == 0) {
      std::vector<std::string> keys;
      for (const Change& change : history) {
        if (change.revision() > lagging.through()) keys.emplace_back(change.key());
      }
      random.below(2) == 0 ? lagging.begin_all(config.at) : lagging.begin_few(std::move(keys), config.at);
      ++walks;
    } else if (lagging.walking() && random.below(3) == 0) {
      for (auto& [key_taken, row] : config.table.take_rows(1 + random.below(10))) {
        if (const auto old = image.find(key_taken); old != image.end()) image.erase(old);
        if (row) image.insert(*row);
      }
    }
    if (random.below(50) == 0) {
      ConfigTable loaded;
      for (const Change& row : image) loaded.load(row);
      loaded.loaded(lagging.through(), config.at);
      const auto lacking = std::find_if(history.begin(), history.end(), [&](const Change& change) {
        return change.revision() > lagging.through();
      });
      loaded.redo({lacking, history.end()});
      REQUIRE(loaded.all() == config.table.all());
      REQUIRE(loaded.by_lease() == config.table.by_lease());
    }
    for (std::uint64_t number = 0; number < 40; ++number) {
      const auto row = config.table.all().find(key_of(number));
      const Change* found = config.table.find(key_of(number));
      const auto [first, last] = config.table.range(KeyRange::one(key_of(number)));
      if (found != (row == config.table.all().end() ? nullptr : &*row)) FAIL("another row: " << number);
      if (first != (found ? row : config.table.all().end()) || std::distance(first, last) != (found ? 1 : 0))
        FAIL("another range: " << number);
    }
  }
  CHECK(walks > 100);
}
