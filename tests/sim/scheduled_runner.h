#pragma once

#include <utility>

#include "node/lifetime.h"
#include "storage/runner.h"
#include "tests/sim/disk_pace.h"

namespace holdfast::sim {

/// Takes the place of a storage thread: its turns are events of the schedule, each as late as the disk is
/// slow. What is written in a turn is written at its moment; until then it is under way.
class ScheduledRunner final : public storage::Runner {
 public:
  /// `weight`: how many times as long as the pace says.
  ScheduledRunner(Schedule& schedule, DiskPace& pace, int weight)
      : schedule_(schedule), pace_(pace), weight_(weight) {}

  void start(Turn turn) override {
    turn_ = std::move(turn);
    wake();
  }
  void wake() override {
    if (!turn_ || coming_) return;
    coming_ = true;
    schedule_.after(pace_.delay() * weight_, lifetime_.guard([this] { run(); }));
  }
  void stop() override {
    while (turn_) run();
  }

  /// Something was added for which there was no turn yet.
  bool is_called() const { return turn_ && coming_; }
  /// A turn now.
  void run() {
    if (!turn_) return;
    coming_ = false;
    const std::optional<storage::Tidied> tidied = turn_();
    if (!tidied) return end();
    if (*tidied == storage::Tidied::kMoreNow) wake();
    if (*tidied == storage::Tidied::kAskLater) {
      schedule_.after(storage::kAskAgain, lifetime_.guard([this] { wake(); }));
    }
  }
  /// No turn any more, whatever waits: the process is gone.
  void end() { turn_ = nullptr; }

 private:
  Schedule& schedule_;
  DiskPace& pace_;
  const int weight_;
  Turn turn_;
  bool coming_ = false;
  node::Lifetime lifetime_;
};

}  // namespace holdfast::sim
