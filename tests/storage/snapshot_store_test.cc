#include "storage/snapshot_store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "storage/data_directory.h"
#include "tests/storage/fake_loop.h"
#include "tests/storage/history_pack.h"
#include "tests/storage/log_entries.h"
#include "tests/storage/rows_only.h"
#include "tests/temporary_directory.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

const std::vector<TableDescription> kTables = {
    {"keys", {{"key", ColumnType::kText}, {"value", ColumnType::kBytes}}, 1}};

using Keys = std::map<std::string, std::string>;

class KeyLoader final : public RowsOnly {
 public:
  Result<void> take(std::size_t, const Row& row) override {
    keys[std::get<std::string>(row[0])] = std::get<Blob>(row[1]).view();
    return {};
  }
  Revision history_wanted() const override { return wanted; }
  Result<void> take_history(const node::HistoryRow& row) override {
    history.push_back(row.first);
    return {};
  }
  Result<void> finish() override {
    return refuses ? Result<void>(fail(Errc::kCorrupt, "these rows are no state")) : Result<void>();
  }
  Keys keys;
  Revision wanted = RowsOnly::history_wanted();
  std::vector<Revision> history;
  bool refuses = false;
};

/// A member's storage, as holdfastd puts it together.
struct Member {
  explicit Member(const std::filesystem::path& path) : directory(*DataDirectory::open(path)) {
    LogStoreOptions log_options;
    log_options.location = directory->log();
    log_options.post = loop.poster();
    log_options.fatal = loop.fatal_handler();
    log = *SqliteLogStore::open(std::move(log_options));
    if (!log->identity()) REQUIRE(log->set_identity({ClusterId(1), MemberId(1), "n1", "", {}}));
    contents = log->take_contents();
    REQUIRE(directory->remove_strays(contents.image_file));
    ImageStoreOptions image_options;
    image_options.location = directory->image(contents.image_file);
    image_options.tables = kTables;
    image_options.data_id = log->identity()->data_id;
    image_options.post = loop.poster();
    image_options.fatal = loop.fatal_handler();
    auto opened = SqliteImageStore::open(std::move(image_options));
    if (!opened) FAIL(opened.error().message);
    images = *std::move(opened);
    state = *images->load([this](std::size_t table, const Row& row) { return loaded.take(table, row); });
    snapshots = std::make_unique<SqliteSnapshotStore>(*images, *log, loop.poster());
    log->start();
    images->start();
  }
  ~Member() {
    images->stop();
    log->stop();
  }

  void write_image(std::uint64_t applied, const std::string& key, const std::string& value) {
    images->write({{0, false, {key, Blob(value)}}}, {history_pack(applied, applied, "c" + key)});
    bool durable = false;
    images->commit(Index(applied), [&] { durable = true; });
    loop.run_until([&] { return durable; });
    REQUIRE(durable);
  }

  /// What a call of the snapshot store has answered.
  template <typename T, typename Call>
  Result<T> answer(Call call) {
    std::optional<Result<T>> result;
    call([&](Result<T> given) { result = std::move(given); });
    loop.run_until([&] { return result.has_value(); });
    REQUIRE(result);
    return *std::move(result);
  }
  Result<node::SnapshotFile> make() {
    return answer<node::SnapshotFile>([this](auto done) { snapshots->make(std::move(done)); });
  }
  Result<Blob> read(Index index, std::uint64_t offset, std::size_t most) {
    return answer<Blob>([&](auto done) { snapshots->read(index, offset, most, std::move(done)); });
  }
  Result<std::uint64_t> begin(const node::SnapshotFile& file) {
    return answer<std::uint64_t>([&](auto done) { snapshots->begin(file, std::move(done)); });
  }
  Result<std::uint64_t> write(std::uint64_t offset, const Blob& bytes) {
    return answer<std::uint64_t>([&](auto done) { snapshots->write(offset, bytes, std::move(done)); });
  }
  Result<void> install(const raft::Snapshot& at, const std::shared_ptr<KeyLoader>& into) {
    return answer<void>([&](auto done) { snapshots->install(at, into, std::move(done)); });
  }

