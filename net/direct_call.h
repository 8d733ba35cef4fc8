#pragma once

#include <kj/async.h>
#include <kj/memory.h>

#include "base/callback.h"

namespace holdfast::net {

/// A call that came past the RPC system. Fulfilling it sends the results, rejecting it an exception; at once,
/// and in place of the promise that a service would return. Thread: the loop's.
class DirectCall : public kj::PromiseFulfiller<void> {
 public:
  /// `work` carries the call out. It is destroyed after the call was answered, or when its caller has
  /// finished it: never while it fulfills or rejects it.
  virtual void keep(kj::Own<void> work) = 0;
  /// Does not so much wait on the connection that a large answer had better wait?
  virtual bool has_room() const = 0;
  /// Runs `then` once has_room() may be true again. Not if the call is finished before.
  virtual void when_room(Callback<void()> then) = 0;

 protected:
  ~DirectCall() = default;
};

}  // namespace holdfast::net
