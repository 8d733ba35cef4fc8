#pragma once

#include "storage/files.h"
#include "tests/storage/faulty_disk.h"

/// What storage does to whole files, on a FaultyDisk: each creation, write, sync, rename, removal and
/// directory sync is an operation that can meet its fault. The disk has one directory, "".
class FaultyFiles final : public holdfast::storage::Files {
 public:
  explicit FaultyFiles(FaultyDisk& disk) : disk_(disk) {}

  std::unique_ptr<holdfast::storage::File> create(const std::string& path) override;
  std::unique_ptr<holdfast::storage::File> open(const std::string& path) override;
  std::vector<std::string> list(const std::string& directory) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void sync_directory(const std::string& directory) override;
  std::uint64_t total_bytes(const std::string& directory) override;
  std::uint64_t free_bytes(const std::string& directory) override;

 private:
  FaultyDisk& disk_;
};
