#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"

/// Kernel packet faults need a privilege that tests do not have; TCP connections through a process of one's
/// own can be delayed, throttled, held, cut and forgotten without any.
namespace holdfast::chaos {

/// What happens to the bytes of connections from one place to another. "There" is from the one who dialled.
struct Rule {
  bool hold_there =
      false;  ///< nothing passes until the rule changes; new connections wait, too, if both are held
  bool hold_back = false;
  bool refuse = false;               ///< connections are reset: those there are and those to come
  Duration delay{0};                 ///< of every byte, each way
  Duration jitter{0};                ///< up to so much more; order is kept
  std::uint64_t bytes_a_second = 0;  ///< each way; 0: any number

  static Rule blackhole() { return {.hold_there = true, .hold_back = true}; }
  static Rule slow(Duration delay, Duration jitter) { return {.delay = delay, .jitter = jitter}; }
  static Rule throttled(std::uint64_t bytes_a_second) { return {.bytes_a_second = bytes_a_second}; }
};

/// Doors on loopback, each of which leads to one target. It has one thread. Thread of every call: any.
class FaultProxy {
 public:
  /// Says where a connection comes from, by the port it was dialled from. Called on the proxy's thread.
  using Origin = std::function<std::string(std::uint16_t port)>;

  explicit FaultProxy(std::uint64_t seed);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  /// Opens a door to a port on loopback. `to` is its name in rules. Returns: the door's port.
  /// Errors: std::system_error.
  std::uint16_t open_door(const std::string& to, std::uint16_t target_port, Origin origin);

  /// From now on; replaces the rule there was. What was held goes on its way if it no longer is.
  void set(const std::string& from, const std::string& to, Rule rule);
  /// Resets the connections there are, on both sides.
  void reset(const std::string& from, const std::string& to);
  /// Forgets the connections there are without telling either side: their bytes go nowhere any more.
  void forget(const std::string& from, const std::string& to);
  /// Ends every rule. `reset`: what was under way is lost with its connection; otherwise it arrives late.
  void heal(bool reset);

 private:
  class State;
  class Door;
  class Connection;
  class Pipe;

  // Owners: this proxy, and what is in flight on its loop until that loop ends.
  std::shared_ptr<State> state_;
  std::thread thread_;
};

/// Which of these processes holds the socket that is bound to `port` on loopback. Returns: its position, or
/// -1.
int owner_of_port(std::uint16_t port, const std::vector<int>& processes);

}  // namespace holdfast::chaos
