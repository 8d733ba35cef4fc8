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

}  // namespace holdfast::rpc
