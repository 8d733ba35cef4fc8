#include "tests/sim/door.h"

#include <utility>

namespace holdfast::sim {

void enter(const Surroundings& world, Member& member, Duration timeout,
           std::function<void(node::Node&, Callback<void(Result<std::any>)>)> work,
           Callback<void(Result<std::any>)> answered) {
  node::Node& node = *member.node();
  if (node.is_leader()) return work(node, std::move(answered));
  node.when_leader_known(timeout, [world, &member, work = std::move(work),
                                   answered = std::move(answered)](Result<node::LeaderInfo> leader) mutable {
    if (!leader) return answered(fail(leader.error()));
    if (leader->id == member.id()) return work(*member.node(), std::move(answered));
    Member* other = world.find(leader->client_endpoint);
    auto reachable = [world, &member, other] {
      return world.network.connected(member.id(), other->id()) &&
             world.network.connected(other->id(), member.id());
    };
    if (!other || !other->up() || !reachable())
      return answered(fail(Errc::kUnavailable, "no way to the leader"));
    world.schedule.after(world.network.delay(), [world, &member, other, reachable, work = std::move(work),
                                                 answered = std::move(answered)]() mutable {
      other->run([world, &member, other, reachable, work = std::move(work),
                  answered = std::move(answered)]() mutable {
        work(*other->node(), [world, &member, reachable, incarnation = member.incarnation(),
                              answered = std::move(answered)](Result<std::any> result) mutable {
          if (!reachable()) return;
          world.schedule.after(world.network.delay(), [&member, incarnation, result = std::move(result),
                                                       answered = std::move(answered)]() mutable {
            member.run_if(incarnation,
                          [result = std::move(result), answered = std::move(answered)]() mutable {
                            answered(std::move(result));
                          });
          });
        });
      });
    });
  });
}

void read_linearizably(const Surroundings& world, const Attempt& attempt,
                       Callback<void(Result<Revision>)> done) {
  const Index floor = world.oracle.committed();
  auto ready = [world, floor, &node = attempt.node, done = std::move(done)](Result<void> confirmed) mutable {
    if (!confirmed) return done(fail(confirmed.error()));
    if (node.machine().applied() < floor)
      world.verdict.fail(Invariant::kLinearizableRead, "a read missed what was committed before it came");
    done(node.machine().revision());
  };
  attempt.node.linearizable_read(attempt.timeout, std::move(ready));
}

void keep_alive(const Surroundings& world, node::Node& node, Duration timeout, LeaseId lease,
                Callback<void(Result<Kept>)> done) {
  auto answered = [world, lease, arrived = world.schedule.now(),
                   done = std::move(done)](Result<std::vector<node::KeptAlive>> kept) mutable {
    if (!kept) return done(fail(kept.error()));
    const milliseconds ttl = kept->front().ttl;
    // The service's word counts from here, whether or not it is heard.
    if (ttl.count() != 0) world.oracle.lease_acknowledged(lease, arrived, ttl);
    done(Kept{arrived, ttl});
  };
  node.keep_alive({lease}, timeout, std::move(answered));
}

void acquire_and_wait(const Attempt& attempt, const lock::Acquire& acquire,
                      Callback<void(Result<Token>)> done) {
  node::Node& node = attempt.node;
  auto answered = [&node, acquire, done = std::move(done)](state::Reply reply) mutable {
    if (!reply) return done(fail(reply.error()));
    if (!node.is_leader()) return done(fail(Errc::kNotLeader, "it no longer leads"));
    const lock::Lock* lock = node.machine().locks().find(acquire.lock);
    if (lock) {
      for (const auto& [token, holder] : lock->holders) {
        if (holder.lease == acquire.lease && holder.attempt == acquire.attempt) return done(token);
      }
      for (const auto& [ticket, waiter] : lock->queue.waiters()) {
        if (waiter.lease != acquire.lease || waiter.attempt != acquire.attempt) continue;
        node.grants().await(acquire.lock, acquire.lease, acquire.attempt,
                            [done = std::move(done)](Result<node::Grant> grant) mutable {
                              if (!grant) return done(fail(grant.error()));
                              done(grant->token);
                            });
        return;
      }
    }
    bool lives = node.machine().leases().is_live(acquire.lease);
    done(fail(lives ? Errc::kCancelled : Errc::kLeaseNotFound, "the claim is gone"));
  };
  node.propose(acquire, attempt.stamp, attempt.timeout, std::move(answered));
}

}  // namespace holdfast::sim
