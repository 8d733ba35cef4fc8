#include "storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "storage/failure.h"
#include "storage/files.h"

namespace holdfast::storage {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, const std::string& what, int error,
                         const std::string& way_out) {
  throw StorageFailure(Errc::kStorage, "the data directory \"" + path.string() + "\" " + what + ": " +
                                           std::strerror(error) + "; " + way_out);
}

void create_durably(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return;
    const bool no_parent = errno == ENOENT && path.has_parent_path() && path.parent_path() != path;
    if (!no_parent) refuse(path, "cannot be created", errno, "check the path and its permissions");
    create_durably(path.parent_path());
    if (::mkdir(path.c_str(), 0700) != 0) {
      refuse(path, "cannot be created", errno, "check the path and its permissions");
    }
  }
  SystemFiles().sync_directory(path.string());
  SystemFiles().sync_directory(path.parent_path().string());
}

std::string read_text(int descriptor) {
  char text[32];
  const ssize_t count = ::pread(descriptor, text, sizeof text, 0);
  std::string_view found(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  return std::string(found.substr(0, found.find('\n')));
}

int take_lock(const fs::path& directory) {
  const fs::path path = directory / "lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    refuse(directory, "cannot be used", errno, "check that this user may read and write it");
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string holder = read_text(descriptor);
    ::close(descriptor);
    if (error != EWOULDBLOCK) refuse(directory, "cannot be locked", error, "use a local file system");
    throw StorageFailure(Errc::kStorage, "the data directory \"" + directory.string() +
                                             "\" is in use by another process (" + holder +
                                             "); stop it or choose another directory");
  }
  // Only for the message above: it need not be durable.
  const std::string self = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, self.data(), self.size(), 0) < 0) {
    const int error = errno;
    ::close(descriptor);
    refuse(directory, "cannot be written", error, "check its permissions and free space");
  }
  return descriptor;
}

/// The names of its files must be readable, or what is there would be taken for what is not.
void require_readable(const fs::path& path) {
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    refuse(path, "cannot be used", errno, "check that this user may read and write it");
  }
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const fs::path& path) {
  try {
    std::error_code error;
    const fs::path whole = fs::absolute(path, error).lexically_normal();
    if (path.empty() || error) {
      return fail(Errc::kStorage, "the data directory \"" + path.string() + "\" is not a path; name one");
    }
    // "a/b/" names a directory "" in "a/b".
    const fs::path directory = whole.has_filename() ? whole : whole.parent_path();
    create_durably(directory);
    require_readable(directory);
    return std::unique_ptr<DataDirectory>(new DataDirectory(directory, take_lock(directory)));
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  } catch (const fs::filesystem_error& failure) {
    return fail(Errc::kStorage, "the data directory \"" + path.string() + "\" cannot be used: " +
                                    failure.code().message() + "; check the path and its permissions");
  }
}

DataDirectory::DataDirectory(fs::path path, int lock) : path_(std::move(path)), lock_(lock) {}

Result<void> DataDirectory::remove_strays(const std::string& image_file) {
  try {
    storage::remove_strays(files_, path_.string(), image_file);
    return {};
  } catch (const StorageFailure& failure) {
    return fail(failure.to_error());
  }
}

DataDirectory::~DataDirectory() { ::close(lock_); }

}  // namespace holdfast::storage
