#include "storage/snapshot_copies.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "storage/failure.h"
#include "storage/file_names.h"

namespace holdfast::storage {
namespace {

constexpr std::size_t kSliceBytes = 512 << 10;  // less than a millisecond's work

}  // namespace

void SnapshotCopies::want(Made made) {
  INVARIANT(!wanted(), "one copy is made at a time");
  made_ = std::move(made);
}

bool SnapshotCopies::advance(ImageDatabase& image) {
  if (!wanted()) return false;
  try {
    if (copying_) {
      copy_slice(image);
    } else if (image.in_transaction()) {
      return false;
    } else {
      begin(image);
    }
  } catch (const DiskFull& full) {
    abandon();
  }
  return wanted();
}

void SnapshotCopies::begin(ImageDatabase& image) {
  const Index index = image.state().applied;
  if (const auto there = copies_.find(index); there != copies_.end()) {
    finish(there->second.facts);
    return;
  }
  image.checkpoint(Checkpoint::kPassive);
  Copy copy;
  copy.facts.index = index;
  copy.facts.size = image.file_size();
  if (files_.free_bytes(directory_) < copy.facts.size) throw DiskFull("copying the image");
  copy.file = files_.create(path_in(directory_, copy_file_name(index)));
  copying_ = std::move(copy);
  copied_ = 0;
  digest_ = {};
}

void SnapshotCopies::copy_slice(ImageDatabase& image) {
  const std::uint64_t left = copying_->facts.size - copied_;
  const std::string bytes =
      image.read_file(copied_, static_cast<std::size_t>(std::min<std::uint64_t>(left, kSliceBytes)));
  copying_->file->write(copied_, bytes);
  digest_.add(bytes);
  copied_ += bytes.size();
  if (copied_ < copying_->facts.size) return;
  copying_->facts.digest = digest_.text();
  const node::SnapshotFile facts = copying_->facts;
  copies_.insert_or_assign(facts.index, *std::exchange(copying_, std::nullopt));
  finish(facts);
}

void SnapshotCopies::abandon() {
  if (copying_) files_.remove(path_in(directory_, copy_file_name(copying_->facts.index)));
  copying_.reset();
  if (wanted()) {
    finish(fail(Errc::kStorage,
                "no copy of the image was made: there is no space for it, or the image was "
                "replaced meanwhile; free some space if there is little"));
  }
}

void SnapshotCopies::finish(Result<node::SnapshotFile> result) {
  Made made = std::exchange(made_, {});
  made(std::move(result));
}

Result<Blob> SnapshotCopies::read(Index index, std::uint64_t offset, std::size_t most_bytes) {
  const auto found = copies_.find(index);
  if (found == copies_.end()) {
    return fail(Errc::kStorage, "there is no copy of the image at entry " + std::to_string(index.value()) +
                                    "; make a new one");
  }
  return Blob(found->second.file->read(offset, most_bytes));
}

void SnapshotCopies::release(Index index) {
  if (copies_.erase(index) > 0) files_.remove(path_in(directory_, copy_file_name(index)));
}

}  // namespace holdfast::storage
