#include "server/boot.h"

#include "server/identity.h"
#include "state/rows.h"
#include "storage/restore.h"

namespace holdfast::server {

Result<Disk> open_disk(const Options& options, storage::Poster post, storage::FatalHandler fatal) {
  Disk disk;
  auto directory = storage::DataDirectory::open(options.data_dir);
  if (!directory) return fail(directory.error());
  disk.directory = *std::move(directory);

  storage::LogStoreOptions log_options;
  log_options.location = disk.directory->log();
  log_options.post = std::move(post);
  log_options.fatal = std::move(fatal);
  auto log = storage::SqliteLogStore::open(std::move(log_options));
  if (!log) return fail(log.error());
  disk.log = *std::move(log);

  disk.first_boot = !disk.log->identity().has_value();
  if (disk.first_boot) {
    auto identity = found_identity(options);
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
  storage::ImageStoreOptions image_options;
  image_options.location = disk.directory->image();
  image_options.tables = state::table_descriptions();
  image_options.data_id = disk.identity.data_id;
  image_options.post = std::move(post);
  image_options.fatal = std::move(fatal);
  auto image = storage::SqliteImageStore::open(std::move(image_options));
  if (!image) return fail(image.error());
  disk.image = *std::move(image);

  Beginning beginning;
  beginning.machine = std::make_unique<state::Machine>();
  state::Machine& machine = *beginning.machine;
  auto stands =
      disk.image->load([&machine](std::size_t table, const Row& row) { return machine.load(table, row); });
  if (!stands) return fail(stands.error());
  if (auto whole = machine.finish_loading(); !whole) return fail(whole.error());
  auto restored = storage::restore(disk.identity, disk.log->take_contents(), *stands);
  if (!restored) return fail(restored.error());
  beginning.restored = *std::move(restored);
  return beginning;
}

}  // namespace holdfast::server
