#include "tests/chaos/faults.h"

#include <array>
#include <utility>

namespace holdfast::chaos {

namespace {

constexpr std::array<const char*, 22> kNames = {
    "kill_leader",    "kill_follower", "kill_all",      "pause_leader",    "pause_follower", "pause_holder",
    "isolate_leader", "leader_deaf",   "leader_mute",   "cut_clients",     "bridge",         "slow_network",
    "throttle",       "resets",        "half_open",     "rolling_restart", "full_disk",      "filling_disk",
    "transfer",       "add_member",    "remove_member", "replace_member"};

}  // namespace

std::string name_of(FaultKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::vector<FaultKind> all_faults() {
  std::vector<FaultKind> all;
  for (std::size_t i = 0; i < kNames.size(); ++i) all.push_back(static_cast<FaultKind>(i));
  return all;
}

bool read_fault(const std::string& name, FaultKind& kind) {
  for (const FaultKind one : all_faults()) {
    if (name_of(one) != name) continue;
    kind = one;
    return true;
  }
  return false;
}

Schedule::Schedule(std::uint64_t seed, std::vector<FaultKind> kinds)
    : random_(seed), kinds_(std::move(kinds)) {}

Fault Schedule::next() {
  if (deck_.empty()) {
    deck_ = kinds_;
    for (std::size_t i = deck_.size(); i > 1; --i) std::swap(deck_[i - 1], deck_[random_.below(i)]);
  }
  Fault fault;
  fault.kind = deck_.back();
  deck_.pop_back();
  fault.duration = milliseconds(random_.between(600, 2600));
  fault.rest = milliseconds(random_.between(200, 900));
  fault.reset_on_heal = random_.chance(50);
  fault.choice = random_.next();
  return fault;
}

}  // namespace holdfast::chaos
