#pragma once

#include <cstddef>

#include "storage/sqlite.h"

namespace holdfast::storage {

/// Sets up a connection as durability needs it, and reads every setting back: a value that SQLite was not
/// willing to take (another build, a read-only file, a file system without WAL) is a StorageFailure and not a
/// promise silently broken. Ref: docs/formats/LOG.md, "Settings".
/// The page size is that of a new database; one that is there must have it.
void apply_pragmas(Connection& connection, std::size_t page_bytes);

/// The first of them by itself: comes before anything is read.
void hold_exclusively(Connection& connection);

}  // namespace holdfast::storage
