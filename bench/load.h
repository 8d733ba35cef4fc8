#pragma once

#include <signal.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/time.h"
#include "bench/histogram.h"

/// A load is made by lanes, each of which has one operation in flight. In the closed loop a lane sends its
/// next one when the last was answered; in the open loop, when it is due, and what is late counts as waiting.
namespace holdfast::bench {

enum class Op { kPut, kGet, kMixed, kLock, kContended, kLease, kKeepAlive, kWatch, kChurn, kFailover };

struct Load {
  Op op = Op::kPut;
  std::vector<Endpoint> endpoints;
  std::size_t connections = 100;
  std::size_t in_flight = 1000;  ///< lanes, over all connections
  std::uint64_t total = 200'000;
  Duration duration{0};  ///< if not 0: the run ends after this time, whatever `total` says
  double rate = 0.0;     ///< operations a second; 0: the closed loop
  bool spread = false;   ///< connections stay where they are, else they go to the leader, as the SDK's do
  milliseconds call_timeout{10'000};
  std::uint64_t seed = 1;

  // Keys: put, get, mixed, watch, failover.
  std::size_t value_bytes = 256;
  std::uint64_t key_space = 10'000;
  bool in_order = false;        ///< puts only: every key in turn; else keys at random
  unsigned delete_percent = 0;  ///< of the puts that remove their key instead
  bool serializable = false;    ///< gets only
  unsigned read_percent = 80;   ///< of a mixed load

  // Leases: keepalive, churn.
  std::uint64_t leases_per_call = 100;  ///< kept alive with each call

  // Watch.
  std::size_t watchers = 1000;
  bool in_step = false;     ///< the next write when all were told of the last, not when it was acknowledged
  bool own_prefix = false;  ///< each watcher a prefix of its own; else all of them the same key

  // Churn.
  std::uint64_t instances = 0;  ///< registered before the run and kept alive during it
  bool live = false;            ///< keeping them alive is all that is done, and what is measured
  milliseconds ttl{10'000};     ///< of their leases

  // Failover.
  int kill_pid = 0;  ///< 0: nobody
  Duration kill_after = std::chrono::seconds(2);
  int kill_signal = SIGKILL;  ///< SIGSTOP: and SIGCONT at the end; SIGTERM: a planned stop
};

/// What an operation reports beyond what all of them do.
struct Extra {
  std::string name;  ///< as in the JSON object, unit last
  std::uint64_t value = 0;
};

struct Figures {
  std::uint64_t count = 0;   ///< answered with success; a keepalive counts for each of its leases
  std::uint64_t errors = 0;  ///< everything else
  std::string first_error;
  std::string failed;  ///< why the run as a whole did not show what it was to show; empty: it did
  Duration elapsed{0};
  Histogram latencies;  ///< of the successes, in the open loop from when they were due
  std::vector<Extra> extras;

  double seconds() const { return std::chrono::duration<double>(elapsed).count(); }
  double rate() const { return elapsed.count() > 0 ? static_cast<double>(count) / seconds() : 0.0; }
};

/// Whether a run is no measurement: too much failed.
bool spoiled(const Load& load, const Figures& figures);

/// How far a run is.
struct Progress {
  Duration elapsed{0};
  std::uint64_t count = 0;
  std::uint64_t errors = 0;
  double rate = 0.0;  ///< of the last second
};

/// Runs the load to its end. `progress` is told once a second.
/// Errors: kUnavailable if a connection cannot be made at the start, or what the run needs cannot be set up.
Result<Figures> run(const Load& load, const std::function<void(const Progress&)>& progress);

}  // namespace holdfast::bench
