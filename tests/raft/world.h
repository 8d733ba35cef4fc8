#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "raft/core.h"

/// A small hostile world of cores: messages are lost, repeated and reordered, writes complete late, members
/// crash between any two steps and come back with what their disks had, or without a disk; logs are compacted
/// and images sent; who takes part changes all the time. Every promise is checked as it is made. All of it
/// follows from the seed.
namespace holdfast::raft::bench {

class World {
 public:
  explicit World(std::uint64_t seed);

  /// One random event.
  void step();
  /// From now on nothing goes wrong. Returns: did everybody agree within `time`, on a log that ends with an
  /// entry of the last leader's term?
  bool heals_within(Duration time);

  /// What was broken first; empty if nothing was.
  const std::string& broken() const { return broken_; }
  std::size_t committed_entries() const { return committed_.size(); }
  std::size_t answered_reads() const { return answered_reads_; }
  std::size_t elections() const { return leaders_.size(); }
  std::size_t membership_changes() const { return changes_; }
  std::size_t installed_images() const { return installs_; }
  std::size_t wiped_disks() const { return wiped_; }

 private:
  /// What the store does, in order: a write of the core, or the installation of an image.
  struct Job {
    Persist write;
    std::optional<Snapshot> install;
  };
  struct Machine {
    std::unique_ptr<Core> core;
    std::string data_id;
    bool wiped = false;  // and not taken in again since
    std::deque<Job> jobs;
    std::vector<Entry> disk;  // behind disk_base
    Index disk_base;
    Term disk_base_term;
    Membership disk_membership;  // at disk_base
    HardState disk_state;
    Index applied;
    Index imageable;                       // applied, and durable: the image never runs ahead of the own log
    std::map<std::uint64_t, Index> asked;  // question -> what was committed anywhere when it came in
    std::uint64_t next_question = 1;
  };

  void start(MemberId id);
  void crash(MemberId id);
  void step(MemberId id, Input input);
  void take(MemberId id, Output output);
  void complete_write(MemberId id);
  void store(Machine& machine, const Job& job);
  void connect(MemberId a, MemberId b);
  void send(MemberId from, const Message& message);
  void deliver(std::size_t which);
  void tick_those_due();
  void disturb();
  void partition();
  void ask(MemberId id);
  void compact(MemberId id);
  void wipe(MemberId id);
  void change_membership();
  Membership some_target(const Membership& current);
  void send_image(MemberId from, MemberId to);
  void send_images();
  void take_image(MemberId id, const SnapshotChunk& chunk);
  bool agreed() const;

  void check_promise(const Machine& machine, const Message& message);
  void check_committed(Machine& machine, const Entry& entry);
  void check_leader(MemberId id, const Core& core);
  void check_read(Machine& machine, const Confirmed& answer);
  // world_rules.cc
  void check_help(const Machine& machine, const Message& vote);
  void check_elected(MemberId id, const Core& core);
  void check_counted(MemberId id, const Status& before, Index membership_before);
  void check_acknowledged(const Message& message, Index match_before);
  Index match_of(MemberId leader, MemberId follower) const;
  bool decided(const Membership& membership, const std::function<bool(MemberId)>& agrees) const;
  void fail(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }

  Random random_;
  Membership founders_;
  Instant now_ = Instant(milliseconds(0));
  std::map<MemberId, Machine> machines_;
  std::vector<Message> network_;
  std::vector<Message> late_;               ///< on a slow way: comes when nobody expects it any more
  std::map<MemberId, std::uint64_t> side_;  ///< of a partition; what is sent across it is lost
  bool hostile_ = true;

  std::map<Term, MemberId> leaders_;
  std::map<std::pair<std::string, Term>, MemberId> votes_;  // by data id: another disk is another voter
  /// What each request for a vote said of the voter's data id, and where the candidate's log ended.
  std::map<std::tuple<MemberId, MemberId, Term>, std::pair<std::string, Index>> requests_;
  std::vector<Entry> committed_;  // by anybody; committed_[i] has index i + 1
  std::size_t answered_reads_ = 0;
  std::size_t changes_ = 0;
  std::size_t installs_ = 0;
  std::size_t wiped_ = 0;
  std::string broken_;
};

}  // namespace holdfast::raft::bench
