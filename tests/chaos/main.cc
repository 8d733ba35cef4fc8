#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "tests/chaos/failover.h"
#include "tests/chaos/run.h"
#include "tests/chaos/small_disk.h"

namespace {

using namespace holdfast;
using namespace holdfast::chaos;

constexpr int kGood = 0, kBad = 1, kUsage = 2;

struct CommandLine {
  RunOptions run;
  std::string server;
  std::string directory;
  std::string check;
  std::string faults;
  std::string locks_history;
  std::string endpoints;
  std::uint32_t client = 0;
  std::size_t failover = 0;
  std::size_t runs = 1;
  unsigned election_timeout_ms = 500;
  unsigned disk_mib = 128;  // a server calls a disk low long before it is full
  bool keep = false;
  bool forget = false;
  bool quiet = false;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

/// Ends the run in order at SIGINT or SIGTERM: servers and directories go the same way as always.
class Signals {
 public:
  explicit Signals(Stop& stop) {
    sigemptyset(&ends_);
    sigaddset(&ends_, SIGINT);
    sigaddset(&ends_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends_, nullptr);
    thread_ = std::thread([this, &stop] {
      const timespec often{0, 100'000'000};
      while (!over_) {
        if (sigtimedwait(&ends_, nullptr, &often) > 0) stop.set();
      }
    });
  }
  ~Signals() {
    over_ = true;
    thread_.join();
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  sigset_t ends_{};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

void print_breaches(const Judgement& judgement) {
  constexpr std::size_t kMost = 20;
  for (std::size_t i = 0; i < judgement.breaches.size() && i < kMost; ++i) {
    std::cout << "breach: " << judgement.breaches[i] << "\n";
  }
  if (judgement.breaches.size() > kMost)
    std::cout << "and " << judgement.breaches.size() - kMost << " more\n";
}

int check(const std::string& path) {
  const auto records = std::filesystem::is_directory(path) ? read_histories(path) : read_history(path);
  if (!records) {
    std::cerr << "holdfast-chaos: " << records.error().message << "\n";
    return kUsage;
  }
  RunReport report;
  report.judgement = judge(*records);
  print_breaches(report.judgement);
  std::cout << summary(report) << std::endl;
  return report.good() ? kGood : kBad;
}

/// A directory of its own, gone afterwards unless it is worth keeping.
class Scratch {
 public:
  explicit Scratch(const std::string& wanted) {
    if (!wanted.empty()) {
      path_ = wanted;
      std::filesystem::create_directories(path_);
      return;
    }
    std::string pattern = std::filesystem::temp_directory_path() / "holdfast-chaos.XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  void keep() { kept_ = true; }
  std::string in(const std::string& name) const {
    std::filesystem::create_directories(path_ + "/" + name);
    return path_ + "/" + name;
  }

 private:
  std::string path_;
  bool kept_ = false;
};

/// What lies on a small disk is gone with it, and as long as it is mounted nobody can remove its directory.
void end_disks(const std::string& directory, std::size_t places, bool save) {
  for (std::size_t i = 1; i <= places; ++i) {
    const std::string from = directory + "/n" + std::to_string(i);
    std::error_code ignored;
    if (save) std::filesystem::copy(from, from + ".kept", std::filesystem::copy_options::recursive, ignored);
    unmount_small_disk(from);
  }
}

int run_once(const CommandLine& line, const RunOptions& base, const std::string& directory, const Stop& stop,
             Scratch& scratch) {
  RunOptions options = base;
  options.directory = directory;
  const auto began = clock_now();
  const auto report = run(options, stop, [&](const std::string& what) {
    if (!line.quiet)
      std::fprintf(stderr, "%7.2f s  %s\n", static_cast<double>(clock_now() - began) / 1e6, what.c_str());
  });
  print_breaches(report.judgement);
  std::printf("seed=%llu members=%zu seconds=%.1f %s\n", static_cast<unsigned long long>(options.seed),
              options.members, static_cast<double>(clock_now() - began) / 1e6, summary(report).c_str());
  const bool keep = !report.good() && !line.forget;
  if (options.disk_bytes > 0) end_disks(directory, options.members + kSpareMembers, keep || line.keep);
  if (keep) {
    scratch.keep();
    std::printf("kept: %s; check again with: holdfast-chaos --check %s\n", directory.c_str(),
                directory.c_str());
  }
  std::fflush(stdout);
  return report.good() ? kGood : kBad;
}

int run_all(CommandLine& line) {
  const bool disks = take_own_mounts();
  line.run.disk_bytes = disks ? std::uint64_t{line.disk_mib} << 20 : 0;
  if (!disks) {
    std::erase(line.run.faults, FaultKind::kFullDisk);
    std::erase(line.run.faults, FaultKind::kFillingDisk);
    std::cout
        << "full_disk and filling_disk are left out: this system lets nobody but root mount a small disk\n";
  }
  line.run.server_program = line.server;
  line.run.own_program = std::filesystem::read_symlink("/proc/self/exe");
  line.run.election_timeout = milliseconds(line.election_timeout_ms);
  Scratch scratch(line.directory);
  if (line.keep) scratch.keep();
  Stop stop;
  const Signals signals(stop);
  int worst = kGood;
  for (std::size_t i = 0; i < line.runs && !stop.is_set(); ++i, ++line.run.seed) {
    worst = std::max(
        worst, run_once(line, line.run, scratch.in("seed-" + std::to_string(line.run.seed)), stop, scratch));
  }
  return worst;
}

int failover(const CommandLine& line) {
  Scratch scratch(line.directory);
  Stop stop;
  const Signals signals(stop);
  const auto times =
      measure_failover(line.server, scratch.path(), line.failover, stop, [&](const std::string& what) {
        if (!line.quiet) std::cerr << what << std::endl;
      });
  if (!times) {
    scratch.keep();
    std::cout << "holdfast-chaos: " << times.error().message << "\nkept: " << scratch.path() << std::endl;
    return kBad;
  }
  std::cout << "failover " << failover_summary(*times) << std::endl;
  return times->size() == line.failover ? kGood : kBad;
}

std::string beside_this(const std::string& program) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
}

void declare(CLI::App& app, CommandLine& line) {
  app.add_option("--seconds", line.run.seconds, "Break things for so long")->check(CLI::Range(0.0, 86'400.0));
  app.add_option("--seed", line.run.seed, "Of the schedule of faults, and of what clients do");
  app.add_option("--runs", line.runs, "So many runs, each with the next seed")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--members", line.run.members, "Servers")->check(CLI::Range(3, 7));
  app.add_option("--faults", line.faults, "Only these, NAME,... (--list-faults)");
  app.add_option("--election-timeout-ms", line.election_timeout_ms, "Of the servers")
      ->check(CLI::Range(100, 60'000));
  app.add_option("--disk-mib", line.disk_mib, "Size of each server's disk")->check(CLI::Range(16, 65'536));
  app.add_option("--dir", line.directory, "Work here, instead of in a temporary directory");
  app.add_flag("--keep", line.keep, "Keep the directory, also after a good verdict");
  app.add_flag("--forget", line.forget, "Keep nothing, also after a bad verdict");
  app.add_flag("--quiet", line.quiet, "Only the summary");
  app.add_flag("--stale-reads", line.run.stale_reads,
               "Let readers of single members take what that member knows: the verdict must be bad");
  app.add_option("--server", line.server, "The holdfastd to break; otherwise the one beside this program");
  app.add_option("--check", line.check, "Judge a history again: a file, or the directory of a run");
  app.add_option("--failover", line.failover, "Kill the leader N times and measure how long writes are out");
  app.add_flag_callback(
      "--list-faults",
      [] {
        for (const FaultKind kind : all_faults()) std::cout << name_of(kind) << "\n";
        throw CLI::Success();
      },
      "Print the names of the faults");
  app.add_option("--work-on-locks", line.locks_history)->group("");
  app.add_option("--endpoints", line.endpoints)->group("");
  app.add_option("--client", line.client)->group("");
  app.add_option("--locks", line.run.locks)->group("");
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app(
      "Breaks a cluster of real servers under real clients, mends it, and judges what they were told.",
      "holdfast-chaos");
  declare(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kGood : kUsage;
  }
  if (!line.locks_history.empty()) {
    return work_on_locks(line.locks_history, split(line.endpoints), line.client, line.run.seed,
                         line.run.locks);
  }
  if (!line.check.empty()) return check(line.check);
  if (line.server.empty()) line.server = beside_this("holdfastd");
  if (!line.faults.empty()) line.run.faults.clear();
  for (const std::string& name : split(line.faults)) {
    FaultKind kind{};
    if (!read_fault(name, kind)) {
      std::cerr << "holdfast-chaos: there is no fault \"" << name << "\"; see --list-faults\n";
      return kUsage;
    }
    line.run.faults.push_back(kind);
  }
  return line.failover > 0 ? failover(line) : run_all(line);
}
