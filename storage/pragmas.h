#pragma once

#include "storage/sqlite.h"

namespace holdfast::storage {

/// Sets up a connection as durability needs it, and reads every setting back: a value that SQLite was not
/// willing to take (another build, a read-only file, a file system without WAL) is a StorageFailure and not a
/// promise silently broken. Ref: docs/formats/LOG.md, "Settings".
void apply_pragmas(Connection& connection);

}  // namespace holdfast::storage
