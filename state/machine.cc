#include "state/machine.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "base/canary.h"
#include "base/check.h"
#include "base/limits.h"
#include "state/machine_impl.h"

namespace holdfast::state {

namespace {

tl::unexpected<Error> no_lease(LeaseId id) {
  char text[17];  // as people see it everywhere else
  std::snprintf(text, sizeof text, "%016" PRIx64, id.value());
  return fail(Errc::kLeaseNotFound,
              "lease " + std::string(text) + " has ended or never was; grant a new one");
}

}  // namespace

Reply Machine::Impl::run(Command& command) {
  const Stamp& stamp = command.stamp;
  const auto perform_operation = [&] {
    return std::visit([this](auto& operation) { return perform(operation); }, command.operation);
  };
  if (!stamp.session) return perform_operation();
  Reply reply = perform_operation();
  // The command may have ended its own session.
  if (leases.is_live(stamp.session)) sessions.remember(stamp, reply);
  return reply;
}

Applied Machine::apply(Index index, const Blob& bytes) {
  Impl& machine = *impl_;
  INVARIANT(index == machine.applied.next(), "a committed entry was left out or applied twice");
  Applied applied;
  auto decoded = decode(bytes, machine.supported);
  if (!decoded && decoded.error().code == Errc::kNotEnabled) {
    applied.not_understood = std::move(decoded).error();
    return applied;
  }
  INVARIANT(decoded, "a committed command cannot be read, and to pass over it would part the replicas");
  Command* const command = &decoded->command;
  machine.applied = index;
  machine.time = std::max(machine.time, command->time);

  if (const auto allowed = check_level(decoded->level, machine.feature_level); !allowed) {
    applied.reply = fail(allowed.error());
  } else if (const LeaseId session = command->stamp.session; session && !machine.leases.is_live(session)) {
    applied.reply = no_lease(session);
  } else {
    Sessions::Meeting meeting;
    if (session) meeting = machine.sessions.meet(command->stamp);
    if (meeting.remembered) {
      applied.reply = *meeting.remembered;
      applied.fresh = false;
    } else if (meeting.refused) {
      applied.reply = fail(*std::move(meeting.refused));
    } else {
      applied.reply = machine.run(*command);
      applied.events = machine.publish();
    }
  }
  machine.digest.add(index.value());
  machine.digest.add(bytes.view());
  machine.digest.add(applied.reply);
  for (const Event& event : applied.events) machine.digest.add(event);
  return applied;
}

void Machine::prefetch(std::span<const Blob* const> commands) const {
  std::vector<std::string_view> keys;
  keys.reserve(commands.size());
  for (const Blob* command : commands) {
    if (const std::string_view key = key_of_put(*command); !key.empty()) keys.push_back(key);
  }
  impl_->config.prefetch(keys);
}

void Machine::skip(Index index) {
  INVARIANT(index == impl_->applied.next(), "a committed entry was left out or applied twice");
  impl_->applied = index;
  impl_->digest.add(index.value());
}

void Machine::apply_membership(Index index, const std::vector<MemberId>& everybody) {
  skip(index);
  if (impl_->feature_level >= level::kForgetsMembers) impl_->forget_all_but(everybody);
}

void Machine::Impl::forget_all_but(const std::vector<MemberId>& everybody) {
  const auto forget = [&](auto& table, auto& changes) {
    for (auto row = table.begin(); row != table.end();) {
      if (std::find(everybody.begin(), everybody.end(), row->first) != everybody.end()) {
        ++row;
        continue;
      }
      changes.touch_erased(row->first, row->second);
      digest.add(row->first.value());
      row = table.erase(row);
    }
  };
  forget(members, member_changes);
  forget(member_levels, member_level_changes);
}

std::vector<Event> Machine::Impl::publish() {
  std::vector<Event> events;
  events.reserve(config_changes_.size() + registry_changes_.size() + lock_changes_.size());
  revision = left_at();
  if (!config_changes_.empty()) config_revision = revision;
  for (config::Change& change : config_changes_) {
    history.append(change);
    events.emplace_back(std::move(change));
  }
  for (registry::Change& change : registry_changes_) events.emplace_back(std::move(change));
  for (lock::Change& change : lock_changes_) events.emplace_back(std::move(change));
  config_changes_.clear();
  registry_changes_.clear();
  lock_changes_.clear();
  return events;
}

Revision Machine::Impl::left_at() const {
  return config_changes_.empty() && registry_changes_.empty() && lock_changes_.empty() ? revision : at();
}

Reply Machine::Impl::perform(const GrantLease& grant) {
  const LeaseId id(applied.value());
  leases.grant(id, grant.ttl);
  return LeaseGranted{id, grant.ttl};
}

Reply Machine::Impl::perform(const RevokeLease& revoke) {
  if (!leases.is_live(revoke.lease)) return no_lease(revoke.lease);
  leases.end(revoke.lease);
  sweep({revoke.lease});
  return Done{left_at()};
}

Reply Machine::Impl::perform(const EndLeases& end) {
  // All are dead before the first lock goes on, so that none of them is granted it.
  for (const LeaseId lease : end.leases) leases.end(lease);
  sweep(end.leases);
  return Done{left_at()};
}

void Machine::Impl::sweep(const std::vector<LeaseId>& ending) {
  std::size_t most = limits::kLeaseEndBatch;
  for (const LeaseId id : ending) {
    if (!leases.find(id)) continue;
    if (!HOLDFAST_CANARY(lease_ends_without_its_attachments)) most -= detach(id, most);
    if (!has_attachments(id)) leases.remove(id);
  }
}

std::size_t Machine::Impl::detach(LeaseId lease, std::size_t most) {
  std::size_t count = sessions.end_lease(lease, most);
  count += config.end_lease(lease, most - count, at(), config_changes_);
  count += registry.end_lease(lease, most - count, at(), registry_changes_);
  count += locks.end_lease(lease, most - count, moment(), lock_changes_);
  return count;
}

bool Machine::Impl::has_attachments(LeaseId lease) const {
  return sessions.all().contains(lease) || config.attached_to(lease) || registry.attached_to(lease) ||
         locks.attached_to(lease);
}

Reply Machine::Impl::perform(const config::Put& put) {
  if (put.lease && !leases.is_live(put.lease) && !HOLDFAST_CANARY(attach_a_key_to_a_dead_lease))
    return no_lease(put.lease);
  if (auto done = config.put(put, at(), config_changes_); !done) return fail(std::move(done).error());
  return Done{left_at()};
}

Reply Machine::Impl::perform(const config::Delete& remove) {
  auto count = config.remove(remove, at(), config_changes_);
  if (!count) return fail(std::move(count).error());
  const bool bounded = remove.most && *count == *remove.most;
  const auto [first, last] = config.range(remove.range);
  return Deleted{left_at(), *count, bounded && first != last};
}

Reply Machine::Impl::perform(RegisterInstance& wish) {
  if (!leases.is_live(wish.instance.lease)) return no_lease(wish.instance.lease);
  registry.put(wish.service, std::move(wish.instance), at(), registry_changes_);
  return Done{left_at()};
}

Reply Machine::Impl::perform(const DeregisterInstance& wish) {
  if (auto done = registry.remove(wish.service, wish.id, wish.lease, at(), registry_changes_); !done) {
    return fail(std::move(done).error());
  }
  return Done{left_at()};
}

Reply Machine::Impl::perform(const lock::Acquire& acquire) {
  if (!leases.is_live(acquire.lease) && !HOLDFAST_CANARY(grant_without_looking_at_the_lease))
    return no_lease(acquire.lease);
  auto acquired = locks.acquire(acquire, applied.value(), moment(), lock_changes_);
  if (!acquired) return fail(std::move(acquired).error());
  return LockAnswer{left_at(), *acquired};
}

Reply Machine::Impl::perform(const CancelAcquire& cancel) {
  locks.cancel(cancel.lock, cancel.lease, cancel.attempt, moment(), lock_changes_);
  return Done{left_at()};
}

Reply Machine::Impl::perform(const ReleaseLock& release) {
  if (auto done = locks.release(release.lock, release.token, moment(), lock_changes_); !done) {
    return fail(std::move(done).error());
  }
  return Done{left_at()};
}

Reply Machine::Impl::perform(const TimeOutWaiters& time_out) {
  for (const lock::OverdueWaiter& waiter : time_out.waiters) {
    locks.time_out(waiter, moment(), lock_changes_);
  }
  return Done{left_at()};
}

Reply Machine::Impl::perform(const AnnounceMember& announce) {
  const MemberAddress address{announce.name, announce.client_endpoint};
  const auto found = members.find(announce.member);
  const bool known = found != members.end();
  if (!known || found->second != address) {
    member_changes.touch(announce.member, known ? &found->second : nullptr);
    members.insert_or_assign(announce.member, address);
  }
  const auto announced = member_levels.find(announce.member);
  if (announced == member_levels.end() || announced->second != announce.feature_level) {
    member_level_changes.touch(announce.member,
                               announced == member_levels.end() ? nullptr : &announced->second);
    member_levels.insert_or_assign(announce.member, announce.feature_level);
  }
  return Done{revision};
}

Reply Machine::Impl::perform(const RaiseFeatureLevel& raise) {
  feature_level = std::max(feature_level, raise.level);
  return Done{revision};
}

}  // namespace holdfast::state
