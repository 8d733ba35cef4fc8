#include "storage/restore.h"

#include <string>
#include <utility>

#include "storage/failure.h"

namespace holdfast::storage {

Result<raft::Restored> restore(const Identity& identity, LogContents log, const ImageState& image) {
  const Index last = log.entries.empty() ? log.base_index : log.entries.back().index;
  const std::string stands = "the image stands at entry " + std::to_string(image.applied.value());
  const std::string way_out = std::string(". Put back the files that belong together, or: ") + kReplaceMember;
  if (image.applied < log.base_index) {
    return fail(Errc::kCorrupt, stands + ", but the log begins only after entry " +
                                    std::to_string(log.base_index.value()) +
                                    ": the image is missing or too old" + way_out);
  }
  if (image.applied > last) {
    return fail(Errc::kCorrupt, stands + ", but the log ends at entry " + std::to_string(last.value()) +
                                    ": the log is missing or too old" + way_out);
  }
  raft::Restored restored;
  restored.hard_state = log.hard_state;
  restored.membership = log.base_membership ? *std::move(log.base_membership) : identity.membership;
  restored.base_index = log.base_index;
  restored.base_term = log.base_term;
  restored.entries = std::move(log.entries);
  restored.applied = image.applied;
  return restored;
}

}  // namespace holdfast::storage
