#include <benchmark/benchmark.h>

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "bench/micro/benchmarks.h"
#include "bench/micro/samples.h"
#include "raft/core.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kMembers = 3;
// Entries that a log keeps in memory before it is compacted.
constexpr std::uint64_t kKept = 8192;

/// Three cores whose messages arrive and whose writes are durable at once: what is left is the protocol's own
/// work.
class Trio {
 public:
  Trio() {
    raft::Restored restored;
    for (std::size_t i = 0; i < kMembers; ++i) {
      restored.membership.voters.push_back({MemberId(i + 1), "n", "127.0.0.1:1", std::string(32, 'a')});
    }
    for (std::size_t i = 0; i < kMembers; ++i) {
      raft::Options options;
      options.self = MemberId(i + 1);
      options.data_id = std::string(32, 'a');
      options.seed = i;
      cores_.push_back(std::make_unique<raft::Core>(options, restored, now_));
    }
    elect();
  }

  /// Until every member knows that they are committed.
  void commit(const std::vector<Blob>& commands) {
    const Index before = leader().status().commit;
    step(0, raft::Propose{commands});
    settle();
    INVARIANT(leader().status().commit == before + commands.size(), "what is proposed is committed");
    if (leader().status().commit.value() > compacted_ + 2 * kKept) compact();
  }

 private:
  raft::Core& leader() { return *cores_.front(); }

  void elect() {
    // The first one alone sees its time run out.
    while (!leader().status().own_term_committed) {
      now_ = leader().deadline();
      step(0, raft::Tick{});
      settle();
    }
  }

  void compact() {
    compacted_ += kKept;
    for (std::size_t i = 0; i < kMembers; ++i) step(i, raft::Compact{Index(compacted_)});
    settle();
  }

  void step(std::size_t member, raft::Input input) {
    raft::Output output = cores_[member]->step(now_, std::move(input));
    deliver(output.send);
    if (!output.persist) return;
    todo_.emplace_back(member, raft::Persisted{output.persist->sequence});
    deliver(output.persist->then_send);
  }
  void deliver(std::vector<raft::Message>& messages) {
    for (raft::Message& message : messages) {
      const std::size_t to = message.to.value() - 1;
      todo_.emplace_back(to, raft::Receive{std::move(message)});
    }
  }
  void settle() {
    while (!todo_.empty()) {
      auto [member, input] = std::move(todo_.front());
      todo_.pop_front();
      step(member, std::move(input));
    }
  }

  Instant now_{std::chrono::seconds(1)};
  std::vector<std::unique_ptr<raft::Core>> cores_;
  std::deque<std::pair<std::size_t, raft::Input>> todo_;
  std::uint64_t compacted_ = 0;
};

/// range(0): commands that are proposed together.
void propose_and_commit(benchmark::State& state) {
  Trio trio;
  const std::vector<Blob> commands(static_cast<std::size_t>(state.range(0)), put_command(1));
  for (auto _ : state) trio.commit(commands);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

void register_core_step() {
  benchmark::RegisterBenchmark("core/propose_and_commit", propose_and_commit)->Arg(1)->Arg(64)->Arg(1000);
}

}  // namespace holdfast::bench
