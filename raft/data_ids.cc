#include "raft/data_ids.h"

#include "base/canary.h"
#include "raft/membership_change.h"

namespace holdfast::raft {

namespace {

// More than any membership holds, so that strangers who connect cannot make it grow.
constexpr std::size_t kMaxShown = 64;

const std::string& shown_by(const Replica& replica, MemberId id) {
  static const std::string kNothing;
  if (id == replica.options.self) return replica.options.data_id;
  const auto shown = replica.shown_data_ids.find(id);
  return shown == replica.shown_data_ids.end() ? kNothing : shown->second;
}

}  // namespace

std::string recorded_data_id(const Membership& membership, MemberId id) {
  for (const auto* side : {&membership.voters, &membership.outgoing_voters, &membership.learners})
    for (const Member& member : *side)
      if (member.id == id) return member.data_id;
  return {};
}

bool own_data_is_recorded(const Replica& replica) {
  const MemberId self = replica.options.self;
  // Removed by an entry that may be truncated again, it is what the membership before says it is.
  const Membership* known = replica.log.memberships().newest_since(
      replica.commit, [&](const Membership& membership) { return is_member(membership, self); });
  return recorded_data_id(known ? *known : replica.membership(), self) == replica.options.data_id;
}

bool shows_other_data(const Replica& replica, MemberId id) {
  const std::string& shown = shown_by(replica, id);
  if (shown.empty() || HOLDFAST_CANARY(wiped_disk_votes)) return false;
  const std::string recorded = recorded_data_id(replica.membership(), id);
  return !recorded.empty() && recorded != shown;
}

bool counts(const Replica& replica, MemberId id) {
  if (id == replica.options.self) return own_data_is_recorded(replica);
  return !recorded_data_id(replica.membership(), id).empty();
}

bool may_help(const Replica& replica, const RequestVote& request) {
  return own_data_is_recorded(replica) || request.recorded_data_id == replica.options.data_id ||
         !request.last_index || HOLDFAST_CANARY(wiped_disk_votes);
}

bool may_stand(const Replica& replica) { return own_data_is_recorded(replica) || !replica.log.last_index(); }

void record_data_ids(Replica& replica) {
  Membership filled = replica.membership();
  bool news = false;
  for (auto* side : {&filled.voters, &filled.outgoing_voters, &filled.learners}) {
    for (Member& member : *side) {
      if (!member.data_id.empty()) continue;
      member.data_id = shown_by(replica, member.id);
      news |= !member.data_id.empty();
    }
  }
  if (news) append_membership(replica, std::move(filled));
}

void peer_connected(Replica& replica, MemberId member, const std::string& data_id) {
  const bool known = replica.shown_data_ids.count(member) > 0;
  if (known || replica.shown_data_ids.size() < kMaxShown || is_member(replica.membership(), member))
    replica.shown_data_ids[member] = data_id;
  if (shows_other_data(replica, member)) return;
  if (Progress* progress = replica.follower(member)) progress->reset();
}

void peer_lost(Replica& replica, MemberId member) {
  // What it showed says nothing about what comes back, nor that it was there a moment ago that it is.
  replica.shown_data_ids.erase(member);
  Progress* progress = replica.follower(member);
  if (!progress) return;
  progress->reset();
  progress->has_answered = false;
}

}  // namespace holdfast::raft
