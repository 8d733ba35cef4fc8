#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "storage/failure.h"
#include "storage/file_names.h"
#include "storage/image_database.h"
#include "storage/incoming_snapshot.h"
#include "storage/log_database.h"
#include "storage/snapshot_copies.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/faulty_files.h"
#include "tests/storage/history_pack.h"
#include "tests/storage/log_entries.h"
#include "tests/storage/reopenings.h"
#include "tests/storage/rows_only.h"

/// A member's whole directory through the making and the installation of snapshots, with a fault at every
/// operation that changes anything: what SQLite writes, and what is done to whole files beside it.
using namespace holdfast;
using namespace holdfast::storage;

namespace {

const std::vector<TableDescription> kTables = {
    {"keys", {{"key", ColumnType::kBytes}, {"value", ColumnType::kBytes}}, 1}};
constexpr std::uint64_t kSent = 100;  // the index of the image that is received

using Keys = std::map<std::string, std::string>;

class KeyLoader final : public RowsOnly {
 public:
  Result<void> take(std::size_t, const Row& row) override {
    keys[std::string(std::get<Blob>(row[0]).view())] = std::get<Blob>(row[1]).view();
    return {};
  }
  Keys keys;
};

void write_image(ImageDatabase& image, std::uint64_t n) {
  image.write({{0, false, {Blob("key" + std::to_string(n)), Blob(std::string(3000, 'v'))}}},
              {history_pack(n, n, "changes")});
  image.commit(Index(n));
}

/// The bytes of an image of another member, and what is said of them.
struct Sent {
  std::string bytes;
  node::SnapshotFile announced;
  Keys keys;
};

Sent image_of_another_member() {
  FaultyDisk disk(3);
  const FaultVfs vfs(disk);
  FaultyFiles files(disk);
  ImageDatabase image({"state.db", vfs.name(), &files}, kTables, "another");
  Sent sent;
  for (std::uint64_t n = kSent - 8; n <= kSent; ++n) {
    write_image(image, n);
    sent.keys["key" + std::to_string(n)] = std::string(3000, 'v');
  }
  SnapshotCopies copies(files, "");
  copies.want([&](Result<node::SnapshotFile> made) { sent.announced = made.value(); });
  while (copies.advance(image)) {
  }
  sent.bytes = copies.read(Index(kSent), 0, sent.announced.size)->view();
  return sent;
}

const Sent& sent() {
  static const Sent made = image_of_another_member();
  return made;
}

raft::Snapshot snapshot() {
  return {Index(kSent), Term(7), {{{MemberId(2), "n2", "b:1", "its disk"}}, {}, {}}};
}

/// What was acknowledged before a fault.
struct Acknowledged {
  std::uint64_t entries = 0;
  std::uint64_t image = 0;
  bool installed = false;
  bool continued = false;  // an image behind the installed one
  bool whole_life = false;
  std::string failure;
};

/// A member that writes its log and two images, makes a copy of one for somebody else, and then receives an
/// image itself, in two parts, and goes on from there.
void live(FaultyFiles& files, const std::string& vfs, Acknowledged& so_far) {
  LogDatabase log({"log.db", vfs, &files});
  log.load();
  const std::string data_id = log.set_identity({ClusterId(1), MemberId(1), "n1", "", {}}).data_id;
  auto image = std::make_unique<ImageDatabase>(Location{"state.db", vfs, &files}, kTables, data_id);
  log.begin();
  log.write(hard_state(1, 1), entries(1, 9, 1));
  log.commit();
  so_far.entries = 9;
  write_image(*image, 4);
  so_far.image = 4;

  SnapshotCopies copies(files, "");
  bool made = false;
  copies.want([&](Result<node::SnapshotFile> result) { made = result.has_value(); });
  copies.advance(*image);
  write_image(*image, 5);  // while it is being copied
  so_far.image = 5;
  while (copies.advance(*image)) {
  }
  INVARIANT(made || so_far.image == 5, "a copy is made or given up");
  copies.release(Index(4));

  IncomingSnapshot incoming(files, "", vfs, kTables, data_id);
  const Sent& in = sent();
  const std::size_t half = in.bytes.size() / 2;
  const auto send = [&](Result<std::uint64_t> result) {
    if (!result) throw DiskFull("receiving");
  };
  send(incoming.begin(in.announced));
  send(incoming.write(0, Blob(in.bytes.substr(0, half))));
  send(incoming.begin(in.announced));  // the connection was lost
  send(incoming.write(half, Blob(in.bytes.substr(half))));
  KeyLoader loader;
  auto prepared = incoming.prepare(snapshot(), loader);
  if (!prepared) throw DiskFull("preparing");
  log.begin();
  log.install(snapshot(), image_file_name(Index(kSent)));
  log.commit();
  so_far.installed = true;
  image = *std::move(prepared);
  files.remove("state.db");
  files.remove("state.db-wal");
  write_image(*image, kSent + 1);
  so_far.continued = true;
  log.begin();
  log.write(std::nullopt, entries(kSent + 1, kSent + 2, 7));
  log.commit();
  image->checkpoint(Checkpoint::kTruncate);
  log.checkpoint(Checkpoint::kTruncate);
  so_far.whole_life = true;
}

/// A start after the fault, as holdfastd does it.
void check_recovered(FaultyDisk& disk, FaultyFiles& files, const std::string& vfs,
                     const Acknowledged& before) {
  count_reopening();
  LogDatabase log({"log.db", vfs, &files});
  const auto identity = log.identity();
  const LogContents contents = log.load();
  if (!identity) {
    CHECK(before.entries == 0);
    return;
  }
  remove_strays(files, "", contents.image_file);
  const bool installed = contents.base_index == Index(kSent);
  CHECK((installed || !before.installed));
  CHECK(contents.image_file == (installed ? image_file_name(Index(kSent)) : ""));
  const std::string name = installed ? contents.image_file : kFirstImageFile;
  ImageDatabase image({name, vfs, &files}, kTables, identity->data_id);
  KeyLoader loader;
  REQUIRE(image.load([&](std::size_t table, const Row& row) { return loader.take(table, row); }));
  const std::uint64_t applied = image.state().applied.value();
  if (installed) {
    CHECK(contents.base_membership == snapshot().membership);
    CHECK(contents.base_term == Term(7));
    Keys expected = sent().keys;
    if (applied > kSent) expected["key101"] = std::string(3000, 'v');
    CHECK(loader.keys == expected);
    CHECK(applied >= (before.continued ? kSent + 1 : kSent));
  } else {
    CHECK(contents.entries.size() >= before.entries);
    CHECK(applied >= before.image);
    CHECK(loader.keys.size() == (applied == 0 ? 0 : applied - 3));
  }
  // One image, one log, and nothing else.
  std::set<std::string> names;
  for (const std::string& each : disk.names()) {
    if (!each.ends_with("-wal")) names.insert(each);
  }
  CHECK(names == std::set<std::string>{"log.db", name});
}

std::uint64_t operations_of_a_life() {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  FaultyFiles files(disk);
  Acknowledged all;
  live(files, vfs.name(), all);
  REQUIRE(all.whole_life);
  return disk.operations();
}

Acknowledged live_until(FaultyDisk& disk, FaultyFiles& files, const std::string& vfs, std::uint64_t k,
                        Fault fault) {
  disk.fail_at(k, fault);
  Acknowledged before;
  try {
    live(files, vfs, before);
  } catch (const StorageFailure& failure) {
    before.failure = failure.what();
  }
  return before;
}

void check_every_fault(Fault fault, Loss loss) {
  const std::uint64_t operations = operations_of_a_life();
  REQUIRE(operations > 60);
  for (std::uint64_t k = 1; k <= operations; ++k) {
    FaultyDisk disk(k);
    const FaultVfs vfs(disk);
    FaultyFiles files(disk);
    const Acknowledged before = live_until(disk, files, vfs.name(), k, fault);
    INFO("fault at operation " << k << " of " << operations << ": " << before.failure);
    disk.restart(loss);
    check_recovered(disk, files, vfs.name(), before);
  }
}

/// Starts, with the power going at one operation later each time, until a start comes through.
void start_with_cuts(FaultyDisk& disk, FaultyFiles& files, const std::string& vfs) {
  for (std::uint64_t k = 1;; ++k) {
    disk.fail_at(k, Fault::kPowerCut);
    count_reopening();
    try {
      LogDatabase log({"log.db", vfs, &files});
      remove_strays(files, "", log.load().image_file);
      if (disk.operations() < k) return;
    } catch (const StorageFailure&) {
    }
    disk.restart(Loss::kTear);
  }
}

}  // namespace

TEST_CASE("after a power cut at any operation of a snapshot the directory is one image and its log") {
  check_every_fault(Fault::kPowerCut, GENERATE(Loss::kOmit, Loss::kTear));
}

TEST_CASE("after any operation of a snapshot failed the directory is one image and its log") {
  check_every_fault(GENERATE(Fault::kIoError, Fault::kFull), Loss::kTear);
}

TEST_CASE("a power cut while a start clears up after a power cut loses neither image nor log") {
  const std::uint64_t operations = operations_of_a_life();
  for (std::uint64_t k = 1; k <= operations; k += 3) {
    FaultyDisk disk(k);
    const FaultVfs vfs(disk);
    FaultyFiles files(disk);
    const Acknowledged before = live_until(disk, files, vfs.name(), k, Fault::kPowerCut);
    INFO("fault at operation " << k << " of " << operations);
    disk.restart(Loss::kTear);
    start_with_cuts(disk, files, vfs.name());
    disk.restart(Loss::kTear);
    check_recovered(disk, files, vfs.name(), before);
  }
}
