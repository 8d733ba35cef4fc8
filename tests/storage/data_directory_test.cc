#include "storage/data_directory.h"

#include <sys/fsuid.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/temporary_directory.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

constexpr unsigned kNobody = 65534;

/// Opens `path` as somebody without rights, on this thread only: tests may run as root, whom permissions do
/// not stop.
std::string refusal_for_nobody(const std::filesystem::path& path) {
  const bool root = geteuid() == 0;
  if (root) setfsuid(kNobody);
  const auto directory = DataDirectory::open(path);
  if (root) setfsuid(0);
  return directory ? std::string() : directory.error().message;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a data directory is created with its parents and names its databases") {
  TemporaryDirectory temporary;
  const auto directory = DataDirectory::open(temporary.path() / "a" / "b" / "");
  if (!directory) FAIL(directory.error().message);
  CHECK((*directory)->path() == temporary.path() / "a" / "b");
  CHECK(std::filesystem::is_directory(temporary.path() / "a" / "b"));
  CHECK((*directory)->log().path == temporary.file("a/b/log.db"));
  CHECK((*directory)->image("").path == temporary.file("a/b/state.db"));
  CHECK((*directory)->image("image-9.db").path == temporary.file("a/b/image-9.db"));
  const auto permissions = std::filesystem::status(temporary.path() / "a" / "b").permissions();
  CHECK(permissions == std::filesystem::perms::owner_all);
}

TEST_CASE("a second user of a data directory is refused and told who has it") {
  TemporaryDirectory temporary;
  auto first = DataDirectory::open(temporary.path());
  REQUIRE(first);
  const auto second = DataDirectory::open(temporary.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::kStorage);
  CHECK(holds(second.error().message, temporary.path().string()));
  CHECK(holds(second.error().message, "in use by another process (" + std::to_string(getpid()) + ")"));
  first->reset();
  CHECK(DataDirectory::open(temporary.path()));
}

TEST_CASE("a data directory that cannot be used is refused with its name") {
  TemporaryDirectory temporary;
  const auto file = temporary.path() / "file";
  std::ofstream(file) << "not a directory";
  for (const auto& path : {file, file / "below"}) {
    const auto directory = DataDirectory::open(path);
    REQUIRE_FALSE(directory);
    CHECK(directory.error().code == Errc::kStorage);
    CHECK(holds(directory.error().message, path.string()));
  }
  CHECK_FALSE(DataDirectory::open(""));
}

TEST_CASE("a data directory without permission is refused with its name") {
  TemporaryDirectory temporary;
  std::filesystem::permissions(temporary.path(), std::filesystem::perms::owner_exec |
                                                     std::filesystem::perms::others_exec |
                                                     std::filesystem::perms::others_read);
  const std::string used = refusal_for_nobody(temporary.path());
  CHECK(holds(used, temporary.path().string()));
  CHECK(holds(used, "Permission denied"));
  const std::string created = refusal_for_nobody(temporary.path() / "new");
  CHECK(holds(created, "cannot be created: Permission denied"));
  std::filesystem::permissions(temporary.path(), std::filesystem::perms::owner_all);
}
