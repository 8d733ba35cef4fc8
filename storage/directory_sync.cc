#include "storage/directory_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/failure.h"

namespace holdfast::storage {

void sync_directory(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory.empty() ? "." : directory;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool done = false;
  int error = errno;
  if (descriptor >= 0) {
    done = ::fsync(descriptor) == 0;
    error = errno;
    ::close(descriptor);
  }
  if (!done) {
    throw StorageFailure(Errc::kStorage, "making the directory " + path.string() + " durable failed: " +
                                             std::strerror(error) + "; check its permissions and the disk");
  }
}

}  // namespace holdfast::storage
