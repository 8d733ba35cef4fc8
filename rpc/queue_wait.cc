#include "rpc/queue_wait.h"

#include <optional>
#include <variant>

#include "rpc/answer.h"

namespace holdfast::rpc {

namespace {

/// How the claim stands now, if that answers the call: it may have been granted, or have ended, since the
/// acquire was applied, and an outcome from the session's window may be old. None: it waits.
std::optional<Result<node::Grant>> standing(const state::Machine& machine, const lock::Acquire& acquire) {
  using Outcome = Result<node::Grant>;
  const Outcome taken_over = fail(
      Errc::kCancelled, "a newer attempt of this lease took over its claim on lock \"" + acquire.lock + "\"");
  const lock::Lock* lock = machine.locks().find(acquire.lock);
  const auto* claims = machine.locks().attached_to(acquire.lease);
  const auto claim = claims ? claims->find(acquire.lock) : lock::LockTable::Claims::const_iterator();
  if (lock && claims && claim != claims->end()) {
    if (!claim->second.holds) {
      const lock::Waiter* waiter = lock->queue.find(claim->second.number);
      if (waiter && waiter->attempt == acquire.attempt) return std::nullopt;
      return taken_over;
    }
    const Token token(claim->second.number);
    const auto holder = lock->holders.find(token);
    if (holder == lock->holders.end() || holder->second.attempt != acquire.attempt) return taken_over;
    return Outcome(node::Grant{token, machine.revision()});
  }
  if (!machine.leases().is_live(acquire.lease)) {
    return Outcome(
        fail(Errc::kLeaseNotFound,
             "the lease has ended, and with it its place in the queue of lock \"" + acquire.lock + "\""));
  }
  return Outcome(fail(acquire.wait ? Errc::kWaitTimedOut : Errc::kCancelled,
                      "the wait for lock \"" + acquire.lock + "\" is over"));
}

/// Goes with the call that waits.
struct PlaceAmongWaiters {
  explicit PlaceAmongWaiters(node::Grants& grants_in) : grants(grants_in) {}
  ~PlaceAmongWaiters() { grants.forget(id); }
  KJ_DISALLOW_COPY(PlaceAmongWaiters);

  node::Grants& grants;
  std::uint64_t id = 0;
};

}  // namespace

Result<std::optional<node::Grant>> outcome_of_acquire(const state::Reply& reply) {
  if (!reply) return fail(reply.error());
  const auto* answer = std::get_if<state::LockAnswer>(&*reply);
  if (!answer) return internal::reused_sequence();
  if (!answer->acquired.token) return std::nullopt;
  return node::Grant{answer->acquired.token, answer->revision};
}

void wait_in_queue(node::Node& node, const lock::Acquire& acquire, AcquirePending pending) {
  if (!node.is_leader()) return end_with(fail(internal::not_leader_here(node)), pending);
  if (const auto already = standing(node.machine(), acquire)) return end_with(*already, pending);
  auto place = kj::heap<PlaceAmongWaiters>(node.grants());
  PlaceAmongWaiters& mine = *place;
  pending.attach(kj::mv(place));
  mine.id = node.grants().await(
      acquire.lock, acquire.lease, acquire.attempt,
      [pending = std::move(pending)](const Result<node::Grant>& grant) mutable { end_with(grant, pending); });
}

void end_with(const Result<node::Grant>& grant, AcquirePending& pending) {
  pending.end([&grant](auto& context) -> Result<void> {
    if (!grant) return fail(grant.error());
    auto ok = context.getResults(kShortAnswer).initOutcome().initOk();
    ok.setToken(grant->token.value());
    ok.setRevision(grant->revision.value());
    return {};
  });
}

}  // namespace holdfast::rpc
