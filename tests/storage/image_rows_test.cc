#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "storage/image_database.h"
#include "tests/storage/fault_vfs.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

const std::vector<TableDescription> kTables = {
    {"config", {{"key", ColumnType::kText}, {"value", ColumnType::kBytes}}, 1},
    {"queue", {{"lock", ColumnType::kText}, {"place", ColumnType::kInteger}, {"by", ColumnType::kText}}, 2},
    {"leases", {{"id", ColumnType::kInteger}, {"ttl_ms", ColumnType::kInteger}}, 1},
};

/// Keys that their texts and their numbers order otherwise, and bytes and negative numbers among them.
Row some_row(Random& random, std::size_t table, std::uint64_t keys) {
  const std::uint64_t n = random.below(keys);
  const auto signed_n = static_cast<std::int64_t>(n) - static_cast<std::int64_t>(keys / 2);
  std::string text = std::to_string(n);
  if (n % 5 == 0) text.push_back('\xff');
  if (n % 7 == 0) text.push_back('\0');
  const std::string value(random.below(40), 'v');
  if (table == 0) return {text, Blob(value)};
  if (table == 1) return {"lock" + std::to_string(n % 3), signed_n, value};
  return {signed_n, static_cast<std::int64_t>(random.below(100))};
}

using Key = std::pair<std::size_t, Row>;

struct Before {
  bool operator()(const Key& a, const Key& b) const {
    const auto comparable = [](const Cell& cell) {
      const auto* number = std::get_if<std::int64_t>(&cell);
      return number ? std::pair(*number, std::string())
                    : std::pair(std::int64_t{0}, std::get<std::string>(cell));
    };
    if (a.first != b.first) return a.first < b.first;
    for (std::size_t i = 0; i < a.second.size(); ++i) {
      if (comparable(a.second[i]) != comparable(b.second[i]))
        return comparable(a.second[i]) < comparable(b.second[i]);
    }
    return false;
  }
};

}  // namespace

TEST_CASE("an image holds what its slices say, in whatever order their rows are, and its digests agree") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    FaultyDisk disk(seed);
    const FaultVfs vfs(disk);
    ImageDatabase image({"state.db", vfs.name()}, kTables, "here");
    std::map<Key, Row, Before> model;
    const std::uint64_t keys = random.between(2, 400);
    for (std::uint64_t n = 1; n <= 6; ++n) {
      for (std::uint64_t slices = random.between(1, 4); slices > 0; --slices) {
        std::map<Key, RowChange, Before> sorted;
        std::vector<RowChange> slice;
        for (std::uint64_t rows = random.below(100); rows > 0; --rows) {
          const std::size_t table = random.below(kTables.size());
          RowChange change{table, random.chance(20), some_row(random, table, keys)};
          const auto key_columns = static_cast<std::ptrdiff_t>(kTables[table].key_columns);
          const Key key{table, {change.cells.begin(), change.cells.begin() + key_columns}};
          if (change.removed) change.cells = key.second;
          sorted.insert_or_assign(key, change);
          slice.push_back(std::move(change));
        }
        // As a rule each key is there once and they are in order, but nothing must depend on it.
        if (random.chance(70)) {
          slice.clear();
          for (const auto& [key, change] : sorted) slice.push_back(change);
        }
        for (const auto& [key, change] : sorted) {
          if (change.removed) {
            model.erase(key);
          } else {
            model.insert_or_assign(key, change.cells);
          }
        }
        image.write(slice, {});
      }
      image.commit(Index(n));
      auto expected = model.begin();
      const auto loaded = image.load([&](std::size_t table, const Row& row) -> Result<void> {
        REQUIRE(expected != model.end());
        CHECK(table == expected->first.first);
        CHECK(row == expected->second);
        ++expected;
        return {};
      });
      CHECK(loaded);
      CHECK(expected == model.end());
    }
  }
}
