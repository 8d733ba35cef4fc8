#pragma once

#include <variant>

#include "base/blob.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "lock/lock_table.h"

namespace holdfast::state {

/// The answer to a command that has nothing more to say than the revision it left.
struct Done {
  Revision revision;
  friend bool operator==(const Done&, const Done&) = default;
};
struct LeaseGranted {
  LeaseId lease;
  milliseconds ttl{0};
  friend bool operator==(const LeaseGranted&, const LeaseGranted&) = default;
};
struct Deleted {
  Revision revision;
  std::uint64_t count = 0;
  bool more = false;  ///< the command was bounded, and the range has further keys
  friend bool operator==(const Deleted&, const Deleted&) = default;
};
struct LockAnswer {
  Revision revision;
  lock::Acquired acquired;
  friend bool operator==(const LockAnswer&, const LockAnswer&) = default;
};

using ReplyBody = std::variant<Done, LeaseGranted, Deleted, LockAnswer>;
using Reply = Result<ReplyBody>;

/// As kept in a session's window: schema/command.capnp, StoredReply.
Blob encode(const Reply& reply);
Result<Reply> decode_reply(const Blob& bytes);

}  // namespace holdfast::state
