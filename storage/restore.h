#pragma once

#include "base/result.h"
#include "raft/core.h"
#include "storage/identity.h"
#include "storage/image_database.h"
#include "storage/log_database.h"

namespace holdfast::storage {

/// What the core starts from, if log and image fit together: the image stands between the log's base and its
/// last entry, so that replaying the log's tail leaves no gap.
/// Errors: kCorrupt, naming the file that does not fit and the way out.
Result<raft::Restored> restore(const Identity& identity, LogContents log, const ImageState& image);

}  // namespace holdfast::storage
