#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

/// What clients did to a cluster and what they were told: the evidence that audit.h judges. A file holds one
/// JSON object a line, so that a run can be judged again later.
namespace holdfast::chaos {

enum class Kind {
  kPut,
  kDelete,
  kGet,
  kGrant,    ///< a lock was granted
  kRelease,  ///< a lock was released, or found lost
  kHold,     ///< until when the holder of a token was told that it is safe
  kLook,     ///< the holders and the queue of a lock
  kLease,    ///< until when a lease was sure to live, and the key attached to it; without
             ///< `until`: its holder began to revoke it
  kEvent,    ///< a watcher saw a change
  kFault,    ///< what was done to the cluster; judged by nobody
  kBreach,   ///< a client was told what it never may be told; `value` says what
  kFinal,    ///< a key as it was when everything was over; a key without one was not there
};

enum class Answer {
  kDone,
  kMismatch,  ///< refused because a condition did not hold: the key's revision, the lock's holder
  kFailed,    ///< had no effect, or none that matters: it could not reach the cluster
  kUnknown,
};

struct Record {
  Kind kind = Kind::kFault;
  Answer answer = Answer::kDone;
  std::uint32_t client = 0;
  std::int64_t call = 0;  ///< microseconds of the machine's monotonic clock
  std::int64_t end = 0;
  std::string key;    ///< or the lock's name
  std::string value;  ///< of a fault: what was done
  bool conditional = false;
  std::uint64_t expected = 0;
  bool present = false;  ///< get, final: it was there; delete: something was deleted; event: it is a put
  std::uint64_t revision = 0;        ///< of the write, of the key read, of the change seen; see KeyOperation
  std::uint64_t store_revision = 0;  ///< get: at which the store was read
  std::uint64_t version = 0;
  std::uint64_t create_revision = 0;
  std::uint64_t token = 0;  ///< grant, release, hold, look (the holder's, 0: nobody)
  std::uint64_t lease = 0;
  std::int64_t until = 0;              ///< hold, lease: safe until then; grant: how long it wanted to wait
  std::vector<std::uint64_t> waiting;  ///< look: leases in the queue, in order
};

/// A history in a file, written while it happens. Thread: any.
class HistoryFile {
 public:
  /// Errors: kStorage.
  static Result<std::unique_ptr<HistoryFile>> create(const std::string& path);
  void add(const Record& record);

 private:
  explicit HistoryFile(std::ofstream file) : file_(std::move(file)) {}
  std::mutex mutex_;
  std::ofstream file_;
};

std::string to_line(const Record& record);
/// Errors: kInvalidArgument saying what is wrong.
Result<Record> from_line(const std::string& line);
/// Reads a history; the last line may be torn, if whoever wrote it was killed.
/// Errors: kInvalidArgument naming the line.
Result<std::vector<Record>> read_history(const std::string& path);

}  // namespace holdfast::chaos
