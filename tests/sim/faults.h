#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "tests/sim/member.h"
#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/schedule.h"
#include "tests/sim/verdict.h"

namespace holdfast::sim {

/// How often each kind of trouble comes, against the others. A world has some of them only: what two kinds do
/// together is seen where a third does not drown it.
struct FaultOptions {
  Duration between = milliseconds(900);           ///< on average
  Duration election_timeout = milliseconds(400);  ///< what lasts about as long is worth most
  std::uint64_t crash = 4;
  std::uint64_t crash_leader = 3;
  std::uint64_t crash_all = 1;
  std::uint64_t stop = 2;
  std::uint64_t pause = 2;
  std::uint64_t oversleep = 3;
  std::uint64_t usurp = 3;
  std::uint64_t partition = 4;
  std::uint64_t clog = 2;
  std::uint64_t slow_disk = 2;
  std::uint64_t hand_over = 3;
  std::uint64_t wipe = 2;
  std::uint64_t failing_disk = 1;
  std::uint64_t full_disk = 2;
  std::uint64_t flipped_bit = 1;  ///< on a minority's disks only
};

/// Causes trouble, until it is told to end.
class Faults {
 public:
  using Members = std::vector<std::unique_ptr<Member>>;

  Faults(Schedule& schedule, Network& network, Verdict& verdict, const Oracle& oracle, const Members& members,
         Random random, FaultOptions options);

  void begin();
  void end() { troubled_ = false; }

 private:
  void cause_one();
  Duration a_while();
  void crash(Member& member, Duration down);
  void fill(Member& member);
  void rot(Member& member, Duration down);
  void crash_all(Duration down);
  void oversleep(Member& member);
  void usurp(Member& member, Duration apart);
  void cut_off_once_usurped(Member& member, const Member& heir, Duration apart, bool with_learners,
                            int looks);
  bool votes(const Member& member) const;
  /// Its clients still reach it, and so do the learners if they are to.
  void isolate(Member& member, bool with_learners);
  void partition();
  void clog();
  void hand_over(Duration a_while);
  void wipe(Member& member, Duration down);
  bool may_begin_anew(const Member& member) const;
  void wipe_a_witness(Member& member, Duration down);
  /// Who leads, by its own account; else anybody.
  Member& leader();
  Member& any() { return *members_[random_.below(members_.size())]; }

  Schedule& schedule_;
  Network& network_;
  Verdict& verdict_;
  const Oracle& oracle_;
  const Members& members_;
  Random random_;
  FaultOptions options_;
  bool troubled_ = true;
};

}  // namespace holdfast::sim
