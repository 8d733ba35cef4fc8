#include "tests/storage/faulty_files.h"

#include "storage/failure.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

void require(Fault fault, const std::string& doing) {
  switch (fault) {
    case Fault::kNone:
      return;
    case Fault::kFull:
      throw DiskFull(doing);
    case Fault::kIoError:
    case Fault::kPowerCut:
      break;
  }
  throw StorageFailure(Errc::kStorage, doing + " failed");
}

class OpenFile final : public File {
 public:
  OpenFile(FaultyDisk& disk, std::shared_ptr<FaultyDisk::File> file) : disk_(disk), file_(std::move(file)) {}
  void write(std::uint64_t at, std::string_view bytes) override {
    require(disk_.write(*file_, at, bytes), "writing");
  }
  std::string read(std::uint64_t at, std::size_t count) override {
    std::string bytes(count, '\0');
    bytes.resize(disk_.read(*file_, at, count, bytes.data()));
    return bytes;
  }
  std::uint64_t size() override { return disk_.size(*file_); }
  void reserve(std::uint64_t bytes) override {
    require(disk_.write(*file_, 0, std::string(bytes, '\0')), "reserving");
  }
  void sync() override { require(disk_.sync(*file_), "syncing"); }

 private:
  FaultyDisk& disk_;
  std::shared_ptr<FaultyDisk::File> file_;
};

}  // namespace

std::unique_ptr<File> FaultyFiles::create(const std::string& path) {
  auto file = disk_.create(path);
  require(disk_.truncate(*file, 0), "creating");
  return std::make_unique<OpenFile>(disk_, std::move(file));
}

std::unique_ptr<File> FaultyFiles::open(const std::string& path) {
  auto file = disk_.open(path, false);
  if (!file) throw StorageFailure(Errc::kStorage, "there is no \"" + path + "\"");
  return std::make_unique<OpenFile>(disk_, std::move(file));
}

std::vector<std::string> FaultyFiles::list(const std::string&) { return disk_.names(); }

void FaultyFiles::rename(const std::string& from, const std::string& to) {
  require(disk_.rename(from, to), "renaming");
}

void FaultyFiles::remove(const std::string& path) {
  if (disk_.exists(path)) require(disk_.unlink(path), "removing");
}

void FaultyFiles::sync_directory(const std::string&) {
  require(disk_.sync_directory(), "syncing the directory");
}

std::uint64_t FaultyFiles::total_bytes(const std::string&) { return disk_.capacity(); }

std::uint64_t FaultyFiles::free_bytes(const std::string&) { return disk_.free_bytes(); }
