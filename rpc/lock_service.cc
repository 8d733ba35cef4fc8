#include "rpc/lock_service.h"

#include "rpc/conversions.h"
#include "rpc/queue_wait.h"
#include "rpc/read_write.h"
#include "rpc/texts.h"

namespace holdfast::rpc {

namespace {

using AcquireContext = capnp::CallContext<schema::Locks::AcquireParams, schema::Locks::AcquireResults>;

Result<void> write_grant(AcquireContext& context, const Result<node::Grant>& grant) {
  if (!grant) return fail(grant.error());
  auto ok = context.getResults(kShortAnswer).initOutcome().initOk();
  ok.setToken(grant->token.value());
  ok.setRevision(grant->revision.value());
  return {};
}

}  // namespace

void LockService::finish_acquire(AcquireContext context, const lock::Acquire& acquire,
                                 const state::Reply& reply, AcquirePending pending) {
  const auto outcome = outcome_of_acquire(reply);
  if (outcome && !*outcome) {
    return pending.end_with(
        wait_in_queue(desk_.node, acquire).then([context](Result<node::Grant> grant) mutable {
          return write_grant(context, grant);
        }));
  }
  pending.end([&outcome](auto& here) -> Result<void> {
    if (!outcome) return fail(outcome.error());
    return write_grant(here, **outcome);
  });
}

kj::Promise<void> LockService::acquire(AcquireContext context) {
  const lock::Acquire acquire = read_acquire(context.getParams().getAcquire());
  if (auto valid = state::validate(acquire); !valid) {
    refuse(context, valid.error());
    return kj::READY_NOW;
  }
  const state::Stamp stamp = read_terms(context.getParams().getCall()).stamp;
  // The call's timeout bounds finding the leader and joining the queue. In the queue, the claim's own
  // deadline counts, and the log keeps it.
  return answer(desk_, reach_, context, &schema::Locks::Client::acquireRequest, IfBroken::kAskAgain,
                acquire.queue ? Bound::kNone : Bound::kTimeout,
                [this, context, acquire, stamp](AcquirePending pending, Duration within) {
                  desk_.node.propose(
                      acquire, stamp, within,
                      [this, context, acquire, pending = std::move(pending)](state::Reply reply) mutable {
                        finish_acquire(context, acquire, reply, std::move(pending));
                      });
                });
}

kj::Promise<void> LockService::cancel(CancelContext context) {
  const auto params = context.getParams();
  return write<state::Done>(
      desk_, reach_, context, &schema::Locks::Client::cancelRequest, IfBroken::kAskAgain,
      state::CancelAcquire{to_string(params.getLock()), LeaseId(params.getLease()), params.getAttempt()},
      [](auto ok, const state::Done& done) { ok.setRevision(done.revision.value()); });
}

kj::Promise<void> LockService::release(ReleaseContext context) {
  const auto params = context.getParams();
  return write<state::Done>(desk_, reach_, context, &schema::Locks::Client::releaseRequest,
                            IfBroken::kUnknown,
                            state::ReleaseLock{to_string(params.getLock()), Token(params.getToken())},
                            [](auto ok, const state::Done& done) { ok.setRevision(done.revision.value()); });
}

kj::Promise<void> LockService::show(ShowContext context) {
  return read(desk_, reach_, context, &schema::Locks::Client::showRequest,
              [this, context]() mutable -> Result<void> {
                const auto& all = desk_.node.machine().locks().all();
                const std::string name = to_string(context.getParams().getLock());
                auto first = name.empty() ? all.begin() : all.find(name);
                const auto last = name.empty() || first == all.end() ? all.end() : std::next(first);
                std::size_t bytes = 0;
                for (auto lock = first; lock != last; ++lock) bytes += wire_bytes(lock->first, lock->second);
                if (bytes > kMaxAnswerBytes) {
                  return fail(Errc::kLimitExceeded, "the locks and their queues do not fit an answer of " +
                                                        std::to_string(kMaxAnswerBytes) +
                                                        " bytes; ask for one lock by name");
                }
                auto out = context.getResults().initOutcome().initOk().initLocks(
                    static_cast<unsigned>(std::distance(first, last)));
                unsigned position = 0;
                for (auto lock = first; lock != last; ++lock) {
                  write_lock(lock->first, lock->second, desk_.node.cluster_time(), out[position++]);
                }
                return {};
              });
}

}  // namespace holdfast::rpc
