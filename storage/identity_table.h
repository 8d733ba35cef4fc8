#pragma once

#include <optional>

#include "storage/identity.h"
#include "storage/sqlite.h"

namespace holdfast::storage {

/// Tables `identity` and `members` of the log database.
std::optional<Identity> read_identity(Connection& connection);
/// Draws a new data id. Requires: a transaction, and no identity yet.
void write_identity(Connection& connection, const Identity& identity);

}  // namespace holdfast::storage
