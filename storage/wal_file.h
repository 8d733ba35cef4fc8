#pragma once

#include <string>

namespace holdfast::storage {

/// Scans the write-ahead log of the database at `path` before SQLite opens it.
/// Throws: StorageFailure if it is damaged, cannot be read, or stands without its database.
void require_sound_wal(const std::string& path, const std::string& vfs);

}  // namespace holdfast::storage
