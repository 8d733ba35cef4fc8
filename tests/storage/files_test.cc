#include "storage/files.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/failure.h"
#include "storage/file_digest.h"
#include "storage/file_names.h"
#include "tests/temporary_directory.h"

using namespace holdfast;
using namespace holdfast::storage;

TEST_CASE("files are written, read, renamed and removed") {
  TemporaryDirectory directory;
  SystemFiles files;
  const std::string path = directory.file("one");
  {
    const auto file = files.create(path);
    file->write(0, "begin");
    file->write(5, " and end");
    file->sync();
    CHECK(file->size() == 13);
    CHECK(file->read(6, 3) == "and");
    CHECK(file->read(10, 100) == "end");
    CHECK(file->read(13, 5).empty());
  }
  files.rename(path, directory.file("two"));
  files.sync_directory(directory.path().string());
  CHECK(files.list(directory.path().string()) == std::vector<std::string>{"two"});
  CHECK(files.open(directory.file("two"))->read(0, 5) == "begin");
  CHECK(files.create(directory.file("two"))->size() == 0);
  files.create(directory.file("three"))->reserve(100'000);
  CHECK(std::filesystem::file_size(directory.file("three")) == 100'000);
  files.remove(directory.file("two"));
  files.remove(directory.file("two"));
  CHECK_FALSE(std::filesystem::exists(directory.file("two")));
  CHECK(files.total_bytes(directory.path().string()) >= files.free_bytes(directory.path().string()));
}

TEST_CASE("a file operation that fails names the file and the cause") {
  TemporaryDirectory directory;
  SystemFiles files;
  for (const auto& operation : std::vector<std::function<void(const std::string&)>>{
           [&](const std::string& path) { files.create(path); },
           [&](const std::string& path) { files.open(path); },
           [&](const std::string& path) { files.list(path); },
           [&](const std::string& path) { files.rename(path, path + "2"); },
           [&](const std::string& path) { files.sync_directory(path); },
           [&](const std::string& path) { files.free_bytes(path); }}) {
    std::string message;
    try {
      operation(directory.file("not/there"));
    } catch (const StorageFailure& failure) {
      message = failure.what();
    }
    INFO(message);
    CHECK(message.find("not/there") != std::string::npos);
    CHECK(message.find("No such file or directory") != std::string::npos);
  }
}

TEST_CASE("strays go, and the image that the log names stays") {
  TemporaryDirectory directory;
  SystemFiles files;
  const auto fill = [&] {
    for (const char* name :
         {"log.db", "log.db-wal", "lock", "ballast", "state.db", "state.db-wal", "image-7.db",
          "image-7.db-wal", "image-70.db", "snapshot-7.db", "receiving-9.db", "image-notes.txt"}) {
      files.create(directory.file(name));
    }
  };
  const auto left = [&](const std::string& image_file) {
    fill();
    remove_strays(files, directory.path().string(), image_file);
    std::vector<std::string> names = files.list(directory.path().string());
    std::sort(names.begin(), names.end());
    return names;
  };
  const std::vector<std::string> always = {"ballast", "image-notes.txt", "lock", "log.db", "log.db-wal"};
  std::vector<std::string> expected = always;
  expected.insert(expected.end(), {"state.db", "state.db-wal"});
  CHECK(left("") == expected);
  expected = always;
  expected.insert(expected.begin() + 1, {"image-7.db", "image-7.db-wal"});
  CHECK(left("image-7.db") == expected);
}

TEST_CASE("a file's digest does not depend on how its bytes are cut, and on each of them") {
  const std::string bytes = "The digest of a file that is sent in pieces of any size.";
  FileDigest whole;
  whole.add(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FileDigest parts;
    parts.add(bytes.substr(0, cut));
    parts.add("");
    parts.add(bytes.substr(cut));
    CHECK(parts.text() == whole.text());
    if (cut == bytes.size()) break;
    std::string other = bytes;
    other[cut] = static_cast<char>(other[cut] ^ 1);
    FileDigest changed;
    changed.add(other);
    CHECK(changed.text() != whole.text());
  }
  FileDigest shorter, zeros;
  shorter.add(std::string(7, '\0'));
  zeros.add(std::string(8, '\0'));
  CHECK(shorter.text() != zeros.text());
  CHECK(whole.text().size() == 24);
  // DO NOT CHANGE: members compare it.
  CHECK(whole.text() == "539035ba009da7a054996496");
}
