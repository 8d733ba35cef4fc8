#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What storage does to whole files without SQLite, behind an interface so that tests can let each of these
/// operations fail.
namespace holdfast::storage {

/// An open file. Every call may throw StorageFailure; DiskFull if there is no space.
class File {
 public:
  virtual ~File() = default;
  virtual void write(std::uint64_t at, std::string_view bytes) = 0;
  /// Returns: fewer than `count` bytes only at the file's end.
  virtual std::string read(std::uint64_t at, std::size_t count) = 0;
  virtual std::uint64_t size() = 0;
  /// Makes the file `bytes` long, with room on the disk for all of them.
  virtual void reserve(std::uint64_t bytes) = 0;
  /// Durability: what was written survives power loss; the file's name only after Files::sync_directory().
  virtual void sync() = 0;
};

/// The files of a directory. Stateless. Thread: any. Every call may throw StorageFailure.
class Files {
 public:
  virtual ~Files() = default;
  /// A new, empty file in the place of whatever has that name.
  virtual std::unique_ptr<File> create(const std::string& path) = 0;
  virtual std::unique_ptr<File> open(const std::string& path) = 0;
  /// The names in a directory, in no order.
  virtual std::vector<std::string> list(const std::string& directory) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// Does nothing if there is no such file.
  virtual void remove(const std::string& path) = 0;
  /// Makes the directory's entries durable: what was created, renamed or removed stays so after a power cut.
  virtual void sync_directory(const std::string& directory) = 0;
  /// Bytes of the file system that holds it: all of them, and those that this process may still write.
  virtual std::uint64_t total_bytes(const std::string& directory) = 0;
  virtual std::uint64_t free_bytes(const std::string& directory) = 0;
};

/// Those of the operating system.
class SystemFiles final : public Files {
 public:
  std::unique_ptr<File> create(const std::string& path) override;
  std::unique_ptr<File> open(const std::string& path) override;
  std::vector<std::string> list(const std::string& directory) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void sync_directory(const std::string& directory) override;
  std::uint64_t total_bytes(const std::string& directory) override;
  std::uint64_t free_bytes(const std::string& directory) override;
};

/// A name in a directory; an empty directory is the one that the process works in.
std::string path_in(const std::string& directory, const std::string& name);

}  // namespace holdfast::storage
