#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

/// A node of one member with its door on a port of loopback, which connection after connection runs into.
class DoorUnderFire {
 public:
  DoorUnderFire();
  ~DoorUnderFire();

  /// One connection that says these bytes and nothing more. Returns when the node has done with it.
  void take(std::string_view bytes);
  /// What a client's connection says when it makes calls, a few of each service.
  std::vector<std::string> record_calls();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::size_t taken_ = 0;
};

}  // namespace holdfast::fuzz
