#include "base/changed_rows.h"

#include <catch2/catch.hpp>
#include <string>

using namespace holdfast;

namespace {

using Changes = ChangedRows<std::string, int>;

/// A table as the domains keep theirs.
struct Table {
  std::map<std::string, int, std::less<>> rows;
  Changes changes;

  void set(const std::string& key, int value) {
    auto found = rows.find(key);
    changes.touch(key, found == rows.end() ? nullptr : &found->second);
    rows[key] = value;
  }
  void erase(const std::string& key) {
    auto found = rows.find(key);
    changes.touch_erased(key, found->second);
    rows.erase(found);
  }
};

std::map<std::string, std::optional<int>> take_all(Table& table) {
  std::map<std::string, std::optional<int>> all;
  for (;;) {
    auto rows = table.changes.take(table.rows, 1);
    if (rows.empty()) return all;
    for (auto& [key, value] : rows) {
      REQUIRE(all.emplace(key, value).second);
    }
  }
}

}  // namespace

TEST_CASE("an image takes each changed row once, with its last value") {
  Table table;
  table.set("a", 1);
  table.set("b", 1);
  table.set("a", 2);
  table.erase("b");
  table.changes.freeze();
  const auto rows = take_all(table);
  CHECK(rows == std::map<std::string, std::optional<int>>{{"a", 2}});
  table.changes.freeze();
  CHECK(take_all(table).empty());
}

TEST_CASE("a row that changes while the image is being taken shows its value of the freeze") {
  Table table;
  table.set("a", 1);
  table.set("b", 1);
  table.set("c", 1);
  table.changes.freeze();
  table.set("a", 9);
  table.erase("b");
  table.set("d", 9);
  CHECK(take_all(table) == std::map<std::string, std::optional<int>>{{"a", 1}, {"b", 1}, {"c", 1}});
  table.changes.freeze();
  CHECK(take_all(table) ==
        std::map<std::string, std::optional<int>>{{"a", 9}, {"b", std::nullopt}, {"d", 9}});
}

TEST_CASE("a row that comes and goes between two images leaves no trace, one that was there does") {
  Table table;
  table.set("old", 1);
  table.changes.freeze();
  take_all(table);
  table.set("short-lived", 1);
  table.erase("short-lived");
  table.erase("old");
  table.set("old", 2);
  table.erase("old");
  CHECK(table.changes.pending() == 1);
  table.changes.freeze();
  CHECK(take_all(table) == std::map<std::string, std::optional<int>>{{"old", std::nullopt}});
}

TEST_CASE(
    "a row that is new in a frozen set and then erased is still taken, and its end reaches the next image") {
  Table table;
  table.set("a", 1);
  table.changes.freeze();
  table.erase("a");
  CHECK(take_all(table) == std::map<std::string, std::optional<int>>{{"a", 1}});
  table.changes.freeze();
  CHECK(take_all(table) == std::map<std::string, std::optional<int>>{{"a", std::nullopt}});
}
