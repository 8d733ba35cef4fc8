#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "tests/sim/actors.h"
#include "tests/sim/checker.h"
#include "tests/sim/faults.h"
#include "tests/sim/member.h"
#include "tests/sim/network.h"
#include "tests/sim/operator.h"
#include "tests/sim/oracle.h"

namespace holdfast::sim {

/// What kind of world a seed makes.
struct WorldOptions {
  std::size_t voters = 3;
  std::size_t learners = 0;
  int writers = 2;
  int lockers = 2;
  int loyal_clients = 1;
  int watchers = 2;
  Duration trouble = std::chrono::seconds(8);  ///< before everything is healed
  FaultOptions faults;
  ChurnOptions churn;
  Duration election_timeout = milliseconds(400);
  int heartbeats_per_election_timeout = 10;
  node::Options node;  ///< images, history, log entries kept
  NetworkOptions network;
  DiskOptions disk;
  bool large_values = false;                              ///< which fill queues and pages
  int drift_permille = 0;                                 ///< of each clock from the world's, at most
  std::uint64_t session_window = limits::kSessionWindow;  ///< writes that a client has open at a time
  bool lax_links = false;  ///< members let in everybody, and rely on the core's rules alone
  bool careless_clients = false;
};

WorldOptions draw_options(std::uint64_t seed);

struct WorldResult {
  std::optional<Failure> failure;
  std::uint64_t trace_digest = 0;
  std::uint64_t events = 0;
  Index committed;
  std::size_t changes = 0;
  Figures figures{};
};

/// A cluster and its clients in one thread, without real time, from one seed: trouble, then healing, then
/// rest; with every promise checked after each step. See docs/SIMULATOR.md.
class World {
 public:
  World(std::uint64_t seed, WorldOptions options);
  WorldResult run();
  /// Every event as a line.
  void print_to(std::FILE* out) { verdict_.print_to(out); }

 private:
  void live();
  void make_members();
  void make_member(const raft::Member& member, std::optional<raft::Membership> founders);
  void deliver(const Greeting& from, raft::Message message);
  void make_actors();
  int draw_drift();

  void tell_connections();
  /// What `a` would notice of its connection with `b`, as it is now.
  void tell_connection(Member& a, Member& b);
  void heal();
  void expect_progress();
  void come_to_rest();

  /// Runs until `done` or the time is over. Returns: done().
  template <typename Done>
  bool run_until(Duration most, Done done);
  void run_for(Duration time);
  bool in_step(const raft::Member& member) const;
  Member& any_member() { return *members_[random_.below(members_.size())]; }
  raft::Membership first_membership() const;
  bool converged() const;
  /// For people: who is where, and who is busy.
  std::string standing() const;

  WorldOptions options_;
  Random random_;
  Schedule schedule_;
  Verdict verdict_{schedule_};
  Oracle oracle_{schedule_, verdict_};
  std::uint64_t events_ = 0;
  std::vector<std::unique_ptr<Actor>> actors_;  // outlive the nodes that call them
  std::vector<std::unique_ptr<Member>> members_;
  Checker checker_{verdict_, oracle_, members_};
  Network network_;
  Faults faults_;
};

}  // namespace holdfast::sim
