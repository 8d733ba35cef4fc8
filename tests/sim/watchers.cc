#include <algorithm>
#include <utility>

#include "tests/sim/actors.h"
#include "tests/sim/roster.h"

namespace holdfast::sim {

Watcher::Watcher(Surroundings surroundings, Random random) : world_(surroundings), random_(random) {
  range_ = random_.chance(30)   ? config::KeyRange::one("/k/1/" + std::to_string(1 + 3 * random_.below(3)))
           : random_.chance(50) ? config::KeyRange::prefix("/k/" + std::to_string(random_.below(3)))
           : random_.chance(50) ? config::KeyRange::prefix("")
                                : config::KeyRange{"/k/0/3", "/k/2/2"};
  if (random_.chance(30)) from_ = Revision(random_.between(1, 40));
  position_ = session::WatchPosition(from_);
}

void Watcher::start() { look_after(); }

/// Notices that its member is gone, and now and then moves to another one all the same.
void Watcher::look_after() {
  world_.schedule.after(milliseconds(random_.between(20, 200)), [this] { look_after(); });
  bool alive = member_ && member_->up() && member_->incarnation() == incarnation_;
  // A removed member hears of nothing any more.
  const bool learns = !finishing_ || (alive && find(world_.oracle.membership(), member_->id()));
  if (alive && learns && (world_.schedule.now() < move_on_ || member_->paused())) return;
  if (alive) member_->node()->watches().close(watch_);
  member_ = nullptr;
  Member& member = *world_.members[random_.below(world_.members.size())];
  if (member.up() && !member.paused()) open(member);
}

void Watcher::open(Member& member) {
  member_ = &member;
  incarnation_ = member.incarnation();
  move_on_ = world_.schedule.now() + milliseconds(random_.between(100, 6000));
  // What was under way on the former connection is lost with it.
  ++connection_;
  sending_ = false;
  position_.resumed();
  watch_ = member.node()->watches().open_config(range_, position_.next(), *this);
}

void Watcher::ready() {
  if (sending_) return;
  sending_ = true;
  on_connection(milliseconds(1), [this] { take(); });
}

/// Runs `what` at the member after a while, unless the connection or the member is gone by then.
void Watcher::on_connection(Duration delay, Callback<void()> what) {
  // Sometimes slow, so that it is left behind.
  if (random_.chance(5)) delay = milliseconds(random_.between(100, 1500));
  world_.schedule.after(delay, [this, connection = connection_, what = std::move(what)]() mutable {
    if (connection != connection_ || !member_) return;
    member_->run_if(incarnation_, [this, connection, what = std::move(what)]() mutable {
      if (connection == connection_) what();
    });
  });
}

void Watcher::take() {
  batch_ = member_->node()->watches().take_config(watch_, random_.between(1, 4000));
  sent_ = 0;
  if (batch_.ended) return world_.verdict.fail(Invariant::kWatch, "a watch ended: " + batch_.ended->message);
  world_.verdict.trace("watched", member_->name(), batch_.changes.size(), batch_.next.value());
  if (batch_.changes.empty()) {
    sending_ = false;
    return;
  }
  deliver();
}

/// One message of the watch stream: a part of the batch, which may end within a revision.
void Watcher::deliver() {
  std::size_t end = std::min(batch_.changes.size(), sent_ + random_.between(1, random_.chance(50) ? 1 : 5));
  bool last = end == batch_.changes.size();
  std::vector<Revision> revisions;
  for (std::size_t i = sent_; i < end; ++i) revisions.push_back(batch_.changes[i].revision());
  std::size_t drop = position_.take(revisions, last ? batch_.next : batch_.changes[end].revision());
  for (std::size_t i = sent_ + drop; i < end; ++i) expect(batch_.changes[i]);
  sent_ = end;
  if (random_.chance(3)) move_on_ = world_.schedule.now();
  on_connection(world_.network.delay(), [this, last] {
    if (last) return take();
    deliver();
  });
}

void Watcher::expect(const config::Change& change) {
  const auto& all = world_.oracle.changes();
  while (seen_ < all.size() && !wants(all[seen_])) ++seen_;
  if (seen_ == all.size() || all[seen_] != change) {
    world_.verdict.fail(
        Invariant::kWatch,
        "a watcher of [" + range_.begin + ", " + range_.end + ") got " + std::string(change.key()) + " at " +
            std::to_string(change.revision().value()) + " where " +
            (seen_ == all.size()
                 ? std::string("nothing")
                 : std::string(all[seen_].key()) + " at " + std::to_string(all[seen_].revision().value())) +
            " comes next");
    return;
  }
  ++seen_;
}

bool Watcher::wants(const config::Change& change) const {
  return change.revision() >= from_ && range_.contains(change.key());
}

bool Watcher::idle() const {
  const auto& all = world_.oracle.changes();
  return std::none_of(all.begin() + static_cast<std::ptrdiff_t>(seen_), all.end(),
                      [this](const auto& change) { return wants(change); });
}

void Watcher::check() {
  if (!idle()) world_.verdict.fail(Invariant::kWatch, "a watcher was not told of every change");
}

RegistryWatcher::RegistryWatcher(Surroundings surroundings, Random random)
    : world_(surroundings), random_(random) {}

void RegistryWatcher::start() { look_after(); }

bool RegistryWatcher::at_a_member() const {
  return member_ && find(world_.oracle.membership(), member_->id());
}

bool RegistryWatcher::idle() const { return alive() && at_a_member() && complete_; }

void RegistryWatcher::look_after() {
  world_.schedule.after(milliseconds(random_.between(50, 300)), [this] { look_after(); });
  const bool stays = finishing_ ? at_a_member() : world_.schedule.now() < move_on_;
  if (alive() && (stays || member_->paused())) return;
  if (alive()) member_->node()->watches().close(watch_);
  member_ = nullptr;
  Member& member = *world_.members[random_.below(world_.members.size())];
  if (!member.up() || member.paused()) return;
  member_ = &member;
  incarnation_ = member.incarnation();
  move_on_ = world_.schedule.now() + milliseconds(random_.between(500, 6000));
  complete_ = false;
  picture_.clear();
  watch_ = member.node()->watches().open_registry("", *this);
}

void RegistryWatcher::ready() {
  world_.schedule.after(milliseconds(random_.between(1, 50)),
                        [this, watch = watch_, member = member_, incarnation = incarnation_] {
                          auto same = [this, watch, member, incarnation] {
                            return member_ == member && watch == watch_ && incarnation == incarnation_;
                          };
                          if (!same()) return;
                          member->run_if(incarnation, [this, same] {
                            if (same()) take();
                          });
                        });
}

void RegistryWatcher::take() {
  node::RegistryBatch batch = member_->node()->watches().take_registry(watch_, random_.between(1, 3));
  for (registry::Change& change : batch.changes) {
    registry::InstanceKey key(change.service, change.instance.id);
    if (change.removed) {
      picture_.erase(key);
    } else {
      picture_[key] = change.instance;
    }
  }
  complete_ = batch.complete;
}

void RegistryWatcher::check() {
  const auto& all = world_.oracle.machine().registry().all();
  bool same =
      complete_ && all.size() == picture_.size() && std::equal(all.begin(), all.end(), picture_.begin());
  if (!same) world_.verdict.fail(Invariant::kWatch, "a registry watcher's picture is not what is registered");
}

}  // namespace holdfast::sim
