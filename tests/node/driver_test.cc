#include "node/driver.h"

#include <catch2/catch.hpp>

#include "tests/node/fake_world.h"

using namespace holdfast;
using namespace holdfast::node;

namespace {

/// Remembers what was applied.
class Listener final : public DriverListener {
 public:
  void role_changed(const raft::RoleChanged&) override {}
  void proposals_accepted(raft::Accepted) override {}
  void proposals_refused(const Error&) override {}
  void leadership_confirmed(std::uint64_t, Index) override {}
  void leadership_unconfirmed(std::uint64_t) override {}
  void about_to_apply(std::span<const Blob* const>) override {}
  void apply(const raft::Entry& entry) override { applied.push_back(entry.index); }
  void slice_applied() override {}
  void log_durable() override {}
  void membership_changed(const raft::Membership&) override {}
  void piece_received(MemberId, raft::InstallSnapshot) override {}
  void piece_answered(MemberId, const raft::InstallReply&) override {}
  void snapshot_needed() override {}

  std::vector<Index> applied;
};

/// Member 1 of two; the other one leads.
struct Follower {
  static raft::Options options() {
    raft::Options options;
    options.self = MemberId(1);
    options.data_id = "data-1";
    return options;
  }
  static raft::Restored restored() {
    raft::Restored restored;
    restored.membership.voters = {{MemberId(1), "n1", "127.0.0.1:2380", "data-1"},
                                  {MemberId(2), "n2", "127.0.0.1:2381", "data-2"}};
    return restored;
  }
  /// With so many entries behind `previous`.
  void receive(std::uint64_t previous, std::uint64_t count, std::uint64_t commit) {
    raft::AppendEntries append{Index(previous), Term(previous > 0 ? 1 : 0), Index(commit), 0, Index(), {}};
    for (std::uint64_t index = previous + 1; index <= previous + count; ++index)
      append.entries.push_back({Term(1), Index(index), raft::EntryKind::kNoop, Blob(), nullptr});
    driver.receive({MemberId(2), MemberId(1), Term(1), std::move(append)});
  }

  FakeLoop loop;
  FakeLog log;
  FakeTransport transport;
  Listener listener;
  Driver driver{options(), restored(), {loop, log, transport}, listener};
};

}  // namespace

TEST_CASE_METHOD(
    Follower, "what is committed along with new entries is applied when these are on their way to the log") {
  receive(0, 1, 0);
  receive(1, 1, 1);
  CHECK(log.written.size() == 2);
  // The log's thread is woken at the end of the turn, and what was queued for that first comes first.
  loop.post([&] { CHECK(listener.applied.empty()); });
  loop.run();
  CHECK(listener.applied == std::vector{Index(1)});
}

TEST_CASE_METHOD(Follower,
                 "what is committed while nothing is to be written is applied at once, behind what waits") {
  receive(0, 3, 0);
  log.sync();
  SECTION("nothing waits") {
    receive(3, 0, 2);
    CHECK(listener.applied == std::vector{Index(1), Index(2)});
  }
  SECTION("something waits") {
    receive(3, 1, 1);
    log.sync();
    receive(4, 0, 3);
    CHECK(listener.applied.empty());
    loop.run();
    CHECK(listener.applied == std::vector{Index(1), Index(2), Index(3)});
  }
}
