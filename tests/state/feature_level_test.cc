#include "state/feature_level.h"

#include <catch2/catch.hpp>

#include "state/row_codec.h"
#include "state/rows.h"
#include "tests/state/cluster_of_one.h"
#include "tests/state/rows_of_image.h"

/// A rolling upgrade as the machines see it. `Machine(level::kFirst)` is a member of the version before.
namespace holdfast::state {
namespace {

config::Delete bounded(std::size_t most, bool partial) {
  return config::Delete{config::KeyRange::prefix("/"), {}, most, partial};
}

Blob entry(Operation operation) { return encode(Command{{}, {}, std::move(operation)}).value(); }

/// Every row of the machine's image.
std::vector<RowChange> image_of(Machine& machine) {
  std::vector<RowChange> rows = rows_of_image(machine);
  while (!machine.take_history(10).empty()) {
  }
  return rows;
}

Result<void> load(Machine& machine, const std::vector<RowChange>& rows) {
  for (const RowChange& row : rows) {
    if (auto loaded = machine.load(row.table, row.cells); !loaded) return loaded;
  }
  return machine.finish_loading();
}

}  // namespace

TEST_CASE("an entry says which level a member needs to understand it") {
  CHECK(decode(entry(GrantLease{milliseconds(1000)}), level::kFirst).value().level == level::kFirst);
  CHECK(decode(entry(config::Delete{config::KeyRange::prefix("/"), {}, {}, false}), level::kFirst));
  CHECK(decode(entry(bounded(3, true)), kSupportedLevel).value().level == level::kBoundedDeletes);
  const auto refused = decode(entry(bounded(3, true)), level::kFirst);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kNotEnabled);
  CHECK(refused.error().message.find("start the version") != std::string::npos);
}

TEST_CASE("a cluster begins at the first level, and a command above its level is refused") {
  ClusterOfOne cluster;
  CHECK(cluster.machine.feature_level() == level::kFirst);
  cluster.put("/a", "1");
  const Revision before = cluster.machine.revision();
  CHECK(code_of(cluster.apply(bounded(10, true))) == Errc::kNotEnabled);
  CHECK(cluster.machine.config().find("/a") != nullptr);
  CHECK(cluster.machine.revision() == before);
}

TEST_CASE("a raised level allows what needs it, and never falls") {
  ClusterOfOne cluster;
  cluster.put("/a", "1");
  cluster.apply(RaiseFeatureLevel{level::kBoundedDeletes});
  CHECK(cluster.machine.feature_level() == level::kBoundedDeletes);
  cluster.apply(RaiseFeatureLevel{level::kFirst});
  CHECK(cluster.machine.feature_level() == level::kBoundedDeletes);
  CHECK(cluster.apply(bounded(10, true)).reply);
  CHECK(cluster.machine.config().find("/a") == nullptr);
}

TEST_CASE("a member of an older version stops at an entry it does not understand, changing nothing") {
  ClusterOfOne cluster;
  Machine older(level::kFirst);
  const Blob announce = entry(AnnounceMember{MemberId(1), "n1", "host:1", kSupportedLevel});
  const Blob put = entry(config::Put{"/a", Blob("1"), {}, {}});
  for (const Blob& bytes : {announce, put}) {
    cluster.machine.apply(cluster.machine.applied().next(), bytes);
    CHECK_FALSE(older.apply(older.applied().next(), bytes).not_understood);
  }
  CHECK(older.digest() == cluster.machine.digest());
  CHECK(older.level_of(MemberId(1)) == kSupportedLevel);
  CHECK(older.level_of(MemberId(2)) == level::kFirst);

  const std::uint64_t before = older.digest();
  for (const Blob& bytes : {entry(RaiseFeatureLevel{level::kBoundedDeletes}), entry(bounded(3, true))}) {
    const Applied applied = older.apply(older.applied().next(), bytes);
    REQUIRE(applied.not_understood);
    CHECK(applied.not_understood->code == Errc::kNotEnabled);
    CHECK(applied.events.empty());
  }
  CHECK(older.digest() == before);
  CHECK(older.applied() == Index(2));
}

