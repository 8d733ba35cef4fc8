#pragma once

#include <holdfast/client.h>

#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/chaos/history.h"
#include "tests/chaos/waiting.h"

/// What clients do while the cluster is broken under them. Each has a Client of its own and writes what it
/// did, and what it was told, into the history.
namespace holdfast::chaos {

/// All keys begin with it, so that one watch sees them all.
inline const std::string kPrefix = "c/";
inline const std::string kEndKey = kPrefix + "end";

/// What one client works with. `stop` ends it after its present call.
struct Job {
  std::uint32_t client = 0;            ///< its number in the history
  std::vector<std::string> endpoints;  ///< the first is the one it tries first
  HistoryFile& history;
  const Stop& stop;
  std::uint64_t seed = 1;
};

constexpr milliseconds kLockTtl{1500};
constexpr milliseconds kLeaseTtl{1500};

/// Puts, gets, compare-and-swaps and deletes on a few keys; some with sessions, some without.
void write_keys(const Job& job, std::size_t keys);
/// Takes locks, holds them for a moment, and releases them.
void take_locks(const Job& job, std::size_t locks);
/// Asks who holds the locks and who waits.
void look_at_locks(const Job& job, std::size_t locks);
/// Keeps leases alive with a key attached to each, and lets them go.
void keep_leases(const Job& job);
/// Sees every change from the first on, until the end key or `stop`, which means that it gave up.
void watch_changes(const Job& job);

/// Threads of jobs. Ends them when destroyed.
class Workload {
 public:
  /// `stop` is set by the destructor at the latest.
  explicit Workload(Stop& stop) : stop_(stop) {}
  ~Workload() { finish(); }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  template <typename Work>
  void run(Work work) {
    threads_.emplace_back(std::move(work));
  }
  void finish() {
    stop_.set();
    join();
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Stop& stop_;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::chaos
