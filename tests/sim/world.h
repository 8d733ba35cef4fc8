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
#include "tests/sim/member.h"
#include "tests/sim/network.h"
#include "tests/sim/oracle.h"

namespace holdfast::sim {

/// What kind of world a seed makes.
struct WorldOptions {
  std::size_t members = 3;
  int writers = 2;
  int lockers = 2;
  int watchers = 2;
  Duration trouble = std::chrono::seconds(8);   ///< before everything is healed
  Duration between_faults = milliseconds(900);  ///< on average
  Duration election_timeout = milliseconds(400);
  node::Options node;  ///< images, history, log entries kept
  NetworkOptions network;
  DiskOptions disk;
  int drift_permille = 0;                                 ///< of each clock from the world's, at most
  std::uint64_t session_window = limits::kSessionWindow;  ///< writes that a client has open at a time
  bool careless_clients = false;
};

WorldOptions draw_options(std::uint64_t seed);

struct WorldResult {
  std::optional<std::string> failure;
  std::uint64_t trace_digest = 0;
  std::uint64_t events = 0;
  Index committed;
  std::size_t changes = 0;
};

/// A cluster and its clients in one thread, without real time, from one seed: trouble, then healing, then
/// rest; with every promise checked after each step. See docs/SIMULATOR.md.
class World {
 public:
  World(std::uint64_t seed, WorldOptions options);
  WorldResult run();

 private:
  void make_members();
  void make_actors();
  int draw_drift();

  void trouble();
  void cause_fault();
  void partition();
  void tell_connections();
  void heal();
  void expect_progress();
  void come_to_rest();

  /// Runs until `done` or the time is over. Returns: done().
  template <typename Done>
  bool run_until(Duration most, Done done);
  void run_for(Duration time);
  Member& any_member() { return *members_[random_.below(members_.size())]; }
  bool converged() const;

  WorldOptions options_;
  Random random_;
  Schedule schedule_;
  Verdict verdict_{schedule_};
  Oracle oracle_{schedule_, verdict_};
  std::uint64_t events_ = 0;
  bool troubled_ = true;
  std::vector<std::unique_ptr<Actor>> actors_;  // outlive the nodes that call them
  std::vector<std::unique_ptr<Member>> members_;
  Checker checker_{verdict_, oracle_, members_};
  Network network_;
};

}  // namespace holdfast::sim
