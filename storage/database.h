#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/sqlite.h"

namespace holdfast::storage {

class Files;

/// Where a database is. An empty `vfs` is SQLite's default, and files on a disk.
struct Location {
  std::string path;
  std::string vfs;
  Files* files = nullptr;  ///< beside the database; null: those of the system, and none beside a `vfs`
};

/// A page of an image, and of any database that says nothing else.
constexpr std::size_t kPageBytes = 4096;
/// A frame of the write-ahead log: a page and its header.
constexpr std::size_t frame_bytes(std::size_t page_bytes) { return page_bytes + 24; }

/// A database of one kind. What marks it as one of ours: DO NOT CHANGE THE NUMBERS (docs/formats/LOG.md).
struct Format {
  const char* name;             ///< for people
  std::int32_t application_id;  ///< in the file's header, at byte 68
  int version;                  ///< raised when an older program would misread the file
  const char* schema;           ///< of a new database
  std::size_t page_bytes = kPageBytes;
  std::size_t most_unsynced_bytes = 0;  ///< see GatheringVfs
};

/// Scans the write-ahead log, opens the database or creates it in one transaction, applies and checks the
/// settings, and starts with an empty write-ahead log: leftovers of a torn transaction must not lie behind
/// new frames of the same salts, where the next scan would count them.
/// Durability: the files are in their directory for good when this returns.
/// Throws: StorageFailure.
std::unique_ptr<Connection> open_database(const Location& location, const Format& format);

}  // namespace holdfast::storage
