#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

namespace holdfast::sim {

WorldOptions draw_options(std::uint64_t seed) {
  Random random(seed ^ 0x5eed5eed5eed5eed);
  WorldOptions options;
  constexpr std::size_t kSizes[] = {1, 3, 3, 3, 5};
  options.members = kSizes[random.below(5)];
  options.writers = static_cast<int>(random.between(1, 3));
  options.lockers = static_cast<int>(random.between(0, 3));
  options.watchers = static_cast<int>(random.between(1, 3));
  options.trouble = milliseconds(random.between(3000, 8000));
  options.between_faults = milliseconds(random.between(300, 2000));
  options.election_timeout = milliseconds(random.between(200, 600));
  options.node.image_interval = milliseconds(random.between(150, 2500));
  options.node.image_after_bytes = random.chance(30) ? 2000 : 1 << 20;
  options.node.history_memory_bytes = random.chance(50) ? random.below(3000) : 1 << 20;
  options.node.log_entries_kept = random.below(60);
  options.node.raft.max_append_bytes = random.chance(30) ? 300 : 1 << 20;
  options.node.raft.max_appends_in_flight = random.between(1, 64);
  if (random.chance(70)) {
    options.network.loss_percent = static_cast<double>(random.below(20));
    options.network.duplicate_percent = static_cast<double>(random.below(30));
    options.network.straggler_percent = static_cast<double>(random.below(10));
  }
  options.network.slowest = milliseconds(random.between(1, 20));
  if (random.chance(70)) options.drift_permille = kMostDriftPermille;
  if (random.chance(30)) options.session_window = random.between(1, 3);
  options.disk.slowest = milliseconds(random.between(1, 15));
  options.disk.stall_percent = static_cast<double>(random.below(3));
  return options;
}

World::World(std::uint64_t seed, WorldOptions options)
    : options_(std::move(options)),
      random_(seed),
      network_(schedule_, verdict_, random_.fork(), options_.network, [this](raft::Message message) {
        for (auto& member : members_) {
          if (member->id() != message.to) continue;
          member->run([&member, message = std::move(message)]() mutable {
            member->node()->receive(std::move(message));
          });
          return;
        }
      }) {
  make_members();
  make_actors();
}

void World::make_members() {
  raft::Membership membership;
  for (std::size_t i = 1; i <= options_.members; ++i) {
    membership.voters.push_back({MemberId(i), "n" + std::to_string(i), "peer" + std::to_string(i)});
  }
  for (const raft::Member& voter : membership.voters) {
    node::Options options = options_.node;
    options.name = voter.name;
    options.client_endpoint = "client-" + voter.name;
    options.raft.self = voter.id;
    options.raft.data_id = "data-" + voter.name;
    options.raft.election_timeout = options_.election_timeout;
    options.raft.heartbeat_interval = options_.election_timeout / 10;
    Member::Observer observer{[this](Member& member) { checker_.after_step(member); },
                              [this](const Member& member, const std::vector<raft::Entry>& entries) {
                                checker_.before_write(member, entries);
                              }};
    members_.push_back(std::make_unique<Member>(schedule_, Clock(schedule_, draw_drift()), network_, verdict_,
                                                random_.fork(), options, membership, options_.disk,
                                                std::move(observer)));
  }
}

void World::make_actors() {
  auto surroundings = [this] {
    return Surroundings{schedule_,
                        network_,
                        verdict_,
                        oracle_,
                        members_,
                        Clock(schedule_, draw_drift()),
                        options_.session_window,
                        options_.careless_clients};
  };
  for (int i = 0; i < options_.writers; ++i) {
    actors_.push_back(std::make_unique<Writer>(surroundings(), random_.fork(), i));
  }
  for (int i = 0; i < options_.lockers; ++i) {
    actors_.push_back(std::make_unique<Locker>(surroundings(), random_.fork(), i));
  }
  for (int i = 0; i < options_.watchers; ++i) {
    actors_.push_back(std::make_unique<Watcher>(surroundings(), random_.fork()));
  }
  actors_.push_back(std::make_unique<RegistryWatcher>(surroundings(), random_.fork()));
}

int World::draw_drift() {
  auto most = static_cast<std::uint64_t>(options_.drift_permille);
  return static_cast<int>(random_.below(2 * most + 1)) - options_.drift_permille;
}

WorldResult World::run() {
  for (auto& member : members_) member->start();
  for (auto& actor : actors_) actor->start();
  tell_connections();
  trouble();
  run_for(options_.trouble);
  heal();
  expect_progress();
  come_to_rest();
  return {verdict_.failure(), verdict_.trace_digest(), events_, oracle_.committed(),
          oracle_.changes().size()};
}

void World::trouble() {
  auto between = static_cast<std::uint64_t>(options_.between_faults.count());
  schedule_.after(Duration(static_cast<Duration::rep>(random_.between(between / 2, between * 3 / 2))),
                  [this] {
                    if (!troubled_) return;
                    cause_fault();
                    trouble();
                  });
}

void World::cause_fault() {
  Member& member = any_member();
  Duration a_while = milliseconds(random_.between(10, 2500));
  switch (random_.below(6)) {
    case 0:
    case 1:
      if (random_.chance(20)) {
        for (auto& each : members_) each->crash();
      } else {
        member.crash();
      }
      for (auto& each : members_) {
        if (!each->up()) schedule_.after(a_while, [&each] { each->start(); });
      }
      return;
    case 2:
      member.stop();
      schedule_.after(a_while + milliseconds(1500), [&member] { member.start(); });
      return;
    case 3:
      member.pause();
      schedule_.after(a_while, [&member] { member.resume(); });
      return;
    default:
      partition();
      schedule_.after(a_while, [this] { network_.heal(); });
  }
}

void World::partition() {
  auto kind = random_.below(4);
  Member& one = any_member();
  std::uint64_t sides = random_.next();
  for (auto& a : members_) {
    for (auto& b : members_) {
      if (a == b) continue;
      bool apart = (sides >> a->id().value() & 1) != (sides >> b->id().value() & 1);
      bool isolated = a->id() == one.id() || b->id() == one.id();
      if (kind == 0 && apart) network_.cut(a->id(), b->id());
      if (kind == 1 && isolated) network_.cut(a->id(), b->id());
      if (kind == 2 && a->id() == one.id()) network_.cut(a->id(), b->id());  // heard by nobody
      if (kind == 3 && b->id() == one.id()) network_.cut(a->id(), b->id());  // hears nobody
    }
  }
}

/// Connections come and go with the members and the network; each member is told what it would notice.
void World::tell_connections() {
  schedule_.after(milliseconds(random_.between(50, 300)), [this] { tell_connections(); });
  Member& a = any_member();
  Member& b = any_member();
  if (a.id() == b.id() || !a.up()) return;
  bool reached = b.up() && network_.connected(a.id(), b.id()) && network_.connected(b.id(), a.id());
  a.run([&a, &b, reached] {
    if (reached) {
      a.node()->peer_connected(b.id(), b.options().client_endpoint, b.options().raft.data_id);
    } else {
      a.node()->peer_lost(b.id());
    }
  });
}

void World::heal() {
  troubled_ = false;
  network_.calm();
  for (auto& member : members_) {
    member->disk().calm();
    member->resume();
    member->start();
  }
  // What was being stopped as it was healed comes back too.
  for (int i = 1; i < 50; ++i) {
    schedule_.after(milliseconds(100) * i, [this] {
      for (auto& member : members_) member->start();
    });
  }
}

void World::expect_progress() {
  if (verdict_.failure()) return;
  Index before = oracle_.committed();
  if (!run_until(options_.election_timeout * 20, [&] { return oracle_.committed() > before; })) {
    std::string standing;
    for (const auto& member : members_) standing += "; " + member->describe();
    verdict_.fail("healed, but nothing was committed for 20 election timeouts" + standing);
  }
}

void World::come_to_rest() {
  for (auto& actor : actors_) actor->finish();
  auto idle = [&] {
    return std::all_of(actors_.begin(), actors_.end(), [](const auto& actor) { return actor->idle(); }) &&
           converged();
  };
  if (!run_until(std::chrono::seconds(30), idle)) verdict_.fail("healed, but it does not come to rest");
  if (verdict_.failure()) return;
  // A claim whose client could not reach anybody may last as long as its lease.
  auto unclaimed = [&] { return oracle_.machine().locks().all().empty(); };
  if (!run_until(std::chrono::seconds(8), unclaimed)) verdict_.fail("a claim was left that nobody wants");

  for (auto& actor : actors_) actor->abandon();
  auto empty = [&] { return oracle_.machine().leases().all().empty(); };
  if (!run_until(std::chrono::seconds(20), empty)) verdict_.fail("a lease that nobody keeps does not end");
  if (!run_until(std::chrono::seconds(20), idle)) verdict_.fail("emptied, but it does not come to rest");
  run_for(milliseconds(500));
  if (verdict_.failure()) return;
  if (!oracle_.machine().registry().all().empty()) verdict_.fail("an instance outlived its lease");
  for (auto& actor : actors_) actor->check();
}

bool World::converged() const {
  for (const auto& member : members_) {
    if (!member->up() || member->node()->machine().applied() != oracle_.committed()) return false;
  }
  return true;
}

template <typename Done>
bool World::run_until(Duration most, Done done) {
  Instant end = schedule_.now() + most;
  while (!verdict_.failure() && schedule_.now() < end) {
    if (done()) return true;
    schedule_.step();
    ++events_;
  }
  return verdict_.failure() || done();
}

void World::run_for(Duration time) {
  run_until(time, [] { return false; });
}

}  // namespace holdfast::sim
