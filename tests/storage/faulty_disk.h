#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

/// What a disk does to a write that no sync has followed when the power goes.
enum class Loss {
  kOmit,    ///< it is not there
  kTear,    ///< each of its sectors is there or not
  kGarble,  ///< each of its sectors is there, or not, or random bytes
};

enum class Fault {
  kNone,
  kIoError,   ///< the operation fails and has no effect that can be relied on
  kFull,      ///< no space is left
  kPowerCut,  ///< the operation and all later ones fail, until restart()
};

/// Files in memory that remember which of their bytes have reached the platter, and a fault at the k-th
/// operation that changes something (write, truncate, sync, delete, rename, sync of the directory).
///
/// Names are bytes of the directory: what was created, renamed or unlinked since the directory was last
/// synced is gone after a power cut, or some of the earliest of it is there. Thread: any.
class FaultyDisk {
 public:
  struct File {
    std::string current;  ///< what a reader sees
    std::string durable;  ///< what a power cut cannot take
    bool durably_there = false;
    struct Change {
      std::size_t at = 0;
      std::string bytes;
      bool truncates = false;  ///< to `at`
      bool failed = false;     ///< the writer knows that it may not be there
    };
    std::vector<Change> unsynced;
  };

  explicit FaultyDisk(std::uint64_t seed) : random_(seed) {}

  /// The `k`-th changing operation from now on (the first is 1) meets `fault`.
  void fail_at(std::uint64_t k, Fault fault);
  /// Changing operations since the last fail_at() or restart().
  std::uint64_t operations() const;
  /// Of those, the ones tried after the fault.
  std::uint64_t operations_after_fault() const;

  /// From now on files may hold so many bytes in all; what would make them longer meets kFull. Zero: any
  /// number.
  void set_capacity(std::uint64_t bytes);
  /// So many bytes of the capacity are somebody else's.
  void set_taken(std::uint64_t bytes);
  /// Somebody else takes all that is free now, to the last byte. Requires: a capacity.
  void take_what_is_free();
  std::uint64_t used_bytes() const;
  /// Reads since the disk was made.
  std::uint64_t reads() const;

  /// From here on nothing fails; what was not synced is as it was. For a process that ended under power.
  void forget_fault() { fail_at(0, Fault::kNone); }
  /// The power comes back: every file is what survived. Requires: no file is open.
  void restart(Loss loss);

  /// As if it were new. Requires: no file is open.
  void erase();

  bool exists(const std::string& path) const;
  /// Inverts one bit of the stored file.
  void flip_bit(const std::string& path, std::size_t byte, unsigned bit);
  std::string contents(const std::string& path) const;
  void replace(const std::string& path, std::string bytes);

  // What a file system offers; Fault::kNone is success.
  std::shared_ptr<File> open(const std::string& path, bool create);
  Fault remove(const std::string& path);  // at once and for good, as SQLite's own deletions are taken here
  Fault unlink(const std::string& path);
  Fault rename(const std::string& from, const std::string& to);
  Fault sync_directory();
  std::vector<std::string> names() const;
  std::uint64_t free_bytes() const;
  std::uint64_t capacity() const;
  /// As open() with `create`, but the name is durable only after sync_directory().
  std::shared_ptr<File> create(const std::string& path);
  Fault write(File& file, std::size_t at, std::string_view bytes);
  Fault truncate(File& file, std::size_t size);
  Fault sync(File& file);
  /// Returns: how many of `count` bytes were there; the rest is zeros.
  std::size_t read(const File& file, std::size_t at, std::size_t count, char* into) const;
  std::size_t size(const File& file) const;
  std::uint64_t random();

 private:
  /// A change of the directory, and what it takes to undo it.
  struct NameChange {
    std::string added;
    std::string removed;
    std::shared_ptr<File> file;
  };
  Fault next_operation();
  bool has_room(const File& file, std::size_t size) const;
  std::uint64_t used() const;
  void survive_directory(Loss loss);
  void survive(File& file, Loss loss);

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  holdfast::Random random_;
  // Owners: this map, and who has the file open.
  std::map<std::string, std::shared_ptr<File>> files_;
  std::vector<NameChange> unsynced_names_;
  std::uint64_t capacity_ = 0;
  std::uint64_t taken_ = 0;
  mutable std::uint64_t reads_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t fault_at_ = 0;
  Fault fault_ = Fault::kNone;
};
