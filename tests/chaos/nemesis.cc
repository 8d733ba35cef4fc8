#include "tests/chaos/nemesis.h"

#include <holdfast/client.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/chaos/workload.h"

namespace holdfast::chaos {

namespace {

constexpr milliseconds kToBeReady{20'000};
constexpr std::uint64_t kThrottledBytesASecond = 64 * 1024;

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

void Nemesis::with_network(const Fault& fault, std::size_t leader, std::size_t other) {
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
  for (std::size_t i = 0; i < around_.members.count() && !around_.stop.is_set(); ++i) {
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
  const std::string path = around_.members.data_directory(victim) + "/filler";
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

std::vector<std::string> Nemesis::strike(const Fault& fault) {
  Members& members = around_.members;
  const auto found = leader(milliseconds(5000));
  const std::size_t leader = found.value_or(fault.choice % members.count());
  const std::size_t other = (leader + 1 + fault.choice % (members.count() - 1)) % members.count();
  note(name_of(fault.kind) + ", leader " + members.name(leader) + ", other " + members.name(other) + ", " +
       std::to_string(fault.duration.count()) + " ms");
  std::vector<std::string> wrong;
  switch (fault.kind) {
    case FaultKind::kKillLeader:
      members.kill(leader);
      break;
    case FaultKind::kKillFollower:
      members.kill(other);
      break;
    case FaultKind::kKillAll:
      for (std::size_t i = 0; i < members.count(); ++i) members.kill(i);
      break;
    case FaultKind::kPauseLeader:
      members.pause(leader);
      // Past the leases that it serves: the others have ended them by then.
      around_.stop.wait_for(kLeaseTtl);
      break;
    case FaultKind::kPauseFollower:
      members.pause(other);
      break;
    case FaultKind::kPauseHolder:
      for (Process* holder : around_.holders) holder->send(SIGSTOP);
      around_.stop.wait_for(kLockTtl);
      break;
    case FaultKind::kRollingRestart:
      wrong = roll();
      break;
    case FaultKind::kFullDisk:
      fill_disk(fault.choice % 2 == 0 ? leader : other, fault.duration);
      break;
    default:
      with_network(fault, leader, other);
  }
  around_.stop.wait_for(fault.duration);
  for (std::string& one : heal(fault.reset_on_heal)) wrong.push_back(name_of(fault.kind) + ": " + one);
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
    if (members.is_running(i)) continue;
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
