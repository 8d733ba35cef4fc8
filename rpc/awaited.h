#pragma once

#include <kj/async.h>

#include <utility>

#include "base/callback.h"

namespace holdfast::rpc {

/// A promise and the callback that keeps it: from the node's way of answering to KJ's. The callback may run
/// after the promise was dropped, and then does nothing.
template <typename T>
struct Awaited {
  kj::Promise<T> promise;
  Callback<void(T)> done;
};

template <typename T>
Awaited<T> make_awaited() {
  auto pair = kj::newPromiseAndFulfiller<T>();
  return Awaited<T>{kj::mv(pair.promise), [fulfiller = kj::mv(pair.fulfiller)](T value) mutable {
                      fulfiller->fulfill(kj::mv(value));
                    }};
}

}  // namespace holdfast::rpc
