#include "tests/sim/operator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/sim/door.h"
#include "tests/sim/weighted.h"

namespace holdfast::sim {

namespace {

constexpr Duration kPatience = milliseconds(1000);
constexpr std::size_t kMostLearners = 2;

void erase(std::vector<raft::Member>& members, MemberId id) {
  std::erase_if(members, [id](const raft::Member& member) { return member.id == id; });
}

raft::Membership without(raft::Membership now, MemberId id) {
  erase(now.voters, id);
  erase(now.learners, id);
  return now;
}

raft::Membership with_learner(raft::Membership now, MemberId id) {
  if (find(now, id) || now.learners.size() >= kMostLearners) return now;
  now.learners.push_back({id, "n" + std::to_string(id.value()), "peer" + std::to_string(id.value())});
  return now;
}

raft::Membership with_promoted(raft::Membership now, MemberId id) {
  const raft::Member* learner = find(now, id);
  if (!learner || is_voter(now, id) || now.voters.size() >= raft::kMaxVoters) return now;
  now.voters.push_back(*learner);
  erase(now.learners, id);
  return now;
}

/// The heir, a learner, takes over the part of the other.
raft::Membership with_heir(const raft::Membership& now, MemberId id, MemberId heir) {
  if (!find(now, id) || !find(now, heir) || is_voter(now, heir)) return now;
  raft::Membership target = without(now, id);
  return is_voter(now, id) ? with_promoted(std::move(target), heir) : target;
}

raft::Membership with_demoted(raft::Membership now, MemberId id) {
  if (!is_voter(now, id) || now.learners.size() >= kMostLearners) return now;
  now.learners.push_back(*find(now, id));
  erase(now.voters, id);
  return now;
}

}  // namespace

Operator::Operator(Surroundings surroundings, Random random, ChurnOptions options)
    : world_(surroundings), random_(random), options_(options) {}

void Operator::start() {
  next();
  look_after();
}

void Operator::next() {
  if (options_.between <= Duration(0)) return;
  auto between = static_cast<std::uint64_t>(options_.between.count());
  world_.schedule.after(Duration(static_cast<Duration::rep>(random_.between(between / 3, between * 5 / 3))),
                        [this] {
                          if (finishing_) return;
                          Member* leader = leader_of(world_.members);
                          if (leader && (!busy_ || options_.many_hands)) act(leader->node()->membership());
                          next();
                        });
}

void Operator::act(const raft::Membership& now) {
  const auto kind = draw_weighted(random_, {options_.add, options_.promote, options_.remove, options_.replace,
                                            options_.demote, options_.several});
  if (!kind) return;
  switch (*kind) {
    case 0:
      return add(now);
    case 1:
      return promote(now);
    case 2:
      return remove(now);
    case 3:
      return replace(now);
    case 4:
      return demote(now);
    default:
      return several();
  }
}

void Operator::add(const raft::Membership& now) {
  std::vector<Member*> outside;
  for (const auto& member : world_.members) {
    if (!find(now, member->id())) outside.push_back(member.get());
  }
  if (outside.empty() || now.learners.size() >= kMostLearners) return;
  Member& member = *one_of(outside);
  // With its old directory set aside, or as it stands there.
  const bool aside = random_.chance(60) && may_lose_disk(world_.members, world_.oracle, member.id());
  if (!member.up() && member.has_identity() && aside) member.wipe();
  if (member.disk().damaged()) return;
  member.revive();
  change([id = member.id()](raft::Membership was) { return with_learner(std::move(was), id); });
}

void Operator::promote(const raft::Membership& now) {
  if (now.learners.empty()) return;
  change([id = one_of(now.learners).id](raft::Membership was) { return with_promoted(std::move(was), id); });
}

void Operator::remove(const raft::Membership& now) {
  Member* leader = leader_of(world_.members);
  const bool learner = !now.learners.empty() && random_.chance(20);
  MemberId id = one_of(learner ? now.learners : now.voters).id;
  if (leader && random_.chance(30)) id = leader->id();
  change([id](raft::Membership was) { return without(std::move(was), id); });
}

void Operator::replace(const raft::Membership& now) {
  if (now.learners.empty()) return add(now);
  Member* leader = leader_of(world_.members);
  MemberId id = leader && random_.chance(40) ? leader->id() : one_of(now.voters).id;
  change(
      [id, heir = one_of(now.learners).id](const raft::Membership& was) { return with_heir(was, id, heir); });
}

void Operator::demote(const raft::Membership& now) {
  change([id = one_of(now.voters).id](raft::Membership was) { return with_demoted(std::move(was), id); });
}

/// Whoever calls the node may ask for this, though the door's own calls are one step each.
void Operator::several() {
  change([random = random_.fork()](raft::Membership was) mutable {
    raft::Membership target = was;
    for (const raft::Member& learner : was.learners) {
      if (random.chance(60)) target = with_promoted(std::move(target), learner.id);
    }
    for (const raft::Member& voter : was.voters) {
      if (random.chance(20)) target = with_demoted(std::move(target), voter.id);
      if (random.chance(20)) target = without(std::move(target), voter.id);
    }
    return target;
  });
}

Member* Operator::somebody() {
  std::vector<Member*> up;
  for (const auto& member : world_.members) {
    if (member->up() && !member->paused()) up.push_back(member.get());
  }
  if (options_.many_hands && random_.chance(70)) {
    std::vector<Member*> leaders;
    std::copy_if(up.begin(), up.end(), std::back_inserter(leaders),
                 [](const Member* member) { return member->node()->is_leader(); });
    if (!leaders.empty()) up = leaders;
  }
  return up.empty() ? nullptr : one_of(up);
}

void Operator::change(Edit edit, int patience) {
  Member* door = somebody();
  busy_ = door != nullptr;
  if (!door) return;
  const std::uint64_t attempt = ++attempt_;
  // Nobody may ever answer.
  world_.after(kPatience * 3 / 2,
               [this, attempt, edit] { answered(attempt, fail(Errc::kUnknown, "no answer"), edit, 0); });
  auto work = [this, edit](node::Node& node, Callback<void(Result<std::any>)> done) mutable {
    raft::Membership now = node.membership();
    now.outgoing_voters.clear();
    raft::Membership target = edit(now);
    // The leader cannot know yet that a disk is lost of one that answered just now: then the cluster would be
    // left to a majority of lost disks.
    const bool sane = target != now && !target.voters.empty() && has_majority(world_.members, target);
    if (!sane) return done(fail(Errc::kInvalidArgument, "better not"));
    node.change_membership(std::move(target), kPatience,
                           [done = std::move(done)](Result<Index> changed) mutable {
                             if (!changed) return done(fail(changed.error()));
                             done(std::any(*changed));
                           });
  };
  door->run([this, door, work, attempt, edit, patience] {
    enter(world_, *door, kPatience, work, [this, attempt, edit, patience](const Result<std::any>& answer) {
      answered(attempt, answer, edit, patience);
    });
  });
}

void Operator::answered(std::uint64_t attempt, const Result<std::any>& answer, const Edit& edit,
                        int patience) {
  if (attempt != attempt_) return;
  ++attempt_;
  busy_ = false;
  if (answer || answer.error().code != Errc::kChangeInProgress || patience == 0) return;
  busy_ = true;
  world_.schedule.after(milliseconds(20), [this, attempt = attempt_, edit, patience] {
    if (attempt == attempt_) change(edit, patience - 1);
  });
}

/// Sees to those who wait to join, whose process ended, or whose disk was lost.
void Operator::look_after() {
  world_.schedule.after(milliseconds(random_.between(60, 240)), [this] { look_after(); });
  Member* leader = leader_of(world_.members);
  if (!leader) return;
  const raft::Membership now = leader->node()->membership();
  for (const auto& member : world_.members) {
    const raft::Member* recorded = find(now, member->id());
    if (!recorded) continue;
    if (has_lost_its_disk(*member, now)) {
      if (!busy_ && (finishing_ || random_.chance(40))) repair(*member, now);
    } else if (member->disk().damaged()) {
      member->wipe();  // nothing of it is on record yet
    } else if (!member->has_identity()) {
      join(*member);
    } else if (!member->up() && (member->ended() || finishing_)) {
      member->revive();
      member->start();
    }
  }
}

void Operator::repair(Member& member, const raft::Membership& now) {
  if (is_voter(now, member.id()) && !now.learners.empty() && random_.chance(40)) {
    return change([id = member.id(), heir = one_of(now.learners).id](const raft::Membership& was) {
      return with_heir(was, id, heir);
    });
  }
  change([id = member.id()](raft::Membership was) { return without(std::move(was), id); });
}

void Operator::join(Member& member) {
  Member* door = somebody();
  if (!door) return;
  auto work = [](node::Node& node, Callback<void(Result<std::any>)> done) {
    node.linearizable_read(kPatience, [&node, done = std::move(done)](Result<void> ready) mutable {
      if (!ready) return done(fail(ready.error()));
      done(std::any(node.membership()));
    });
  };
  door->run([this, door, work, &member] {
    enter(world_, *door, kPatience, work, [&member](const Result<std::any>& answer) {
      if (!answer || member.has_identity()) return;
      auto cluster = std::any_cast<raft::Membership>(*answer);
      const raft::Member* awaited = find(cluster, member.id());
      if (!awaited || !awaited->data_id.empty()) return;
      // Whom to talk to; those who leave too.
      for (const raft::Member& voter : std::exchange(cluster.outgoing_voters, {})) {
        if (!find(cluster, voter.id)) cluster.voters.push_back(voter);
      }
      member.join(std::move(cluster));
    });
  });
}

bool Operator::idle() const {
  const raft::Membership& now = world_.oracle.membership();
  return !busy_ && std::none_of(world_.members.begin(), world_.members.end(),
                                [&](const auto& member) { return has_lost_its_disk(*member, now); });
}

}  // namespace holdfast::sim