  FakeLoop loop;
  std::unique_ptr<DataDirectory> directory;
  std::unique_ptr<SqliteLogStore> log;
  std::unique_ptr<SqliteImageStore> images;
  std::unique_ptr<SqliteSnapshotStore> snapshots;
  LogContents contents;
  ImageState state;
  KeyLoader loaded;
};

/// Sends all of a copy, a piece at a time.
void transfer(Member& from, Member& to, const node::SnapshotFile& file) {
  std::uint64_t next = to.begin(file).value();
  while (next < file.size) next = to.write(next, from.read(file.index, next, 5000).value()).value();
}

raft::Snapshot at(std::uint64_t index) {
  return {Index(index), Term(3), {{{MemberId(1), "n1", "a:1"}}, {}, {}}};
}

std::size_t files_in(const TemporaryDirectory& directory, const std::string& part) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    count += entry.path().filename().string().find(part) != std::string::npos;
  }
  return count;
}

}  // namespace

TEST_CASE("a member goes on from the image that another has sent, also after a restart") {
  TemporaryDirectory sender_directory, receiver_directory;
  {
    Member sender(sender_directory.path()), receiver(receiver_directory.path());
    for (std::uint64_t i = 1; i <= 40; ++i)
      sender.write_image(i, "k" + std::to_string(i % 9), std::to_string(i));
    receiver.write_image(3, "old", "3");
    const auto copy = sender.make();
    REQUIRE(copy);
    CHECK(copy->index == Index(40));
    transfer(sender, receiver, *copy);
    const auto rows = std::make_shared<KeyLoader>();
    rows->wanted = Revision(38);
    const Result<void> installed = receiver.install(at(40), rows);
    if (!installed) FAIL(installed.error().message);
    CHECK(rows->history == std::vector{Revision(38), Revision(39), Revision(40)});
    CHECK(rows->keys.size() == 9);
    CHECK(rows->keys["k4"] == "40");
    CHECK(files_in(receiver_directory, "state.db") == 0);
    receiver.write_image(41, "new", "41");
    std::vector<node::HistoryRow> history;
    bool read = false;
    receiver.images->read_history(Revision(39), 1 << 20, [&](std::vector<node::HistoryRow> found) {
      history = std::move(found);
      read = true;
    });
    receiver.loop.run_until([&] { return read; });
    CHECK(history.size() == 3);
    CHECK(sender.loop.fatal().empty());
    CHECK(receiver.loop.fatal().empty());
  }
  Member receiver(receiver_directory.path());
  CHECK(receiver.contents.base_index == Index(40));
  CHECK(receiver.contents.base_term == Term(3));
  CHECK(receiver.contents.base_membership == at(40).membership);
  CHECK(receiver.state.applied == Index(41));
  CHECK(receiver.loaded.keys.size() == 10);
  CHECK(receiver.loaded.keys.count("old") == 0);
}

// A member of the version before tells by this code that it has to be upgraded: as damage, it asked for the
// image again and again.
TEST_CASE("why rows are no state for this version is told as the loader said it") {
  struct Older final : RowsOnly {
    Result<void> finish() override { return fail(Errc::kNotEnabled, "start the newer version"); }
  };
  TemporaryDirectory directory, other;
  Member sender(directory.path()), receiver(other.path());
  sender.write_image(7, "k", "v");
  transfer(sender, receiver, sender.make().value());
  const auto installed = receiver.answer<void>(
      [&](auto done) { receiver.snapshots->install(at(7), std::make_shared<Older>(), std::move(done)); });
  REQUIRE_FALSE(installed);
  CHECK(installed.error().code == Errc::kNotEnabled);
  CHECK(files_in(other, "image-") == 0);
}

