#include "storage/database.h"

#include <filesystem>

#include "storage/failure.h"
#include "storage/files.h"
#include "storage/pragmas.h"
#include "storage/wal_file.h"

namespace holdfast::storage {
namespace {

void create(Connection& connection, const Format& format) {
  Transaction transaction(connection);
  connection.execute(format.schema);
  connection.execute(("PRAGMA application_id=" + std::to_string(format.application_id)).c_str());
  connection.execute(("PRAGMA user_version=" + std::to_string(format.version)).c_str());
  transaction.commit();
}

void require_format(Connection& connection, const Format& format) {
  const std::string id = connection.query("PRAGMA application_id");
  if (id != std::to_string(format.application_id)) {
    throw StorageFailure(Errc::kCorrupt, "\"" + connection.path() + "\" is not a Holdfast " + format.name +
                                             "; move it out of the data directory");
  }
  const int version = std::stoi(connection.query("PRAGMA user_version"));
  if (version != format.version) {
    throw ForeignFormat("the " + std::string(format.name) + " \"" + connection.path() + "\" has format " +
                        std::to_string(version) + " and this program reads format " +
                        std::to_string(format.version) + "; run the version of Holdfast that wrote it");
  }
}

}  // namespace

std::unique_ptr<Connection> open_database(const Location& location, const Format& format) {
  require_sound_wal(location.path, location.vfs);
  auto connection = std::make_unique<Connection>(location.path, location.vfs, format.most_unsynced_bytes);
  hold_exclusively(*connection);
  const bool is_new = connection->query("SELECT count(*) FROM sqlite_schema") == "0";
  if (!is_new) require_format(*connection, format);  // before the settings: they depend on it
  apply_pragmas(*connection, format.page_bytes);
  if (is_new) create(*connection, format);
  connection->checkpoint(Checkpoint::kTruncate);
  // SQLite syncs the directory too, but passes over a failure.
  const std::string directory = std::filesystem::path(location.path).parent_path().string();
  if (location.files != nullptr) {
    location.files->sync_directory(directory);
  } else if (location.vfs.empty()) {
    SystemFiles().sync_directory(directory);
  }
  return connection;
}

}  // namespace holdfast::storage
