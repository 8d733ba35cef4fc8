#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/time.h"
#include "bench/histogram.h"

/// A closed loop: each of `in_flight` lanes sends its next call when the last one was answered.
namespace holdfast::bench {

enum class Op { kPut, kGet, kMixed, kLock, kContended, kKeepAlive };

struct Load {
  Op op = Op::kPut;
  std::vector<Endpoint> endpoints;
  std::size_t connections = 100;
  std::size_t in_flight = 1000;  ///< over all connections
  std::uint64_t total = 200'000;
  std::size_t value_bytes = 256;
  std::uint64_t key_space = 10'000;
  bool serializable = false;            ///< gets only
  unsigned read_percent = 80;           ///< of a mixed load
  std::uint64_t leases_per_call = 100;  ///< kept alive with each call
  bool spread = false;  ///< connections stay where they are, else they go to the leader, as the SDK's do
  milliseconds call_timeout{10'000};
  std::uint64_t seed = 1;
};

struct Figures {
  std::uint64_t count = 0;   ///< answered with success; a keepalive counts for each of its leases
  std::uint64_t errors = 0;  ///< everything else
  std::string first_error;
  Duration elapsed{0};
  Histogram latencies;  ///< of the successes
};

/// Runs the load to its end. `progress` is told the number of calls answered, about once a second.
/// Errors: kUnavailable if a connection cannot be made at the start.
Result<Figures> run(const Load& load, const std::function<void(std::uint64_t)>& progress);

}  // namespace holdfast::bench
