#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "base/callback.h"
#include "base/result.h"

namespace holdfast::storage {

/// A database did not do what it was asked, or is not what it should be. Thrown inside this module only:
/// while opening it becomes an Error, on a storage thread it becomes a call of the FatalHandler.
class StorageFailure : public std::runtime_error {
 public:
  StorageFailure(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Error to_error() const { return Error{code_, what()}; }

 private:
  Errc code_;
};

/// No space is left. What was being written is not there, and nothing that was there before has suffered: the
/// only failure after which a write may be tried again.
class DiskFull : public StorageFailure {
 public:
  explicit DiskFull(const std::string& doing)
      : StorageFailure(Errc::kStorage, doing +
                                           " failed: no space is left on its file system; free some space "
                                           "and start again. Nothing that was acknowledged is lost") {}
};

/// A whole file, but of a program that this one does not understand.
class ForeignFormat : public StorageFailure {
 public:
  explicit ForeignFormat(const std::string& message) : StorageFailure(Errc::kStorage, message) {}
};

/// Told once, on a storage thread, that a write failed or that its outcome is uncertain; it ends the process.
/// A failed write is never retried: after a failed fsync the kernel may call clean what never reached the
/// disk. Should the handler return (in tests), the store does nothing further and completes nothing more.
using FatalHandler = std::function<void(const std::string& message)>;

/// What to do about a damaged file. Starting again with an empty directory is not it: a member that forgot
/// its votes and entries must not come back under the same id.
inline constexpr const char* kReplaceMember =
    "Keep a copy of the directory, remove this member from the cluster (holdfast member remove NAME), and "
    "start "
    "it again with holdfastd --rejoin: it comes back as a new one and is sent the state by the others";

/// Runs a completion on the loop. Thread: any.
using Poster = std::function<void(Callback<void()>)>;

/// What a user reads about an SQLite result code: the file, what was being done to it, and the way out.
StorageFailure sqlite_failure(int code, const std::string& detail, const std::string& path,
                              const std::string& doing);

}  // namespace holdfast::storage
