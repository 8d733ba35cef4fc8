#include "tests/chaos/run.h"

#include <holdfast/client.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <memory>

#include "tests/chaos/direct_reader.h"
#include "tests/chaos/members.h"
#include "tests/chaos/nemesis.h"
#include "tests/chaos/small_disk.h"
#include "tests/chaos/workload.h"

namespace holdfast::chaos {

namespace {

// Numbers of clients in the history.
enum : std::uint32_t {
  kControl = 0,
  kWriters = 1,
  kDirectReaders = 100,
  kLockers = 200,
  kLockProcesses = 300,
  kLeasers = 400,
  kWatchers = 500,
  kLookers = 600,
  kStates = 900
};

constexpr std::size_t kLockProcessCount = 2;
constexpr std::size_t kLeaserCount = 2;
constexpr milliseconds kToBeReady{20'000};
/// For a healed cluster to take writes again.
constexpr milliseconds kToRecover{15'000};
constexpr milliseconds kToSeeTheEnd{20'000};

class Run {
 public:
  Run(const RunOptions& options, const Stop& stop, const std::function<void(const std::string&)>& progress)
      : options_(options),
        stop_(stop),
        progress_(progress),
        random_(options.seed),
        members_({options.server_program, options.directory, options.members, kSpareMembers,
                  options.election_timeout, options.election_timeout / 10, random_.next()}) {}

  RunReport to_the_end() {
    auto history = HistoryFile::create(options_.directory + "/history.jsonl");
    if (!history) return failed(history.error().message);
    history_ = *std::move(history);
    if (auto up = start_members(); !up.empty()) return failed(up);
    {
      Workload watchers(stop_watching_);
      for (std::uint32_t i = 0; i < members_.count(); ++i) {
        watchers.run([this, job = job(kWatchers + i, i, stop_watching_)] {
          watch_changes(job);
          ++watchers_done_;
        });
      }
      work();
      await_watchers();
    }
    read_final_states();
    return judged();
  }

 private:
  RunReport failed(const std::string& why) {
    report_.judgement.breaches.push_back(why);
    return std::move(report_);
  }
  void wrong(const std::string& what) {
    progress_("WRONG: " + what);
    breaches_.push_back(what);
  }

  std::string start_members() {
    for (std::size_t i = 0; i < members_.count(); ++i) {
      if (options_.disk_bytes > 0 && !mount_small_disk(members_.disk(i), options_.disk_bytes)) {
        return "cannot mount a disk at " + members_.disk(i);
      }
    }
    for (const std::size_t i : members_.present()) {
      if (auto started = members_.start(i); !started) return started.error().message;
    }
    for (const std::size_t i : members_.present()) {
      if (!members_.await_ready(i, kToBeReady))
        return members_.name(i) + " does not start:\n" + members_.log_tail(i);
    }
    return {};
  }

  Job job(std::uint32_t client, std::size_t first, const Stop& until) {
    auto endpoints = members_.endpoints();
    std::rotate(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(first % endpoints.size()),
                endpoints.end());
    return {client, std::move(endpoints), *history_, until, random_.next()};
  }

  /// Clients work while the cluster is broken and mended under them.
  void work() {
    Workload workers(stop_working_);
    for (std::uint32_t i = 0; i < options_.writers; ++i) {
      workers.run([this, job = job(kWriters + i, i, stop_working_)] { write_keys(job, options_.keys); });
    }
    for (std::uint32_t i = 0; i < members_.count(); ++i) {
      Job direct = job(kDirectReaders + i, i, stop_working_);
      direct.endpoints.resize(1);
      workers.run([this, direct] { read_directly(direct, options_.keys, options_.stale_reads); });
    }
    for (std::uint32_t i = 0; i < options_.lockers; ++i) {
      workers.run([this, job = job(kLockers + i, i, stop_working_)] { take_locks(job, options_.locks); });
    }
    for (std::uint32_t i = 0; i < kLeaserCount; ++i) {
      workers.run([job = job(kLeasers + i, i, stop_working_)] { keep_leases(job); });
    }
    workers.run([this, job = job(kLookers, 0, stop_working_)] { look_at_locks(job, options_.locks); });
    start_lock_processes();
    break_and_mend();
    for (const auto& process : lock_processes_) process->send(SIGTERM);
    workers.finish();
    for (std::size_t i = 0; i < lock_processes_.size(); ++i) {
      if (!lock_processes_[i]->wait_end(milliseconds(15'000))) wrong("a client's process does not end");
    }
  }

  void start_lock_processes() {
    const auto endpoints = members_.endpoints();
    std::string joined;
    for (const std::string& one : endpoints) joined += (joined.empty() ? "" : ",") + one;
    for (std::uint32_t i = 0; i < kLockProcessCount; ++i) {
      auto process = std::make_unique<Process>();
      const std::string name = options_.directory + "/locker" + std::to_string(i + 1);
      auto started =
          process->start({options_.own_program, "--work-on-locks", name + ".jsonl", "--endpoints", joined,
                          "--client", std::to_string(kLockProcesses + i), "--seed",
                          std::to_string(random_.next() >> 1), "--locks", std::to_string(options_.locks)},
                         name + ".log");
      if (!started) wrong(started.error().message);
      lock_processes_.push_back(std::move(process));
    }
  }

  void break_and_mend() {
    std::vector<Process*> holders;
    for (const auto& process : lock_processes_) holders.push_back(process.get());
    Nemesis nemesis({members_, *history_, stop_, holders, options_.members});
    Schedule schedule(random_.next(), options_.faults);
    const std::int64_t over = clock_now() + static_cast<std::int64_t>(options_.seconds * 1e6);
    stop_.wait_for(milliseconds(1000));  // warm
    while (!stop_.is_set() && clock_now() < over) {
      const Fault fault = schedule.next();
      progress_(name_of(fault.kind) + " for " + std::to_string(fault.duration.count()) + " ms");
      ++report_.faults[name_of(fault.kind)];
      for (const std::string& one : nemesis.strike(fault)) wrong(one);
      if (!await_recovery()) break;
      stop_.wait_for(fault.rest);
    }
    for (const std::string& one : nemesis.heal(true)) wrong(one);
    await_recovery();
  }

  /// The healed cluster takes a write. It is part of the history like any other.
  bool await_recovery() {
    const std::int64_t began = clock_now();
    if (!wait_until([this] { return put_one(kPrefix + "pulse", std::to_string(++pulses_)); }, kToRecover)) {
      wrong("no write for " + std::to_string(kToRecover.count()) + " ms after everything was mended");
      return false;
    }
    progress_("recovered " + std::to_string((clock_now() - began) / 1000) + " ms after it was mended");
    return true;
  }

  bool put_one(const std::string& key, const std::string& value) {
    client::Options options;
    options.endpoints = members_.own_endpoints();
    options.call_timeout = milliseconds(2000);
    options.session_ttl = milliseconds(0);
    client::Client client(options);
    Record record;
    record.kind = Kind::kPut;
    record.client = kControl;
    record.key = key;
    record.value = value;
    record.call = clock_now();
    const auto done = client.put(key, value);
    record.end = clock_now();
    if (done) {
      record.revision = last_revision_ = *done;
    } else {
      record.answer = done.error().code == client::Errc::kUnknown ? Answer::kUnknown : Answer::kFailed;
    }
    history_->add(record);
    return done.has_value();
  }

  void await_watchers() {
    client::Options options;
    options.endpoints = members_.own_endpoints();
    client::Client client(options);
    // A key that stays although its lease is gone is found by the audit.
    wait_until(
        [&] {
          const auto left = client.get(kPrefix + "lease/", {.prefix = true});
          return left && left->entries.empty();
        },
        kToRecover);
    if (!wait_until([this] { return put_one(kEndKey, std::to_string(++pulses_)); }, kToRecover)) {
      wrong("the last write was not acknowledged");
    }
    wait_until([this] { return watchers_done_ == members_.count(); }, kToSeeTheEnd);
  }

  void read_final_states() {
    for (const std::size_t i : members_.present()) {
      const auto number = kStates + static_cast<std::uint32_t>(i);
      const auto state = read_state(members_.own_endpoint(i), number, last_revision_, kToRecover);
      if (!state) {
        wrong(state.error().message);
        continue;
      }
      for (const Record& record : *state) history_->add(record);
    }
  }

  RunReport judged() {
    lock_processes_.clear();
    auto records = read_histories(options_.directory);
    if (!records) return failed(records.error().message);
    progress_("judging " + std::to_string(records->size()) + " records");
    report_.judgement = judge(*records);
    report_.judgement.breaches.insert(report_.judgement.breaches.begin(), breaches_.begin(), breaches_.end());
    return std::move(report_);
  }

  const RunOptions& options_;
  const Stop& stop_;
  const std::function<void(const std::string&)>& progress_;
  Random random_;
  Members members_;
  std::unique_ptr<HistoryFile> history_;
  Stop stop_working_;
  Stop stop_watching_;
  std::atomic<std::size_t> watchers_done_{0};
  std::vector<std::unique_ptr<Process>> lock_processes_;
  std::uint64_t pulses_ = 0;
  std::uint64_t last_revision_ = 0;
  std::vector<std::string> breaches_;
  RunReport report_;
};

}  // namespace

RunReport run(const RunOptions& options, const Stop& stop,
              const std::function<void(const std::string&)>& progress) {
  return Run(options, stop, progress).to_the_end();
}

Result<std::vector<Record>> read_histories(const std::string& directory) {
  std::vector<Record> all;
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    auto some = read_history(file);
    if (!some) return fail(some.error());
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
  return all;
}

int work_on_locks(const std::string& history, const std::vector<std::string>& endpoints, std::uint32_t client,
                  std::uint64_t seed, std::size_t locks) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  auto file = HistoryFile::create(history);
  if (!file) return 1;
  Stop stop;
  std::thread worker([&] { take_locks({client, endpoints, **file, stop, seed}, locks); });
  int number = 0;
  sigwait(&ends, &number);
  stop.set();
  worker.join();
  return 0;
}

std::string summary(const RunReport& report) {
  const Judgement& judgement = report.judgement;
  int count = 0;
  std::string kinds;
  for (const auto& [name, times] : report.faults) {
    count += times;
    kinds += (kinds.empty() ? "" : ",") + name + ":" + std::to_string(times);
  }
  return "operations=" + std::to_string(judgement.operations) +
         " unknown=" + std::to_string(judgement.unknown) + " grants=" + std::to_string(judgement.grants) +
         " watched=" + std::to_string(judgement.events) + " faults=" + std::to_string(count) +
         (count > 0 ? " (" + kinds + ")" : "") + " breaches=" + std::to_string(judgement.breaches.size()) +
         " verdict=" + (judgement.good() ? "good" : "BAD");
}

}  // namespace holdfast::chaos
