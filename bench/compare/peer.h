#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::bench {

/// How long a turn waits while nothing arrives.
inline constexpr milliseconds kTurn{100};

/// What to do over and over at another service, over connections that are open already. One thread: answers
/// are handed out within turn(), and what is called from there may start the next operation.
class Peer {
 public:
  /// Told why the operation failed; nothing if it succeeded.
  using Done = std::function<void(const std::string& why)>;

  using Told = std::function<void(std::string_view value)>;

  virtual ~Peer() = default;
  /// Once for each lane, before the clock starts.
  virtual void prepare(std::size_t lane, Done done) = 0;
  virtual void once(std::size_t lane, Done done) = 0;
  /// Many watchers of one key, spread over the connections: `told` hears every value of it that one of them
  /// is told of, from when `ready` was told. Once at most.
  virtual void watch(std::size_t watchers, Told told, Done ready) = 0;
  virtual void write_watched(const std::string& value, Done done) = 0;
  /// Sends what is gathered, waits for answers and hands them out. Throws std::runtime_error when a
  /// connection is lost.
  virtual void turn(milliseconds at_most) = 0;
};

}  // namespace holdfast::bench
