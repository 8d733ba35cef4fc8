#include "storage/file_names.h"

#include <string_view>

#include "storage/files.h"

namespace holdfast::storage {
namespace {

constexpr std::string_view kImage = "image-";
constexpr std::string_view kCopy = "snapshot-";
constexpr std::string_view kIncoming = "receiving-";
constexpr std::string_view kEnd = ".db";

std::string name(std::string_view begin, Index at) {
  return std::string(begin) + std::to_string(at.value()) + std::string(kEnd);
}

/// Without what SQLite appends for the files beside a database.
std::string_view database_of(std::string_view name) {
  for (const std::string_view end : {"-wal", "-shm", "-journal"}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - end.size());
  }
  return name;
}

bool is_image(std::string_view name) {
  if (name == kFirstImageFile) return true;
  if (!name.ends_with(kEnd)) return false;
  return name.starts_with(kImage) || name.starts_with(kCopy) || name.starts_with(kIncoming);
}

}  // namespace

std::string image_file_name(Index at) { return name(kImage, at); }
std::string copy_file_name(Index at) { return name(kCopy, at); }
std::string incoming_file_name(Index at) { return name(kIncoming, at); }

void remove_strays(Files& files, const std::string& directory, const std::string& image_file) {
  const std::string kept = image_file.empty() ? kFirstImageFile : image_file;
  bool removed = false;
  for (const std::string& each : files.list(directory)) {
    const std::string_view database = database_of(each);
    if (!is_image(database) || database == kept) continue;
    files.remove(path_in(directory, each));
    removed = true;
  }
  if (removed) files.sync_directory(directory);
}

}  // namespace holdfast::storage
