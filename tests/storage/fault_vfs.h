#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/storage/faulty_disk.h"

struct sqlite3_vfs;

/// Puts a FaultyDisk under SQLite: name() is given as Location::vfs. It makes the promises that SQLite's own
/// file access makes on Linux and no more (a write harms nothing beside it; there is no shared memory).
class FaultVfs {
 public:
  explicit FaultVfs(FaultyDisk& disk);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

/// From here on SQLite's own random numbers (salts, data ids) depend on `seed` only; it has one generator a
/// process.
void seed_sqlite(std::uint32_t seed);
