#include "server/boot.h"

#include <filesystem>
#include <optional>
#include <random>
#include <system_error>

#include "server/identity.h"
#include "state/rows.h"
#include "storage/file_names.h"
#include "storage/restore.h"

namespace holdfast::server {

namespace {

// How long a new member tries to reach the cluster that it is to join.
constexpr milliseconds kAskClusterFor{20'000};

Result<storage::Identity> first_identity(const Options& options, const AskCluster& ask) {
  if (options.join.empty()) return found_identity(options);
  auto cluster = ask(kAskClusterFor);
  if (!cluster) return fail(cluster.error());
  return joining_identity(options, *cluster);
}

}  // namespace

Result<Disk> open_disk(const Options& options, const AskCluster& ask, storage::Poster post,
                       storage::FatalHandler fatal, storage::RunnerFactory log_runner) {
  Disk disk;
  // Before there is a directory: one that is refused leaves nothing behind.
  std::optional<storage::Identity> awaited;
  std::error_code ignored;
  if (!std::filesystem::exists(options.data_dir / storage::kLogFile, ignored)) {
    auto identity = first_identity(options, ask);
    if (!identity) return fail(identity.error());
    awaited = *std::move(identity);
  }
  auto directory = storage::DataDirectory::open(options.data_dir);
  if (!directory) return fail(directory.error());
  disk.directory = *std::move(directory);

  storage::SpaceOptions space_options;
  space_options.files = &disk.directory->files();
  space_options.directory = disk.directory->path().string();
  space_options.post = post;
  auto space = storage::SpaceWatch::open(std::move(space_options));
  if (!space) return fail(space.error());
  disk.space = *std::move(space);

  storage::LogStoreOptions log_options;
  log_options.space = disk.space.get();
  log_options.location = disk.directory->log();
  log_options.post = std::move(post);
  log_options.fatal = std::move(fatal);
  log_options.runner = std::move(log_runner);
  log_options.seed = std::random_device()();
  auto log = storage::SqliteLogStore::open(std::move(log_options));
  if (!log) return fail(log.error());
  disk.log = *std::move(log);

  disk.first_boot = !disk.log->identity().has_value();
  if (disk.first_boot) {
    auto identity = awaited ? Result<storage::Identity>(*std::move(awaited)) : first_identity(options, ask);
    if (!identity) return fail(identity.error());
    disk.identity = *std::move(identity);
  } else {
    disk.identity = *disk.log->identity();
    if (auto same = check_identity(disk.identity, options); !same) return fail(same.error());
  }
  return disk;
}

Result<Beginning> begin(Disk& disk, storage::Poster post, storage::FatalHandler fatal) {
  if (disk.first_boot) {
    if (auto set = disk.log->set_identity(disk.identity); !set) return fail(set.error());
    // The log has given the directory its own id by now.
    disk.identity = *disk.log->identity();
  }
  storage::LogContents log = disk.log->take_contents();
  if (auto removed = disk.directory->remove_strays(log.image_file); !removed) return fail(removed.error());
  storage::ImageStoreOptions image_options;
  image_options.location = disk.directory->image(log.image_file);
  image_options.space = disk.space.get();
  image_options.tables = state::table_descriptions();
  image_options.data_id = disk.identity.data_id;
  image_options.post = post;
  image_options.fatal = std::move(fatal);
  auto image = storage::SqliteImageStore::open(std::move(image_options));
  if (!image) return fail(image.error());
  disk.image = *std::move(image);
  disk.snapshots = std::make_unique<storage::SqliteSnapshotStore>(*disk.image, *disk.log, std::move(post));

  Beginning beginning;
  beginning.machine = std::make_unique<state::Machine>();
  state::Machine& machine = *beginning.machine;
  auto stands =
      disk.image->load([&machine](std::size_t table, const Row& row) { return machine.load(table, row); });
  if (!stands) return fail(stands.error());
  auto redone = disk.image->load_history(machine.history_wanted(), [&machine](const node::HistoryRow& row) {
    return machine.load_history(row.changes);
  });
  if (!redone) return fail(redone.error());
  if (auto whole = machine.finish_loading(); !whole) return fail(whole.error());
  auto restored = storage::restore(disk.identity, std::move(log), *stands);
  if (!restored) return fail(restored.error());
  beginning.restored = *std::move(restored);
  return beginning;
}

}  // namespace holdfast::server
