#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "storage/failure.h"

namespace holdfast::storage {
namespace {

[[noreturn]] void refuse(const std::string& doing, const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT) throw DiskFull(doing + " \"" + path + "\"");
  throw StorageFailure(Errc::kStorage, doing + " \"" + path + "\" failed: " + std::strerror(error) +
                                           "; check its permissions and the disk");
}

class SystemFile final : public File {
 public:
  SystemFile(std::string path, int flags)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) refuse("opening", path_, errno);
  }
  ~SystemFile() override { ::close(descriptor_); }
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;

  void write(std::uint64_t at, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) refuse("writing", path_, count == 0 ? ENOSPC : errno);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      at += static_cast<std::uint64_t>(count);
    }
  }

  std::string read(std::uint64_t at, std::size_t count) override {
    std::string bytes(count, '\0');
    std::size_t there = 0;
    while (there < count) {
      const ssize_t more =
          ::pread(descriptor_, bytes.data() + there, count - there, static_cast<off_t>(at + there));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) refuse("reading", path_, errno);
      if (more == 0) break;
      there += static_cast<std::size_t>(more);
    }
    bytes.resize(there);
    return bytes;
  }

  std::uint64_t size() override {
    struct stat facts {};
    if (::fstat(descriptor_, &facts) != 0) refuse("looking at", path_, errno);
    return static_cast<std::uint64_t>(facts.st_size);
  }

  void reserve(std::uint64_t bytes) override {
    const int error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
    if (error != 0) refuse("reserving space for", path_, error);
  }

  void sync() override {
    if (::fsync(descriptor_) != 0) refuse("making durable", path_, errno);
  }

 private:
  const std::string path_;
  const int descriptor_;
};

struct statvfs facts_of(const std::string& directory) {
  struct statvfs facts {};
  const std::string path = directory.empty() ? "." : directory;
  if (::statvfs(path.c_str(), &facts) != 0) refuse("looking at the free space of", path, errno);
  return facts;
}

}  // namespace

std::unique_ptr<File> SystemFiles::create(const std::string& path) {
  return std::make_unique<SystemFile>(path, O_RDWR | O_CREAT | O_TRUNC);
}

std::unique_ptr<File> SystemFiles::open(const std::string& path) {
  return std::make_unique<SystemFile>(path, O_RDWR);
}

std::vector<std::string> SystemFiles::list(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator each(directory.empty() ? "." : directory, error);
  for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
    names.push_back(each->path().filename().string());
  }
  if (error) refuse("listing", directory, error.value());
  return names;
}

void SystemFiles::rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) refuse("renaming", from, errno);
}

void SystemFiles::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) refuse("removing", path, errno);
}

void SystemFiles::sync_directory(const std::string& directory) {
  const std::string path = directory.empty() ? "." : directory;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) refuse("opening the directory", path, errno);
  const bool done = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  if (!done) refuse("making durable the directory", path, error);
}

std::uint64_t SystemFiles::total_bytes(const std::string& directory) {
  const struct statvfs facts = facts_of(directory);
  return static_cast<std::uint64_t>(facts.f_blocks) * facts.f_frsize;
}

std::uint64_t SystemFiles::free_bytes(const std::string& directory) {
  const struct statvfs facts = facts_of(directory);
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

std::string path_in(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

}  // namespace holdfast::storage