TEST_CASE("levels are in the image, and an older version refuses an image of a level it does not know") {
  ClusterOfOne cluster;
  cluster.put("/a", "1");
  cluster.apply(AnnounceMember{MemberId(1), "n1", "host:1", kSupportedLevel});
  cluster.apply(RaiseFeatureLevel{level::kBoundedDeletes});
  const auto rows = image_of(cluster.machine);

  Machine same;
  REQUIRE(load(same, rows));
  CHECK(same.feature_level() == level::kBoundedDeletes);
  CHECK(same.level_of(MemberId(1)) == kSupportedLevel);
  CHECK(same.digest() == cluster.machine.digest());

  Machine older(level::kFirst);
  const auto refused = load(older, rows);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kNotEnabled);
}

TEST_CASE("a membership forgets what others had announced, once every member understands that it does") {
  const MemberId stays(1);
  const MemberId goes(2);
  ClusterOfOne cluster;
  Machine& machine = cluster.machine;
  for (const MemberId each : {stays, goes})
    cluster.apply(AnnounceMember{each, "n", "host:1", level::kBoundedDeletes});
  machine.apply_membership(machine.applied().next(), {stays});
  CHECK(machine.members().size() == 2);  // an older member would keep them

  cluster.apply(RaiseFeatureLevel{level::kForgetsMembers});
  image_of(machine);
  machine.apply_membership(machine.applied().next(), {stays, goes});
  CHECK(machine.members().size() == 2);
  CHECK(machine.rows_pending() == 0);
  machine.apply_membership(machine.applied().next(), {stays});
  CHECK(machine.members().size() == 1);
  CHECK(machine.level_of(stays) == level::kBoundedDeletes);
  CHECK(machine.level_of(goes) == level::kFirst);

  // The rows leave the image too.
  std::vector<std::size_t> removed_from;
  for (const RowChange& row : image_of(machine)) {
    if (row.removed) removed_from.push_back(row.table);
  }
  CHECK(removed_from == std::vector<std::size_t>{kMembersTable, kMemberLevelsTable});

  // Taken in again, it is known again once it has announced itself.
  machine.apply_membership(machine.applied().next(), {stays, goes});
  cluster.apply(AnnounceMember{goes, "n", "host:2", level::kForgetsMembers});
  CHECK(machine.members().at(goes).client_endpoint == "host:2");
  CHECK(machine.level_of(goes) == level::kForgetsMembers);
}

TEST_CASE("an image of before there were levels is one of the first level") {
  ClusterOfOne cluster;
  cluster.put("/a", "1");
  auto rows = image_of(cluster.machine);
  std::erase_if(rows, [](const RowChange& row) {
    return row.table == kMetaTable && std::get<std::string>(row.cells.front()) == "feature_level";
  });
  Machine loaded;
  REQUIRE(load(loaded, rows));
  CHECK(loaded.feature_level() == level::kFirst);
  CHECK(loaded.digest() == cluster.machine.digest());
}

TEST_CASE(
    "a bounded deletion takes all keys of its range, or the first ones, or says that they are too many") {
  ClusterOfOne cluster;
  cluster.apply(RaiseFeatureLevel{level::kBoundedDeletes});
  for (const char* key : {"/a", "/b", "/c", "/d"}) cluster.put(key, "v");
  CHECK(code_of(cluster.apply(bounded(3, false))) == Errc::kLimitExceeded);
  CHECK(cluster.machine.config().all().size() == 4);

  const auto deleted = [](const Applied& applied) { return std::get<Deleted>(*applied.reply); };
  const Deleted first = deleted(cluster.apply(bounded(3, true)));
  CHECK((first.count == 3 && first.more));
  CHECK(cluster.machine.config().find("/d") != nullptr);
  const Deleted last = deleted(cluster.apply(bounded(3, true)));
  CHECK((last.count == 1 && !last.more));
  CHECK(deleted(cluster.apply(bounded(3, true))).count == 0);

  for (const char* key : {"/a", "/b", "/c"}) cluster.put(key, "v");
  const Deleted all = deleted(cluster.apply(bounded(3, false)));
  CHECK((all.count == 3 && !all.more));
}

}  // namespace holdfast::state
