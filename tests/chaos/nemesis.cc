#include "tests/chaos/nemesis.h"

#include <holdfast/client.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/chaos/workload.h"

namespace holdfast::chaos {

namespace {

constexpr milliseconds kToBeReady{20'000};
constexpr std::uint64_t kThrottledBytesASecond = 64 * 1024;
constexpr int kSteps = 200;
/// For a member that is asked nothing by the network: what it looks at by itself, it looks at every second.
constexpr milliseconds kToNotice{15'000};
constexpr const char* kSpaceLow = "event=space_low";
constexpr const char* kSpaceBack = "event=space_back";

}  // namespace

void Nemesis::note(const std::string& what) {
  Record record;
  record.kind = Kind::kFault;
  record.call = record.end = clock_now();
  record.value = what;
  around_.history.add(record);
}

std::optional<std::size_t> Nemesis::leader(milliseconds limit) {
  Members& members = around_.members;
  client::Options options;
  options.endpoints = members.own_endpoints();
  options.call_timeout = milliseconds(1000);
  client::Client client(options);
  std::optional<std::size_t> found;
  const auto known = [&] {
    const auto status = client.status();
    for (std::size_t i = 0; status && i < members.count(); ++i) {
      if (members.name(i) == status->leader && members.is_running(i)) found = i;
    }
    return found.has_value();
  };
  wait_until(known, limit);
  return found;
}

void Nemesis::between(std::size_t from, std::size_t to, const Rule& rule) {
  if (from != to) around_.members.proxy().set(around_.members.name(from), around_.members.name(to), rule);
}

void Nemesis::between_all(const Rule& rule) {
  for (std::size_t i = 0; i < around_.members.count(); ++i) {
    for (std::size_t k = 0; k < around_.members.count(); ++k) between(i, k, rule);
  }
}

void Nemesis::with_network(const Fault& fault, Targets targets) {
  const auto [leader, other] = targets;
  Members& members = around_.members;
  FaultProxy& proxy = members.proxy();
  const std::size_t count = members.count();
  switch (fault.kind) {
    case FaultKind::kIsolateLeader:  // from the others; clients still reach it
      for (std::size_t i = 0; i < count; ++i) {
        between(leader, i, Rule::blackhole());
        between(i, leader, Rule::blackhole());
      }
      return;
    case FaultKind::kLeaderDeaf:  // it speaks, and hears nobody
      for (std::size_t i = 0; i < count; ++i) between(i, leader, Rule::blackhole());
      return;
    case FaultKind::kLeaderMute:  // it hears, and nobody hears it
      for (std::size_t i = 0; i < count; ++i) between(leader, i, Rule::blackhole());
      return;
    case FaultKind::kCutClients:  // from the leader, in one direction or in both
      proxy.set(Members::kClients, members.name(leader),
                {.hold_there = fault.choice % 3 != 0, .hold_back = fault.choice % 3 != 1});
      return;
    case FaultKind::kBridge:  // two members hear each other no more, the others hear everybody
      between(leader, other, Rule::blackhole());
      between(other, leader, Rule::blackhole());
      return;
    case FaultKind::kSlowNetwork:
      return between_all(Rule::slow(milliseconds(10 + fault.choice % 60), milliseconds(40)));
    case FaultKind::kThrottle:
      return between_all(Rule::throttled(kThrottledBytesASecond));
    case FaultKind::kResets:
      for (int times = 0; times < 8 && !around_.stop.wait_for(fault.duration / 8); ++times) {
        for (std::size_t i = 0; i < count; ++i) {
          proxy.reset(Members::kClients, members.name(i));
          for (std::size_t k = 0; k < count; ++k) proxy.reset(members.name(i), members.name(k));
        }
      }
      return;
    case FaultKind::kHalfOpen:  // these connections never come back to life: somebody has to notice
      proxy.forget(members.name(leader), members.name(other));
      proxy.forget(members.name(other), members.name(leader));
      proxy.forget(Members::kClients, members.name(leader));
      return;
    default:
      return;
  }
}

std::vector<std::string> Nemesis::roll() {
  std::vector<std::string> wrong;
  for (const std::size_t i : around_.members.present()) {
    if (around_.stop.is_set()) break;
    const std::string& name = around_.members.name(i);
    if (const int status = around_.members.terminate(i); status != 0) {
      wrong.push_back(name + " ended with status " + std::to_string(status) + " after SIGTERM");
    }
    static_cast<void>(around_.members.start(i));
    if (!around_.members.await_ready(i, kToBeReady)) wrong.push_back(name + " was not ready after a restart");
  }
  return wrong;
}

void Nemesis::fill_disk(std::size_t victim, milliseconds duration) {
  const std::string path = around_.members.disk(victim) + "/filler";
  std::ofstream filler(path, std::ios::binary);
  const std::string block(64 * 1024, 'x');
  const std::int64_t over = clock_now() + Duration(duration).count();
  // What it frees itself is taken from it, too.
  do {
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
    filler.clear();
  } while (clock_now() < over && !around_.stop.wait_for(milliseconds(50)));
  filler.close();
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

/// A little at a time until the member says that space is low, which is long before the disk is full; then
/// nothing more, and it must notice when the space is back.
std::vector<std::string> Nemesis::fill_disk_slowly(std::size_t victim, milliseconds duration) {
  Members& members = around_.members;
  const std::string path = members.disk(victim) + "/filler";
  std::error_code ignored;
  const auto free = std::filesystem::space(members.disk(victim), ignored).available;
  const std::string block(std::max<std::size_t>(free / kSteps, 1), 'x');
  const std::size_t low_before = members.log_count(victim, kSpaceLow);
  const std::size_t back_before = members.log_count(victim, kSpaceBack);
  const auto is_low = [&] { return members.log_count(victim, kSpaceLow) > low_before; };
  std::vector<std::string> wrong;
  {
    std::ofstream filler(path, std::ios::binary);
    for (int step = 0; step < kSteps && !is_low() && !around_.stop.wait_for(duration / kSteps); ++step) {
      if (!filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) break;
    }
  }
  const bool noticed = around_.stop.is_set() || wait_until(is_low, kToNotice);
  if (!noticed) wrong.push_back(members.name(victim) + " did not notice that its disk is all but full");
  around_.stop.wait_for(duration);
  std::filesystem::remove(path, ignored);
  const auto is_back = [&] { return members.log_count(victim, kSpaceBack) > back_before; };
  if (is_low() && !wait_until(is_back, kToNotice)) {
    wrong.push_back(members.name(victim) + " did not notice that its disk has space again");
  }
  return wrong;
}

/// From one to the next while the time lasts; one must succeed, for nothing else is broken.
std::vector<std::string> Nemesis::transfer(const Fault& fault) {
  Members& members = around_.members;
  client::Options options;
  options.endpoints = members.own_endpoints();
  options.call_timeout = milliseconds(3000);
  client::Client client(options);
  const std::vector<std::size_t> present = members.present();
  const std::int64_t over = clock_now() + Duration(fault.duration).count();
  const std::int64_t given_up = clock_now() + Duration(kToNotice).count();
  std::size_t next = fault.choice % present.size();
  std::string said;
  bool succeeded = false;
  while (!around_.stop.is_set() && (clock_now() < over || !succeeded)) {
    if (clock_now() > given_up) return {"nobody took leadership over; last said: " + said};
    next = (next + 1) % present.size();
    const auto done = client.transfer_leadership(members.name(present[next]));
    succeeded = succeeded || done.has_value();
    if (!done) said = done.error().message;
    around_.stop.wait_for(milliseconds(50));
  }
  return {};
}

Targets Nemesis::choose(const Fault& fault) {
  const std::vector<std::size_t> present = around_.members.present();
  const std::size_t leading = leader(milliseconds(5000)).value_or(present[fault.choice % present.size()]);
  const std::size_t others = present.size() - 1;
  std::size_t other = fault.choice % others;
  if (present[other] == leading) other = others;
  return {leading, present[other]};
}

std::vector<std::string> Nemesis::break_it(const Fault& fault, Targets targets) {
  Members& members = around_.members;
  const auto [leader, other] = targets;
  const std::size_t any = fault.choice % 2 == 0 ? leader : other;
  switch (fault.kind) {
    case FaultKind::kKillLeader:
      members.kill(leader);
      return {};
    case FaultKind::kKillFollower:
      members.kill(other);
      return {};
    case FaultKind::kKillAll:
      for (const std::size_t i : members.present()) members.kill(i);
      return {};
    case FaultKind::kPauseLeader:
      members.pause(leader);
      // Past the leases that it serves: the others have ended them by then.
      around_.stop.wait_for(kLeaseTtl);
      return {};
    case FaultKind::kPauseFollower:
      members.pause(other);
      return {};
    case FaultKind::kPauseHolder:
      for (Process* holder : around_.holders) holder->send(SIGSTOP);
      around_.stop.wait_for(kLockTtl);
      return {};
    case FaultKind::kRollingRestart:
      return roll();
    case FaultKind::kFullDisk:
      fill_disk(any, fault.duration);
      return {};
    case FaultKind::kFillingDisk:
      return fill_disk_slowly(any, fault.duration);
    case FaultKind::kTransfer:
      return transfer(fault);
    case FaultKind::kAddMember:
    case FaultKind::kRemoveMember:
    case FaultKind::kReplaceMember:
      return change_members(fault, targets);
    default:
      with_network(fault, targets);
      return {};
  }
}

std::vector<std::string> Nemesis::strike(const Fault& fault) {
  const Members& members = around_.members;
  const Targets targets = choose(fault);
  note(name_of(fault.kind) + ", leader " + members.name(targets.leader) + ", other " +
       members.name(targets.other) + ", " + std::to_string(fault.duration.count()) + " ms");
  std::vector<std::string> wrong = break_it(fault, targets);
  around_.stop.wait_for(fault.duration);
  for (std::string& one : heal(fault.reset_on_heal)) wrong.push_back(std::move(one));
  for (std::string& one : wrong) one = name_of(fault.kind) + ": " + one;
  return wrong;
}

std::vector<std::string> Nemesis::heal(bool reset) {
  Members& members = around_.members;
  members.proxy().heal(reset);
  for (Process* holder : around_.holders) holder->send(SIGCONT);
  std::vector<std::size_t> started;
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < members.count(); ++i) {
    members.go_on(i);
    if (!members.belongs(i) || members.is_running(i)) continue;
    note(members.name(i) + " starts again; its status was " + std::to_string(members.status(i)));
    if (members.status(i) != 128 + SIGKILL) {
      wrong.push_back(members.name(i) + " ended by itself, with status " + std::to_string(members.status(i)) +
                      "; its log ends:\n" + members.log_tail(i));
    }
    if (auto begun = members.start(i); !begun) wrong.push_back(begun.error().message);
    started.push_back(i);
  }
  for (const std::size_t i : started) {
    if (!members.await_ready(i, kToBeReady)) {
      wrong.push_back(members.name(i) + " was not ready in time; its log ends:\n" + members.log_tail(i));
    }
  }
  return wrong;
}

}  // namespace holdfast::chaos
