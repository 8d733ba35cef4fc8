#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/node.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/network.h"
#include "tests/sim/schedule.h"
#include "tests/sim/verdict.h"

namespace holdfast::sim {

/// A member: a disk, and while it is up, a process with the real node in it.
class Member {
 public:
  /// Sees what the process does.
  struct Observer {
    std::function<void(Member&)> after_step;
    std::function<void(const Member&, const std::optional<raft::HardState>&, const std::vector<raft::Entry>&)>
        before_write;
    std::function<void(const Member&, const raft::Message&)> before_send;
  };

  Member(std::uint64_t number, Schedule& schedule, Clock clock, Network& network, Verdict& verdict,
         Random random, node::Options options, raft::Membership membership, DiskOptions disk,
         Observer observer);
  ~Member();

  /// From 1 on, in the order in which members came.
  std::uint64_t number() const { return number_; }
  MemberId id() const { return options_.raft.self; }
  const std::string& name() const { return options_.name; }
  const node::Options& options() const { return options_; }
  Disk& disk() { return *disk_; }
  const Disk& disk() const { return *disk_; }
  /// Null while it is down.
  node::Node* node() const;
  bool votes() const;
  bool up() const { return process_ != nullptr; }
  bool paused() const;
  /// Its disk is damaged, and it will not start with it any more.
  bool refused() const { return refused_; }
  /// For people: "n1 leads in term 4, commit 17".
  std::string describe() const;
  std::uint64_t incarnation() const { return incarnation_; }

  void start();
  /// As kill -9 and a power failure at once.
  void crash();
  /// In what is on its disk. Requires: it is down.
  void flip_bit();
  /// Hands over, writes a last image, ends.
  void stop();
  /// The process stands still; what comes for it waits.
  void pause();
  void resume();

  /// Runs `what` in the process as soon as it can; never if it dies before.
  void run(Callback<void()> what);
  /// As run(), for `incarnation` only.
  void run_if(std::uint64_t incarnation, Callback<void()> what);

 private:
  class Process;

  DiskEvents disk_events();
  void disk_failed();
  void cannot_start(const Error& error);
  void start_again();

  const std::uint64_t number_;
  Schedule& schedule_;
  const Clock clock_;
  Network& network_;
  Verdict& verdict_;
  Random random_;
  node::Options options_;
  raft::Membership membership_;
  std::unique_ptr<Disk> disk_;
  Observer observer_;
  std::uint64_t incarnation_ = 0;
  bool refused_ = false;
  std::unique_ptr<Process> process_;
};

}  // namespace holdfast::sim
