#include <benchmark/benchmark.h>

#include <optional>

#include "bench/micro/benchmarks.h"
#include "bench/micro/samples.h"
#include "storage/log_database.h"
#include "tests/temporary_directory.h"

namespace holdfast::bench {
namespace {

// As the store does by default.
constexpr std::size_t kCheckpointBytes = 8 << 20;
constexpr std::uint64_t kCompactEvery = 16 * 1024;

/// A log that is kept as short as a running member keeps it.
class Log {
 public:
  Log() : database_({directory_.file("log.db"), "", nullptr}) {
    database_.load();
    database_.set_identity({ClusterId(1), MemberId(1), "n1", "", membership_});
  }
  Index next() const { return next_; }
  void append(const std::vector<raft::Entry>& entries) {
    database_.begin();
    database_.write(std::nullopt, entries);
    database_.commit();
    next_ = next_ + entries.size();
  }
  void tidy() {
    if (next_.value() - compacted_ > 2 * kCompactEvery) {
      compacted_ += kCompactEvery;
      database_.begin();
      database_.compact(Index(compacted_), kTerm, membership_);
      database_.commit();
      while (database_.remove_compacted(256)) {
      }
    }
    if (database_.wal_bytes() >= kCheckpointBytes) database_.checkpoint(storage::Checkpoint::kPassive);
  }

  static constexpr Term kTerm{1};

 private:
  const TemporaryDirectory directory_;
  const raft::Membership membership_{{{MemberId(1), "n1", "127.0.0.1:1"}}, {}, {}};
  storage::LogDatabase database_;
  Index next_{1};
  std::uint64_t compacted_ = 0;
};

/// range(0): entries in one durable transaction.
void append_and_commit(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Log log;
  std::vector<raft::Entry> entries = put_entries(log.next(), Log::kTerm, count);
  for (auto _ : state) {
    log.append(entries);
    state.PauseTiming();
    for (raft::Entry& entry : entries) entry.index = entry.index + count;
    log.tidy();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

void register_log_append() {
  // The clock, not the processor's time: a commit waits for the disk.
  benchmark::RegisterBenchmark("log/append_and_commit", append_and_commit)
      ->Arg(1)
      ->Arg(16)
      ->Arg(64)
      ->Arg(256)
      ->Arg(1000)
      ->UseRealTime();
}

}  // namespace holdfast::bench
