#pragma once

#include <optional>

#include "storage/identity.h"
#include "storage/sqlite.h"

namespace holdfast::storage {

/// Table `identity` of the log database, with the founding members. Throws: StorageFailure if they do not
/// match their checksum.
std::optional<Identity> read_identity(Connection& connection);
/// Requires: a transaction, and no identity yet.
void write_identity(Connection& connection, const Identity& identity);
/// Returns: 32 random hexadecimal digits.
std::string draw_data_id(Connection& connection);

}  // namespace holdfast::storage
