#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/node.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/links.h"
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
    /// It does not let that one in: a stranger, or not the disk on record.
    std::function<void(const Member&, MemberId)> refused;
  };

  /// `founders`: as --cluster names them; none for one that is to join.
  Member(std::uint64_t number, Schedule& schedule, Clock clock, Network& network, Verdict& verdict,
         Random random, node::Options options, std::optional<raft::Membership> founders, DiskOptions disk,
         bool lax_links, Observer observer);
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
  /// Of its disk.
  const std::string& data_id() const { return options_.raft.data_id; }
  /// What the newest membership in its log is, committed or not.
  const raft::Membership& logged_membership() const;
  bool up() const { return process_ != nullptr; }
  bool paused() const;
  /// Its process was told so.
  bool space_low() const;
  /// Its disk is damaged, and it will not start with it any more.
  bool refused() const { return refused_; }
  /// For people: "n1 leads in term 4, commit 17".
  std::string describe() const;
  std::uint64_t incarnation() const { return incarnation_; }

  /// Does nothing if it does not know yet which cluster it is of, or has been told that it is not wanted.
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

  /// Its disk is lost; it has an empty one now, with another id.
  void wipe();
  /// What that disk of its has, or had when it was lost; null: it never had it.
  const StoredLog* promised(const std::string& data_id) const;
  bool has_identity() const { return identity_.has_value(); }
  /// Begins on its empty disk as --cluster says, though it may have begun before. Requires: it is a founder.
  void found() { identity_ = founders_; }
  bool is_founder() const { return founders_.has_value(); }
  /// Begins on its empty disk as --join does it, going by what the cluster says.
  void join(raft::Membership cluster);
  /// A majority has told it that it is not wanted.
  bool ended() const { return ended_; }
  /// It is to be started again all the same.
  void revive() { ended_ = false; }

  // Connections: see links.h.
  Greeting greeting() const;
  void hear(const Greeting& from, raft::Message message);
  /// A connection is made, if it lets that one in.
  void meet(const Greeting& other);
  void lose(MemberId other);
  bool talks_to(const Greeting& other) const;
  void refused_by(MemberId other);

  /// Runs `what` in the process as soon as it can; never if it dies before.
  void run(Callback<void()> what);
  /// As run(), for `incarnation` only.
  void run_if(std::uint64_t incarnation, Callback<void()> what);

 private:
  class Process;
  void connected(const Greeting& other);
  void refuse(MemberId other);

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
  const std::optional<raft::Membership> founders_;
  std::optional<raft::Membership> identity_;  // who took part when its disk was new
  const bool lax_links_;
  std::uint64_t disk_number_ = 1;
  std::map<std::string, StoredLog> lost_;  // by data id
  std::unique_ptr<Disk> disk_;
  Observer observer_;
  std::uint64_t incarnation_ = 0;
  bool ended_ = false;
  bool refused_ = false;
  std::unique_ptr<Process> process_;
};

}  // namespace holdfast::sim
