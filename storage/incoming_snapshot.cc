#include "storage/incoming_snapshot.h"

#include <utility>

#include "storage/failure.h"
#include "storage/file_digest.h"
#include "storage/file_names.h"

namespace holdfast::storage {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

std::string describe(const node::SnapshotFile& file) {
  return "the image at entry " + std::to_string(file.index.value());
}

Error stopping() { return {Errc::kStopping, "this member is stopping; the image is received anew", {}}; }

}  // namespace

IncomingSnapshot::IncomingSnapshot(Files& files, std::string directory, std::string vfs,
                                   std::vector<TableDescription> tables, std::string data_id)
    : files_(files),
      directory_(std::move(directory)),
      vfs_(std::move(vfs)),
      tables_(std::move(tables)),
      data_id_(std::move(data_id)) {}

void IncomingSnapshot::discard() {
  if (!receiving_) return;
  const std::string name = incoming_file_name(receiving_->announced.index);
  receiving_.reset();
  files_.remove(path(name));
}

Result<std::uint64_t> IncomingSnapshot::begin(const node::SnapshotFile& announced) {
  if (receiving_ && receiving_->announced == announced) return receiving_->received;
  discard();
  try {
    if (files_.free_bytes(directory_) < announced.size) throw DiskFull("receiving " + describe(announced));
    receiving_ = Receiving{announced, files_.create(path(incoming_file_name(announced.index))), 0};
  } catch (const DiskFull& full) {
    return fail(full.to_error());
  }
  return std::uint64_t{0};
}

Result<std::uint64_t> IncomingSnapshot::write(std::uint64_t offset, const Blob& bytes) {
  if (!receiving_) return fail(Errc::kStorage, "no image is being received; begin with one");
  if (offset != receiving_->received) return receiving_->received;
  if (bytes.size() > receiving_->announced.size - offset) {
    const std::string which = describe(receiving_->announced);
    discard();
    return fail(Errc::kCorrupt, which + " is longer than it was announced; send it again");
  }
  try {
    receiving_->file->write(offset, bytes.view());
  } catch (const DiskFull& full) {
    return fail(full.to_error());
  }
  receiving_->received += bytes.size();
  return receiving_->received;
}

Result<std::unique_ptr<ImageDatabase>> IncomingSnapshot::prepare(const raft::Snapshot& at,
                                                                 node::ImageLoader& into) {
  if (!receiving_ || receiving_->announced.index != at.index ||
      receiving_->received != receiving_->announced.size) {
    return fail(Errc::kStorage, "no whole image at entry " + std::to_string(at.index.value()) +
                                    " was received; send it again");
  }
  try {
    if (auto good = check_bytes(); !good) {
      discard();
      return fail(good.error());
    }
    name_as_image();
    auto opened = open(at, into);
    if (!opened) {
      files_.remove(path(image_file_name(at.index)));
      files_.remove(path(image_file_name(at.index) + "-wal"));
    }
    return opened;
  } catch (const DiskFull& full) {
    discard();
    files_.remove(path(image_file_name(at.index)));
    files_.remove(path(image_file_name(at.index) + "-wal"));
    return fail(full.to_error());
  }
}

/// What lies in the file now, not what passed by on its way there.
Result<void> IncomingSnapshot::check_bytes() {
  FileDigest digest;
  for (std::uint64_t at = 0; at < receiving_->announced.size;) {
    if (broken_off()) return fail(stopping());
    const std::string bytes = receiving_->file->read(at, kPieceBytes);
    if (bytes.empty()) break;
    digest.add(bytes);
    at += bytes.size();
  }
  if (digest.text() == receiving_->announced.digest) return {};
  return fail(Errc::kCorrupt, describe(receiving_->announced) +
                                  " was damaged on its way: its digest does not match; send it again");
}

/// No database is ever renamed over another, nor beside a write-ahead log that is not its own.
void IncomingSnapshot::name_as_image() {
  const Index index = receiving_->announced.index;
  receiving_->file->sync();
  receiving_.reset();
  files_.remove(path(image_file_name(index)));
  files_.remove(path(image_file_name(index) + "-wal"));
  files_.rename(path(incoming_file_name(index)), path(image_file_name(index)));
  files_.sync_directory(directory_);
}

Result<std::unique_ptr<ImageDatabase>> IncomingSnapshot::open(const raft::Snapshot& at,
                                                              node::ImageLoader& into) {
  try {
    auto image = std::make_unique<ImageDatabase>(Location{path(image_file_name(at.index)), vfs_, &files_},
                                                 tables_, data_id_, Ownership::kTakenOver);
    if (image->state().applied != at.index) {
      return fail(Errc::kCorrupt, "an image that was said to be at entry " +
                                      std::to_string(at.index.value()) + " is at " +
                                      std::to_string(image->state().applied.value()) + "; send it again");
    }
    auto loaded = image->load([&](std::size_t table, const Row& row) -> Result<void> {
      if (broken_off()) return fail(stopping());
      return into.take(table, row);
    });
    if (loaded) {
      loaded = image->load_history(into.history_wanted(), [&](const node::HistoryRow& row) -> Result<void> {
        if (broken_off()) return fail(stopping());
        return into.take_history(row);
      });
    }
    if (loaded) loaded = into.finish();
    if (!loaded) return fail(loaded.error());
    return image;
  } catch (const ForeignFormat& foreign) {
    return fail(Errc::kCorrupt, foreign.what());
  } catch (const DiskFull&) {
    throw;
  } catch (const StorageFailure& failure) {
    // What is wrong with the content harms only this copy; what the disk does wrong ends the process.
    if (failure.to_error().code != Errc::kCorrupt) throw;
    return fail(failure.to_error());
  }
}

}  // namespace holdfast::storage
