#pragma once

#include <filesystem>
#include <optional>

#include "server/boot.h"

namespace holdfast::server {

/// For --rejoin: renames the data directory of a member that was removed and added again, so that it begins
/// with an empty one. Nothing is deleted. A directory that the cluster knows as this member's stays: a
/// service that is always started with --rejoin goes on with what it has. So it does if the cluster cannot be
/// asked: after a power cut nobody could be, until most members have started.
/// Returns: where the old data is now; nothing if there was none or it stays.
/// Errors: as joining_identity() if the cluster does not await this member; kStorage.
Result<std::optional<std::filesystem::path>> set_old_data_aside(const Options& options,
                                                                const AskCluster& ask);

}  // namespace holdfast::server
