#include "rpc/queue_wait.h"

#include <optional>
#include <variant>

#include "rpc/answer.h"
#include "rpc/awaited.h"

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

}  // namespace

Result<std::optional<node::Grant>> outcome_of_acquire(const state::Reply& reply) {
  if (!reply) return fail(reply.error());
  const auto* answer = std::get_if<state::LockAnswer>(&*reply);
  if (!answer) return internal::reused_sequence();
  if (!answer->acquired.token) return std::nullopt;
  return node::Grant{answer->acquired.token, answer->revision};
}

kj::Promise<Result<node::Grant>> wait_in_queue(node::Node& node, const lock::Acquire& acquire) {
  if (!node.is_leader()) return Result<node::Grant>(fail(internal::not_leader_here(node)));
  if (auto already = standing(node.machine(), acquire)) return std::move(*already);
  auto granted = make_awaited<Result<node::Grant>>();
  const auto id = node.grants().await(acquire.lock, acquire.lease, acquire.attempt, std::move(granted.done));
  return granted.promise.attach(kj::defer([&node, id] { node.grants().forget(id); }));
}

}  // namespace holdfast::rpc
