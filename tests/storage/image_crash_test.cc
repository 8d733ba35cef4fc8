#include <catch2/catch.hpp>
#include <map>

#include "storage/failure.h"
#include "storage/image_database.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/history_pack.h"
#include "tests/storage/reopenings.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

const std::vector<TableDescription> kTables = {
    {"keys", {{"key", ColumnType::kBytes}, {"value", ColumnType::kBytes}}, 1},
    {"leases", {{"id", ColumnType::kInteger}, {"ttl_ms", ColumnType::kInteger}}, 1},
};

/// What an image holds.
struct Model {
  std::uint64_t applied = 0;
  std::map<std::string, std::string> keys;
  std::map<std::int64_t, std::int64_t> leases;
  std::vector<std::string> history;
  friend bool operator==(const Model&, const Model&) = default;
};

/// One image is so large that its files are synced early, several times.
std::string value_of(std::uint64_t n) { return std::string(n == 6 ? 600'000 : 3000, 'x'); }

/// The n-th image: it changes, adds and removes rows of both tables, and adds history, in two slices.
void write_image(ImageDatabase& image, std::uint64_t n) {
  const std::string text = std::to_string(n);
  const auto number = static_cast<std::int64_t>(n);
  std::vector<RowChange> rows = {{0, false, {Blob("shared"), Blob(text)}},
                                 {0, false, {Blob("key" + text), Blob(value_of(n))}},
                                 {1, false, {number, number * 10}}};
  image.write(rows, {});
  rows = {{1, true, {number - 2}}};
  if (n > 3) rows.push_back({0, true, {Blob("key" + std::to_string(n - 3))}});
  image.write(rows, {history_pack(n, n, "changes " + text)});
  image.commit(Index(n));
}

Model expected(std::uint64_t images) {
  Model model;
  for (std::uint64_t n = 1; n <= images; ++n) {
    const auto number = static_cast<std::int64_t>(n);
    model.applied = n;
    model.keys["shared"] = std::to_string(n);
    model.keys["key" + std::to_string(n)] = value_of(n);
    if (n > 3) model.keys.erase("key" + std::to_string(n - 3));
    model.leases[number] = number * 10;
    model.leases.erase(number - 2);
    model.history.push_back("changes " + std::to_string(n));
  }
  return model;
}

Model read(ImageDatabase& image) {
  Model model;
  model.applied = image.state().applied.value();
  const auto loaded = image.load([&](std::size_t table, const Row& row) -> Result<void> {
    if (table == 0) {
      model.keys[std::string(std::get<Blob>(row[0]).view())] = std::get<Blob>(row[1]).view();
    } else {
      model.leases[std::get<std::int64_t>(row[0])] = std::get<std::int64_t>(row[1]);
    }
    return {};
  });
  REQUIRE(loaded);
  for (const node::HistoryRow& row : image.read_history(Revision(1), 1 << 20)) {
    model.history.emplace_back(row.changes.view());
  }
  return model;
}

constexpr std::uint64_t kImages = 8;

/// Returns: how many images were acknowledged.
std::uint64_t live(const Location& location, std::string& failure) {
  std::uint64_t acknowledged = 0;
  try {
    ImageDatabase image(location, kTables, "here");
    for (std::uint64_t n = 1; n <= kImages; ++n) {
      write_image(image, n);
      acknowledged = n;
      if (n == 4) image.checkpoint(Checkpoint::kPassive);
    }
    image.checkpoint(Checkpoint::kTruncate);
    ++acknowledged;  // the end was reached
  } catch (const StorageFailure& error) {
    failure = error.what();
  }
  return acknowledged;
}

void check_every_fault(Fault fault, Loss loss) {
  FaultyDisk counting(1);
  std::string failure;
  REQUIRE(live({"state.db", FaultVfs(counting).name()}, failure) == kImages + 1);
  const std::uint64_t operations = counting.operations();
  for (std::uint64_t k = 1; k <= operations; ++k) {
    FaultyDisk disk(k);
    const FaultVfs vfs(disk);
    const Location location{"state.db", vfs.name()};
    disk.fail_at(k, fault);
    failure.clear();
    const std::uint64_t acknowledged = live(location, failure);
    INFO("fault at operation " << k << ", after " << acknowledged << " images: " << failure);
    REQUIRE_FALSE(failure.empty());
    disk.restart(loss);
    count_reopening();
    ImageDatabase image(location, kTables, "here");
    const Model recovered = read(image);
    CHECK(recovered.applied >= acknowledged);
    CHECK(recovered.applied <= acknowledged + 1);
    // Rows, history and index are of one image: never a mixture.
    CHECK(recovered == expected(recovered.applied));
    write_image(image, recovered.applied + 1);
    CHECK(read(image) == expected(recovered.applied + 1));
  }
}

}  // namespace

TEST_CASE("after a power cut at any operation the image is whole and at its index") {
  check_every_fault(Fault::kPowerCut, GENERATE(Loss::kOmit, Loss::kTear));
}

TEST_CASE("after a failed write the image is whole and at its index") {
  check_every_fault(GENERATE(Fault::kIoError, Fault::kFull), Loss::kTear);
}
