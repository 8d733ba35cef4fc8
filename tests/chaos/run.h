#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/chaos/audit.h"
#include "tests/chaos/faults.h"
#include "tests/chaos/waiting.h"

namespace holdfast::chaos {

/// Places for members that come later.
constexpr std::size_t kSpareMembers = 2;

struct RunOptions {
  std::string server_program;  ///< holdfastd
  std::string own_program;     ///< this one: clients in processes of their own
  std::string directory;       ///< exists, and is empty
  double seconds = 20;         ///< until the last fault begins
  std::uint64_t seed = 1;
  std::size_t members = 3;
  milliseconds election_timeout{500};
  std::vector<FaultKind> faults = all_faults();
  std::uint64_t disk_bytes = 0;  ///< of each member's small disk; 0: there are none
  bool stale_reads = false;      ///< readers of one member take what it knows: the verdict must be bad
  std::size_t writers = 5;
  std::size_t keys = 4;
  std::size_t lockers = 4;
  std::size_t locks = 2;
};

struct RunReport {
  Judgement judgement;
  std::map<std::string, int> faults;  ///< how often each was injected
  bool good() const { return judgement.good(); }
};

/// One run: warm, break, mend and judge. `progress` is told what happens. The history is in `directory`.
/// `stop` ends it early, and it is judged all the same.
RunReport run(const RunOptions& options, const Stop& stop,
              const std::function<void(const std::string&)>& progress);

/// The histories of a run's directory, all in one.
Result<std::vector<Record>> read_histories(const std::string& directory);

/// What a client in a process of its own does until SIGTERM: takes locks.
int work_on_locks(const std::string& history, const std::vector<std::string>& endpoints, std::uint32_t client,
                  std::uint64_t seed, std::size_t locks);

/// "operations=... unknown=... faults=... verdict=good": one line.
std::string summary(const RunReport& report);

}  // namespace holdfast::chaos
