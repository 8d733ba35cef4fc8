#pragma once

#include <kj/time.h>

#include "base/time.h"
#include "schema/api.capnp.h"
#include "state/command.h"

namespace holdfast::rpc {

/// How long a call that names no timeout may take.
constexpr milliseconds kDefaultCallTimeout{5000};

/// What goes with every call.
struct Terms {
  Duration timeout{kDefaultCallTimeout};  ///< at most limits::kMaxCallTimeout
  state::Stamp stamp;
};
Terms read_terms(schema::Call::Reader call);

inline kj::Duration to_kj(Duration duration) { return duration.count() * kj::MICROSECONDS; }
inline Duration from_kj(kj::Duration duration) { return Duration(duration / kj::MICROSECONDS); }

/// What a connection that breaks under a call that was passed on means.
enum class IfBroken {
  kUnknown,   ///< a write: it may have taken effect
  kAskAgain,  ///< a read, or what may be repeated
};

/// How long a call that was passed on may take.
enum class Bound {
  kTimeout,  ///< as the call says
  kNone,     ///< as long as the connection to the leader lives: waiting in a lock's queue
};

}  // namespace holdfast::rpc