// A member is to end within seconds, however large the image that it is about to take over.
TEST_CASE("an image that is being checked and loaded is given up when the member stops") {
  TemporaryDirectory directory, other;
  Member sender(directory.path()), receiver(other.path());
  sender.write_image(7, "k", "v");
  transfer(sender, receiver, sender.make().value());
  receiver.images->run([](ImageFiles& files) { files.incoming.break_off(); });
  const auto rows = std::make_shared<KeyLoader>();
  const Result<void> installed = receiver.install(at(7), rows);
  REQUIRE_FALSE(installed);
  CHECK(installed.error().code == Errc::kStopping);
  CHECK(rows->keys.empty());
  CHECK(files_in(other, "image-") + files_in(other, "receiving-") == 0);
}

// What was exchanged for the loaded state may have a million keys: freeing them takes 1.6 s.
TEST_CASE("what is left in a loader is freed on the image's thread, installed or refused") {
  struct Witness final : RowsOnly {
    explicit Witness(std::thread::id& on, std::atomic<bool>& freed) : freed_on(on), is_freed(freed) {}
    ~Witness() override {
      freed_on = std::this_thread::get_id();
      is_freed = true;
    }
    std::thread::id& freed_on;
    std::atomic<bool>& is_freed;
  };
  TemporaryDirectory directory, other;
  Member sender(directory.path()), receiver(other.path());
  sender.write_image(7, "k", "v");
  const node::SnapshotFile copy = sender.make().value();
  const bool refused = GENERATE(false, true);
  if (!refused) transfer(sender, receiver, copy);
  std::thread::id freed_on;
  std::atomic<bool> freed = false;
  auto loader = std::make_shared<Witness>(freed_on, freed);
  std::optional<Result<void>> told;
  // As the node does: the completion holds it, too.
  receiver.snapshots->install(at(7), loader, [&, loader](Result<void> result) { told = std::move(result); });
  loader.reset();
  receiver.loop.run_until([&] { return told.has_value(); });
  receiver.images->stop();
  REQUIRE(freed);
  REQUIRE(told);
  CHECK(told->has_value() != refused);
  CHECK(freed_on != std::this_thread::get_id());
}

