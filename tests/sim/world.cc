#include "tests/sim/world.h"

#include <algorithm>
#include <typeinfo>
#include <utility>
#include <variant>

#include "tests/sim/broken_invariant.h"

namespace holdfast::sim {

namespace {
// Far more than any world needs; one that has no end must be found out.
constexpr std::uint64_t kMostEvents = 3'000'000;
}  // namespace

World::World(std::uint64_t seed, WorldOptions options)
    : options_(std::move(options)),
      random_(seed),
      network_(schedule_, verdict_, random_.fork(), options_.network,
               [this](const Greeting& from, raft::Message message) { deliver(from, std::move(message)); }),
      faults_(schedule_, network_, verdict_, oracle_, members_, random_.fork(), options_.faults) {
  make_members();
  make_actors();
}

raft::Membership World::first_membership() const {
  raft::Membership membership;
  for (std::size_t i = 1; i <= options_.voters + options_.learners; ++i) {
    raft::Member member{MemberId(i), "n" + std::to_string(i), "peer" + std::to_string(i)};
    (i <= options_.voters ? membership.voters : membership.learners).push_back(std::move(member));
  }
  return membership;
}

void World::make_members() {
  const raft::Membership membership = first_membership();
  oracle_.found(membership);
  for (const auto* side : {&membership.voters, &membership.learners}) {
    for (const raft::Member& founder : *side) make_member(founder, membership);
  }
  for (std::size_t i = 0; i < options_.churn.spares; ++i) {
    std::size_t number = members_.size() + 1;
    make_member({MemberId(number), "n" + std::to_string(number), "peer" + std::to_string(number)}, {});
  }
}

void World::make_member(const raft::Member& each, std::optional<raft::Membership> founders) {
  node::Options options = options_.node;
  options.name = each.name;
  options.client_endpoint = "client-" + each.name;
  options.raft.self = each.id;
  options.raft.election_timeout = options_.election_timeout;
  options.raft.heartbeat_interval = options_.election_timeout / options_.heartbeats_per_election_timeout;
  Member::Observer observer{
      [this](Member& member) { checker_.after_step(member); },
      [this](const Member& member, const auto& hard_state, const auto& entries) {
        checker_.before_write(member, hard_state, entries);
      },
      [this](const Member& member, const raft::Message& message) { checker_.before_send(member, message); },
      [this](const Member& member, MemberId refused) {
        schedule_.after(network_.delay(), [this, by = member.id(), refused] {
          Member* other = find(members_, refused);
          if (other && network_.connected(by, refused)) other->run([other, by] { other->refused_by(by); });
        });
      }};
  members_.push_back(std::make_unique<Member>(
      members_.size() + 1, schedule_, Clock(schedule_, draw_drift()), network_, verdict_, random_.fork(),
      options, std::move(founders), options_.disk, options_.lax_links, std::move(observer)));
}

/// Over a connection that both would have.
void World::deliver(const Greeting& from, raft::Message message) {
  Member* sender = find(members_, message.from);
  Member* receiver = find(members_, message.to);
  if (!receiver->up() || (sender->up() && !sender->talks_to(receiver->greeting()))) return;
  receiver->run(
      [receiver, from, message = std::move(message)]() mutable { receiver->hear(from, std::move(message)); });
}

void World::make_actors() {
  auto surroundings = [this] {
    return Surroundings{schedule_,
                        network_,
                        verdict_,
                        oracle_,
                        members_,
                        Clock(schedule_, draw_drift()),
                        options_.large_values,
                        options_.session_window,
                        options_.careless_clients};
  };
  for (int i = 0; i < options_.writers; ++i) {
    actors_.push_back(std::make_unique<Writer>(surroundings(), random_.fork(), i));
  }
  for (int i = 0; i < options_.lockers; ++i) {
    actors_.push_back(std::make_unique<Locker>(surroundings(), random_.fork(), i));
  }
  for (int i = 0; i < options_.loyal_clients; ++i) {
    actors_.push_back(std::make_unique<LoyalClient>(surroundings(), random_.fork()));
  }
  for (int i = 0; i < options_.watchers; ++i) {
    actors_.push_back(std::make_unique<Watcher>(surroundings(), random_.fork()));
  }
  actors_.push_back(std::make_unique<RegistryWatcher>(surroundings(), random_.fork()));
  actors_.push_back(std::make_unique<Operator>(surroundings(), random_.fork(), options_.churn));
}

int World::draw_drift() {
  auto most = static_cast<std::uint64_t>(options_.drift_permille);
  return static_cast<int>(random_.below(2 * most + 1)) - options_.drift_permille;
}

WorldResult World::run() {
  try {
    live();
  } catch (const BrokenInvariant& broken) {
    verdict_.fail(Invariant::kAssertion, broken.what());
  } catch (const std::bad_variant_access&) {
    verdict_.fail(Invariant::kHonestOutcome, "a client was answered with another command's outcome");
  }
  return {verdict_.failure(),  verdict_.trace_digest(),  events_,
          oracle_.committed(), oracle_.changes().size(), verdict_.figures()};
}

void World::live() {
  for (auto& member : members_) member->start();
  for (auto& actor : actors_) actor->start();
  tell_connections();
  faults_.begin();
  run_for(options_.trouble);
  heal();
  expect_progress();
  come_to_rest();
}

/// Connections come and go with the members and the network; each member is told what it would notice.
void World::tell_connections() {
  schedule_.after(milliseconds(random_.between(50, 300)), [this] { tell_connections(); });
  Member& a = any_member();
  tell_connection(a, any_member());
}

void World::tell_connection(Member& a, Member& b) {
  if (a.id() == b.id() || !a.up()) return;
  bool reached = b.up() && network_.connected(a.id(), b.id()) && network_.connected(b.id(), a.id());
  // The other one's word first: it may not let this one in.
  if (reached && !b.talks_to(a.greeting())) return b.run([&a, &b] { b.meet(a.greeting()); });
  a.run([&a, &b, reached] {
    if (reached && b.up()) {
      a.meet(b.greeting());
    } else {
      a.lose(b.id());
    }
  });
}

void World::heal() {
  faults_.end();
  network_.calm();
  for (auto& member : members_) {
    member->disk().calm();
    member->resume();
    if (find(oracle_.membership(), member->id())) member->revive();
    member->start();
  }
  // What was being stopped as it was healed comes back too.
  for (int i = 1; i < 200; ++i) {
    schedule_.after(milliseconds(100) * i, [this] {
      for (auto& member : members_) member->start();
    });
  }
  // Chance may have told two of them nothing of each other for long.
  for (int i = 1; i < 10; ++i) {
    schedule_.after(std::chrono::seconds(2) * i, [this] {
      for (auto& a : members_) {
        for (auto& b : members_) tell_connection(*a, *b);
      }
    });
  }
}

void World::expect_progress() {
  if (verdict_.failure()) return;
  Index before = oracle_.committed();
  if (!run_until(options_.election_timeout * 20, [&] { return oracle_.committed() > before; })) {
    verdict_.fail(Invariant::kProgress,
                  "healed, but nothing was committed for 20 election timeouts" + standing());
  }
}

void World::come_to_rest() {
  for (auto& actor : actors_) actor->finish();
  auto idle = [&] {
    return std::all_of(actors_.begin(), actors_.end(), [](const auto& actor) { return actor->idle(); }) &&
           converged();
  };
  if (!run_until(std::chrono::seconds(30), idle))
    verdict_.fail(Invariant::kConvergence, "healed, but it does not come to rest" + standing());
  if (verdict_.failure()) return;
  // A claim whose client could not reach anybody may last as long as its lease.
  auto unclaimed = [&] { return oracle_.machine().locks().all().empty(); };
  if (!run_until(std::chrono::seconds(8), unclaimed))
    verdict_.fail(Invariant::kNoOrphan, "a claim was left that nobody wants");

  for (auto& actor : actors_) actor->abandon();
  auto empty = [&] { return oracle_.machine().leases().all().empty(); };
  if (!run_until(std::chrono::seconds(20), empty))
    verdict_.fail(Invariant::kNoOrphan, "a lease that nobody keeps does not end");
  if (!run_until(std::chrono::seconds(20), idle))
    verdict_.fail(Invariant::kConvergence, "emptied, but it does not come to rest" + standing());
  run_for(milliseconds(500));
  // A late write may have come in this while, and a watcher may be slow.
  if (!run_until(std::chrono::seconds(20), idle))
    verdict_.fail(Invariant::kConvergence, "emptied, but it does not stay at rest");
  if (verdict_.failure()) return;
  if (!oracle_.machine().registry().all().empty())
    verdict_.fail(Invariant::kNoOrphan, "an instance outlived its lease");
  for (auto& actor : actors_) actor->check();
}

std::string World::standing() const {
  std::string text = "; " + describe(oracle_.membership()) + " is in force, commit " +
                     std::to_string(oracle_.committed().value());
  for (const auto& member : members_) text += "; " + member->describe();
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    const Actor& actor = *actors_[i];
    if (!actor.idle()) text += "; actor " + std::to_string(i) + ", a " + typeid(actor).name() + ", is busy";
  }
  return text;
}

bool World::converged() const {
  const raft::Membership& now = oracle_.membership();
  auto all = [this](const std::vector<raft::Member>& members) {
    return std::all_of(members.begin(), members.end(), [this](const auto& each) { return in_step(each); });
  };
  return !now.is_joint() && all(now.voters) && all(now.learners);
}

bool World::in_step(const raft::Member& recorded) const {
  const Member* member = find(members_, recorded.id);
  return member && member->up() && member->data_id() == recorded.data_id &&
         member->node()->machine().applied() == oracle_.committed();
}

template <typename Done>
bool World::run_until(Duration most, Done done) {
  Instant end = schedule_.now() + most;
  while (!verdict_.failure() && schedule_.now() < end) {
    if (done()) return true;
    schedule_.step();
    if (++events_ > kMostEvents) verdict_.fail(Invariant::kProgress, "it goes round in circles");
  }
  return verdict_.failure() || done();
}

void World::run_for(Duration time) {
  run_until(time, [] { return false; });
}

}  // namespace holdfast::sim
