#pragma once

#include <functional>

#include "base/random.h"
#include "tests/sim/actors.h"
#include "tests/sim/roster.h"

namespace holdfast::sim {

/// How often who takes part is changed, and how. Zero `between`: never.
struct ChurnOptions {
  Duration between = Duration(0);  ///< on average
  std::size_t spares = 0;          ///< machines that are no members at first
  std::uint64_t add = 4;
  std::uint64_t promote = 4;
  std::uint64_t remove = 3;
  std::uint64_t replace = 3;
  std::uint64_t demote = 1;
  std::uint64_t several = 1;
  /// Several people at once, who wait for no answer, and ask whoever takes itself for the leader.
  bool many_hands = false;
};

/// An operator: adds, promotes, removes and replaces members by the calls of the door, starts new machines
/// with --join, and does what the manual says when a disk was lost: removes that member, or replaces it.
class Operator final : public Actor {
 public:
  Operator(Surroundings surroundings, Random random, ChurnOptions options);
  void start() override;
  void finish() override { finishing_ = true; }
  /// Nothing is left to repair.
  bool idle() const override;

 private:
  /// From the membership in force to the one wanted; the same: better nothing.
  using Edit = std::function<raft::Membership(raft::Membership)>;

  void next();
  void act(const raft::Membership& now);
  void add(const raft::Membership& now);
  void promote(const raft::Membership& now);
  void remove(const raft::Membership& now);
  void replace(const raft::Membership& now);
  void demote(const raft::Membership& now);
  void several();

  /// Asks any member, which hands it to the leader; asks again while another change is open.
  void change(Edit edit, int patience = 5);
  void answered(std::uint64_t attempt, const Result<std::any>& answer, const Edit& edit, int patience);

  void look_after();
  void repair(Member& member, const raft::Membership& now);
  /// What --join does: asks who takes part, and begins if the member is awaited.
  void join(Member& member);

  Member* somebody();
  template <typename T>
  const T& one_of(const std::vector<T>& all) {
    return all[random_.below(all.size())];
  }

  Surroundings world_;
  Random random_;
  ChurnOptions options_;
  bool finishing_ = false;
  bool busy_ = false;
  std::uint64_t attempt_ = 0;
};

}  // namespace holdfast::sim
