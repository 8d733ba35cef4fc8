#include <filesystem>
#include <optional>
#include <thread>

#include "tests/chaos/member_changes.h"
#include "tests/chaos/nemesis.h"

namespace holdfast::chaos {

namespace {

/// For a change to come about, and for a new member to come in, from the moment at which nothing is broken.
constexpr milliseconds kToChange{30'000};

void empty(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

struct Nemesis::Change {
  MemberChange::Kind kind = MemberChange::Kind::kPromote;
  std::optional<std::size_t> come;
  std::optional<std::size_t> gone;
  bool lost = false;  ///< the one who goes is dead already, and its directory gone
};

/// The change is asked for by a thread of its own while `meanwhile` breaks things; then those are mended and
/// it has to come about.
std::vector<std::string> Nemesis::change_under(const Fault& fault, const Change& change,
                                               const std::function<void()>& meanwhile) {
  Members& members = around_.members;
  MemberChange asked{change.kind, "", "", ""};
  if (change.come) {
    asked.come = members.name(*change.come);
    asked.address = members.peer_address(*change.come);
  }
  if (change.gone) {
    asked.gone = members.name(*change.gone);
    members.set_part(*change.gone, Members::Part::kLeaving);
    if (change.lost) members.kill(*change.gone);
    if (change.lost) empty(members.disk(*change.gone));
  }
  note("members change: -" + asked.gone + (change.lost ? " (its disk is lost)" : "") + " +" + asked.come);
  Result<void> done;
  std::thread asking(
      [&done, asked, endpoints = members.own_endpoints()] { done = carry_out(asked, endpoints, kToChange); });
  meanwhile();
  Wrongs wrong = heal(fault.reset_on_heal);
  asking.join();
  note("members changed");
  if (!done) wrong.push_back(done.error().message);
  if (!done || !change.gone) return wrong;
  if (auto ended = see_off(members, *change.gone, kToChange); !ended) wrong.push_back(ended.error().message);
  // The next one in this place finds nothing, or what this one left and has to be set aside.
  if (change.lost || fault.choice % 3 == 0) empty(members.disk(*change.gone));
  return wrong;
}

/// What else happens while the membership changes.
void Nemesis::strike_at_change(const Fault& fault, Targets targets) {
  const std::uint64_t dice = fault.choice >> 8;
  around_.stop.wait_for(milliseconds(dice % 150));
  Fault blow = fault;
  switch (dice / 150 % 4) {
    case 0:
      return;
    case 1:
      note("meanwhile " + around_.members.name(targets.leader) + " is killed");
      return around_.members.kill(targets.leader);
    case 2:
      blow.kind = FaultKind::kLeaderMute;
      break;
    default:
      blow.kind = FaultKind::kResets;
  }
  note("meanwhile " + name_of(blow.kind));
  with_network(blow, targets);
}

std::vector<std::string> Nemesis::change_members(const Fault& fault, Targets targets) {
  Change change;
  if (fault.kind != FaultKind::kRemoveMember) {
    const auto place = bring_in(around_.members, kToChange);
    if (!place) return {place.error().message};
    change.come = *place;
  }
  if (fault.kind != FaultKind::kAddMember) {
    change.gone = fault.choice % 2 == 0 ? targets.leader : targets.other;
    change.kind = MemberChange::Kind::kRemove;
  }
  if (fault.kind == FaultKind::kReplaceMember) {
    change.kind = MemberChange::Kind::kReplace;
    change.lost = fault.choice / 2 % 3 != 0;
  }
  Wrongs wrong = change_under(fault, change, [&] {
    strike_at_change(fault, targets);
    around_.stop.wait_for(fault.duration);
  });
  for (std::string& one : restore_size(fault)) wrong.push_back(std::move(one));
  return wrong;
}

std::vector<std::string> Nemesis::restore_size(const Fault& fault) {
  Members& members = around_.members;
  const std::vector<std::size_t> present = members.present();
  if (present.size() == around_.size) return {};
  around_.stop.wait_for(fault.duration);  // it works for a while as it is
  Change change;
  if (present.size() > around_.size) {
    change.kind = MemberChange::Kind::kRemove;
    change.gone = present[(fault.choice >> 4) % present.size()];
  } else {
    const auto place = bring_in(members, kToChange);
    if (!place) return {place.error().message};
    change.come = *place;
  }
  return change_under(fault, change, [] {});
}

}  // namespace holdfast::chaos
