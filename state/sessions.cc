#include "state/sessions.h"

#include <string>

#include "base/canary.h"
#include "base/limits.h"

namespace holdfast::state {

namespace {

Error forgotten(const Stamp& stamp) {
  return {Errc::kUnknown, "the outcome of call " + std::to_string(stamp.sequence) +
                              " of this session was acknowledged and forgotten; read the state to see "
                              "whether it took effect"};
}

Error window_full(const Session& session) {
  return {Errc::kSessionWindowFull,
          std::to_string(session.outcomes) +
              " outcomes of this session wait to be acknowledged, which is all that kSessionWindow allows; "
              "acknowledge some and try again"};
}

}  // namespace

Sessions::Meeting Sessions::meet(const Stamp& stamp) {
  if (stamp.sequence == 0) {
    return {nullptr, Error{Errc::kInvalidArgument, "a session's sequence numbers begin with 1"}};
  }
  auto found = sessions_.find(stamp.session);
  if (found == sessions_.end()) {
    changes_.touch(stamp.session, nullptr);
    found = sessions_.emplace(stamp.session, Session{}).first;
  }
  Session& session = found->second;
  if (stamp.acknowledged_below > session.acknowledged_below) {
    changes_.touch(stamp.session, &session);
    session.acknowledged_below = stamp.acknowledged_below;
    auto outcome = outcomes_.lower_bound({stamp.session, 0});
    while (outcome != outcomes_.end() && outcome->first.first == stamp.session &&
           outcome->first.second < session.acknowledged_below) {
      outcome = forget(outcome);
      --session.outcomes;
    }
  }
  if (stamp.sequence < session.acknowledged_below && !HOLDFAST_CANARY(forgotten_command_runs_again))
    return {nullptr, forgotten(stamp)};
  const auto outcome = outcomes_.find({stamp.session, stamp.sequence});
  if (outcome != outcomes_.end() && HOLDFAST_CANARY(lost_reply_runs_again)) {
    forget(outcome);
    --session.outcomes;
    return {};
  }
  if (outcome != outcomes_.end()) return {&outcome->second, std::nullopt};
  if (session.outcomes >= limits::kSessionWindow) return {nullptr, window_full(session)};
  return {};
}

void Sessions::remember(const Stamp& stamp, const Reply& reply) {
  const auto session = sessions_.find(stamp.session);
  INVARIANT(session != sessions_.end(), "an outcome is kept for a session that was not met");
  const OutcomeKey key(stamp.session, stamp.sequence);
  outcome_changes_.touch(key, nullptr);
  const bool inserted = outcomes_.emplace(key, reply).second;
  INVARIANT(inserted, "a command ran twice");
  ++session->second.outcomes;
}

std::size_t Sessions::end_lease(LeaseId session, std::size_t most) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return 0;
  std::size_t count = 0;
  auto outcome = outcomes_.lower_bound({session, 0});
  while (count < most && outcome != outcomes_.end() && outcome->first.first == session) {
    outcome = forget(outcome);
    --found->second.outcomes;
    ++count;
  }
  if (found->second.outcomes == 0) {
    changes_.touch_erased(session, found->second);
    sessions_.erase(found);
  }
  return count;
}

void Sessions::load(LeaseId session, std::uint64_t acknowledged_below) {
  sessions_[session].acknowledged_below = acknowledged_below;
}

void Sessions::load(OutcomeKey key, Reply reply) {
  if (outcomes_.insert_or_assign(key, std::move(reply)).second) ++sessions_[key.first].outcomes;
}

Sessions::Outcomes::iterator Sessions::forget(Outcomes::iterator outcome) {
  outcome_changes_.touch_erased(outcome->first, outcome->second);
  return outcomes_.erase(outcome);
}

}  // namespace holdfast::state
