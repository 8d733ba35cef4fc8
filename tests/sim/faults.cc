#include "tests/sim/faults.h"

#include "tests/sim/roster.h"
#include "tests/sim/weighted.h"

namespace holdfast::sim {

Faults::Faults(Schedule& schedule, Network& network, Verdict& verdict, const Oracle& oracle,
               const Members& members, Random random, FaultOptions options)
    : schedule_(schedule),
      network_(network),
      verdict_(verdict),
      oracle_(oracle),
      members_(members),
      random_(random),
      options_(options) {}

void Faults::begin() {
  auto between = static_cast<std::uint64_t>(options_.between.count());
  auto pause = Duration(static_cast<Duration::rep>(random_.between(between / 2, between * 3 / 2)));
  schedule_.after(pause, [this] {
    if (!troubled_) return;
    cause_one();
    begin();
  });
}

void Faults::cause_one() {
  Member& member = random_.chance(30) ? leader() : any();
  Duration a_while = this->a_while();
  const auto kind =
      draw_weighted(random_, {options_.crash, options_.crash_all, options_.stop, options_.pause,
                              options_.partition, options_.clog, options_.slow_disk, options_.crash_leader,
                              options_.usurp, options_.oversleep, options_.hand_over, options_.wipe,
                              options_.failing_disk, options_.full_disk, options_.flipped_bit});
  if (!kind) return;
  switch (*kind) {
    case 0:
      return crash(member, a_while);
    case 1:
      return crash_all(a_while);
    case 2:
      member.stop();
      return schedule_.after(a_while + milliseconds(1500), [&member] { member.start(); });
    case 3:
      member.pause();
      return schedule_.after(a_while, [&member] { member.resume(); });
    case 4:
      partition();
      return schedule_.after(a_while, [this] { network_.heal(); });
    case 5:
      clog();
      return schedule_.after(a_while, [this] { network_.unclog(); });
    case 6:
      return member.disk().stall(schedule_.now() + a_while);
    case 7:
      return crash(leader(), a_while / 4);
    case 8:
      return usurp(leader(), a_while);
    case 9:
      return oversleep(leader());
    case 10:
      return hand_over(a_while);
    case 11:
      return wipe(member, a_while);
    case 12:
      return member.has_identity() ? member.disk().fail_a_write() : crash(member, a_while);
    case 13:
      return fill(member);
    default:
      return rot(member, a_while);
  }
}

Duration Faults::a_while() {
  if (random_.chance(30)) return milliseconds(random_.between(1, 60));
  if (random_.chance(20)) return milliseconds(random_.between(500, 2500));
  return options_.election_timeout * static_cast<int>(random_.between(2, 35)) / 10;
}

Member& Faults::leader() {
  for (const auto& member : members_) {
    if (member->up() && member->node()->is_leader()) return *member;
  }
  return any();
}

void Faults::crash(Member& member, Duration down) {
  member.crash();
  schedule_.after(down, [&member] { member.start(); });
}

bool Faults::votes(const Member& member) const { return is_voter(oracle_.membership(), member.id()); }

void Faults::isolate(Member& member, bool with_learners) {
  for (const auto& other : members_) {
    const bool joins = with_learners && !votes(*other);
    for (const auto& third : members_) {
      const bool apart = joins ? third->id() != member.id() && votes(*third) : third->id() == member.id();
      if (third == other || !apart) continue;
      network_.cut(other->id(), third->id());
      network_.cut(third->id(), other->id());
    }
  }
}

/// It stands still while the others go on without it, and does not hear of that
/// when it wakes, but of what was under way to it as it fell asleep.
void Faults::oversleep(Member& member) {
  member.pause();
  Duration awake = random_.chance(50) ? Duration(0) : Duration(milliseconds(random_.between(1, 60)));
  schedule_.after(awake, [this, &member] { isolate(member, false); });
  Duration asleep = options_.election_timeout * static_cast<int>(random_.between(12, 35)) / 10;
  schedule_.after(asleep, [&member] { member.resume(); });
  schedule_.after(asleep + milliseconds(random_.between(1, 500)), [this] { network_.heal(); });
}

/// Another takes over at its own word, and it does not hear of it.
void Faults::usurp(Member& member, Duration apart) {
  const Member* heir = &any();
  for (const auto& other : members_) {
    if (heir->id() == member.id() || !votes(*heir) || !heir->up()) heir = other.get();
  }
  if (!member.up() || !member.node()->is_leader() || heir->id() == member.id()) return;
  member.run([&member, heir, this] {
    member.node()->transfer_leadership(heir->id(), options_.election_timeout, [](const auto&) {});
  });
  cut_off_once_usurped(member, *heir, apart + options_.election_timeout, random_.chance(50), 1000);
}

void Faults::cut_off_once_usurped(Member& member, const Member& heir, Duration apart, bool with_learners,
                                  int looks) {
  if (!troubled_) return;
  if (heir.up() && heir.node()->status().role == raft::Role::kCandidate) {
    isolate(member, with_learners);
    return schedule_.after(apart, [this] { network_.heal(); });
  }
  if (looks == 0 || !member.up() || !member.node()->is_leader()) return;
  schedule_.after(milliseconds(1), [this, &member, &heir, apart, with_learners, looks] {
    cut_off_once_usurped(member, heir, apart, with_learners, looks - 1);
  });
}

/// Space comes back after a while, as an operator sees to it.
void Faults::fill(Member& member) {
  if (!member.has_identity()) return;
  member.disk().fill();
  schedule_.after(a_while() * 2, [&member] { member.disk().empty(); });
}

/// A bit flips while it is down. It refuses to start then, or nothing of what it knows is harmed.
void Faults::rot(Member& member, Duration down) {
  if (!member.has_identity() || !may_lose_disk(members_, oracle_, member.id())) return crash(member, down);
  member.crash();
  member.flip_bit();
  schedule_.after(down, [&member] { member.start(); });
}

/// Leadership is sent anywhere, also where it cannot go; and whoever it is sent to may be cut off on the way.
void Faults::hand_over(Duration a_while) {
  Member& from = leader();
  Member& to = any();
  from.run([this, &from, to = to.id()] {
    from.node()->transfer_leadership(to, options_.election_timeout * 2, [this](const Result<void>& done) {
      if (done) verdict_.count(Figure::kHandedOver);
    });
  });
  if (from.id() == to.id() || !random_.chance(30)) return;
  const bool both = random_.chance(50);
  for (const auto& other : members_) {
    network_.cut(other->id(), to.id());
    if (both) network_.cut(to.id(), other->id());
  }
  schedule_.after(a_while, [this] { network_.heal(); });
}

/// One that founded the cluster alone would found another.
bool Faults::may_begin_anew(const Member& member) const {
  return member.is_founder() && oracle_.membership_at(Index()).voters.size() > 1;
}

/// The others cannot have what it knows: as many as a majority can do without are cut off while it follows.
/// Then its disk is lost, it begins anew, and the leader is cut off instead.
void Faults::wipe_a_witness(Member& member, Duration down) {
  Member& leader = this->leader();
  const auto& voters = oracle_.membership().voters;
  std::size_t apart = (voters.size() - 1) / 2;
  for (const raft::Member& voter : voters) {
    if (voter.id == leader.id() || voter.id == member.id() || apart == 0) continue;
    isolate(*find(members_, voter.id), false);
    --apart;
  }
  schedule_.after(milliseconds(random_.between(10, 150)), [this, &member, &leader, down] {
    network_.heal();
    if (!troubled_ || !may_lose_disk(members_, oracle_, member.id())) return;
    verdict_.count(Figure::kWiped);
    member.wipe();
    member.found();
    member.start();
    isolate(leader, false);
    schedule_.after(down + 2 * options_.election_timeout, [this] { network_.heal(); });
  });
}

/// Its disk is lost. Some are started again as if nothing had happened; the others when they are awaited.
void Faults::wipe(Member& member, Duration down) {
  if (!member.has_identity() || !may_lose_disk(members_, oracle_, member.id())) return crash(member, down);
  const bool begins_anew = may_begin_anew(member);
  if (begins_anew && random_.chance(50)) return wipe_a_witness(member, down);
  verdict_.count(Figure::kWiped);
  member.wipe();
  if (!begins_anew || random_.chance(40)) return;
  schedule_.after(down, [&member] {
    if (member.has_identity()) return;
    member.found();
    member.start();
  });
}

void Faults::crash_all(Duration down) {
  for (const auto& member : members_) {
    member->crash();
    schedule_.after(down, [each = member.get()] { each->start(); });
  }
}

void Faults::partition() {
  auto kind = random_.below(5);
  Member& one = any();
  std::uint64_t sides = random_.next();
  for (const auto& a : members_) {
    for (const auto& b : members_) {
      if (a == b) continue;
      bool apart = (sides >> a->number() & 1) != (sides >> b->number() & 1);
      bool with_one = a->id() == one.id() || b->id() == one.id();
      if (kind == 0 && apart) network_.cut(a->id(), b->id());
      if (kind == 1 && with_one) network_.cut(a->id(), b->id());
      if (kind == 2 && a->id() == one.id()) network_.cut(a->id(), b->id());  // heard by nobody
      if (kind == 3 && b->id() == one.id()) network_.cut(a->id(), b->id());  // hears nobody
      if (kind == 4 && apart && !with_one) network_.cut(a->id(), b->id());   // the one is a bridge
    }
  }
}

void Faults::clog() {
  bool links = random_.chance(50);
  Member& one = any();
  for (const auto& a : members_) {
    for (const auto& b : members_) {
      if (a == b) continue;
      if (links ? random_.chance(30) : a->id() == one.id()) network_.clog(a->id(), b->id());
    }
  }
}

}  // namespace holdfast::sim