TEST_CASE("a copy is of one image, whatever is written while it is made") {
  TemporaryDirectory directory, other;
  Member sender(directory.path()), receiver(other.path());
  for (std::uint64_t i = 1; i <= 30; ++i) {
    sender.write_image(i, "k" + std::to_string(i), std::string(200'000, 'x'));
  }
  std::optional<Result<node::SnapshotFile>> made, shared;
  sender.snapshots->make([&](Result<node::SnapshotFile> copy) { made = std::move(copy); });
  sender.snapshots->make([&](Result<node::SnapshotFile> copy) { shared = std::move(copy); });
  std::uint64_t images = 30;
  while (!shared) {
    ++images;
    sender.write_image(images, "k" + std::to_string(images), "small");
  }
  REQUIRE(made->has_value());
  REQUIRE(shared->has_value());
  CHECK(made->value() == shared->value());
  const node::SnapshotFile copy = **made;
  CHECK(copy.index >= Index(30));
  transfer(sender, receiver, copy);
  const auto rows = std::make_shared<KeyLoader>();
  REQUIRE(receiver.install(at(copy.index.value()), rows));
  CHECK(rows->keys.size() == copy.index.value());
  CHECK(files_in(directory, "snapshot-") == 1);
  sender.snapshots->release(copy.index);
  CHECK_FALSE(sender.read(copy.index, 0, 10));
  CHECK(files_in(directory, "snapshot-") == 0);
}

TEST_CASE("an image is received from where it broke off, and anew if it is another") {
  TemporaryDirectory directory, other;
  Member sender(directory.path()), receiver(other.path());
  sender.write_image(7, "k", std::string(50'000, 'x'));
  const node::SnapshotFile copy = sender.make().value();
  CHECK(receiver.begin(copy).value() == 0);
  CHECK(receiver.write(0, *sender.read(Index(7), 0, 9000)).value() == 9000);
  CHECK(receiver.write(20'000, Blob("out of place")).value() == 9000);
  CHECK(receiver.write(0, *sender.read(Index(7), 0, 9000)).value() == 9000);
  CHECK(receiver.begin(copy).value() == 9000);
  CHECK_FALSE(receiver.install(at(7), std::make_shared<KeyLoader>()));  // not whole
  node::SnapshotFile another = copy;
  another.digest[0] = another.digest[0] == '0' ? '1' : '0';
  CHECK(receiver.begin(another).value() == 0);
  CHECK(files_in(other, "receiving-") == 1);
  CHECK_FALSE(receiver.write(0, Blob(std::string(copy.size + 1, 'x'))));
}

TEST_CASE("an image that is not what was announced is refused, and the member goes on with its own") {
  TemporaryDirectory directory, other;
  {
    Member sender(directory.path()), receiver(other.path());
    sender.write_image(7, "k", "v");
    receiver.write_image(2, "mine", "2");
    const node::SnapshotFile copy = sender.make().value();
    const auto refusal = [&](const node::SnapshotFile& file, const raft::Snapshot& snapshot,
                             bool rows_refused) {
      transfer(sender, receiver, copy);
      if (file != copy) {
        std::string bytes(sender.read(copy.index, 0, copy.size)->view());
        bytes[copy.size / 2] ^= 4;
        REQUIRE(receiver.begin(file));
        REQUIRE(receiver.write(0, Blob(bytes)));
      }
      const auto rows = std::make_shared<KeyLoader>();
      rows->refuses = rows_refused;
      const Result<void> installed = receiver.install(snapshot, rows);
      REQUIRE_FALSE(installed);
      CHECK(installed.error().code == Errc::kCorrupt);
      CHECK(files_in(other, "image-") + files_in(other, "receiving-") == 0);
      return installed.error().message;
    };
    node::SnapshotFile damaged = copy;
    damaged.digest += "0";
    CHECK(refusal(damaged, at(7), false).find("digest does not match") != std::string::npos);
    CHECK(refusal(copy, at(7), true) == "these rows are no state");
    receiver.write_image(3, "mine", "3");
    CHECK(receiver.loop.fatal().empty());
  }
  Member receiver(other.path());
  CHECK(receiver.state.applied == Index(3));
  CHECK(receiver.loaded.keys == Keys{{"mine", "3"}});
}

TEST_CASE("a member that stops while it installs an image starts with the old one or the new one") {
  const bool commits = GENERATE(false, true);
  TemporaryDirectory directory, other;
  {
    Member sender(directory.path()), receiver(other.path());
    sender.write_image(7, "k", "v");
    receiver.write_image(2, "mine", "2");
    transfer(sender, receiver, sender.make().value());
    bool answered = false;
    receiver.snapshots->install(at(7), std::make_shared<KeyLoader>(), [&](Result<void>) { answered = true; });
    std::promise<void> prepared;  // it is ready under its name by then
    receiver.images->run([&](ImageFiles&) { prepared.set_value(); });
    prepared.get_future().wait();
    receiver.images->stop();
    if (commits) receiver.loop.run_ready();
    receiver.log->stop();
    receiver.loop.run_ready();
    CHECK_FALSE(answered);
    CHECK(receiver.loop.fatal().empty());
  }
  Member receiver(other.path());
  CHECK(receiver.loaded.keys == (commits ? Keys{{"k", "v"}} : Keys{{"mine", "2"}}));
  CHECK(receiver.contents.base_index == (commits ? Index(7) : Index(0)));
  CHECK(files_in(other, "image-") == (commits ? 2 : 0));  // with its write-ahead log
  CHECK(files_in(other, "state.db") == (commits ? 0 : 2));
}
