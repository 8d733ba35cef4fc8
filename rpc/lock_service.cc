#include "rpc/lock_service.h"

#include "rpc/conversions.h"
#include "rpc/queue_wait.h"
#include "rpc/read_write.h"
#include "rpc/texts.h"

namespace holdfast::rpc {

void LockService::finish_acquire(const lock::Acquire& acquire, const state::Reply& reply,
                                 AcquirePending pending) {
  const auto outcome = outcome_of_acquire(reply);
  if (!outcome) return end_with(fail(outcome.error()), pending);
  if (!*outcome) return wait_in_queue(desk_.node, acquire, std::move(pending));
  end_with(**outcome, pending);
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
                [this, acquire, stamp](AcquirePending pending, Duration within) {
                  desk_.node.propose(
                      acquire, stamp, within,
                      [this, acquire, pending = std::move(pending)](state::Reply reply) mutable {
                        finish_acquire(acquire, reply, std::move(pending));
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
