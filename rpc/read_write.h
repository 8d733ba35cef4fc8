#pragma once

#include <kj/async.h>

#include <utility>
#include <variant>

#include "rpc/answer.h"
#include "state/command.h"
#include "state/reply.h"
#include "state/validate.h"

/// The two shapes that nearly every method has.
namespace holdfast::rpc {

/// A read of the machine as every acknowledged write left it. `look` fills the results, or says why not.
template <typename Service, typename Params, typename Results, typename Look>
kj::Promise<void> read(Desk& desk, Reach reach, capnp::CallContext<Params, Results> context,
                       Method<Service, Params, Results> method, Look look) {
  using Pending = typename Call<Params, Results>::Pending;
  return answer(desk, reach, context, method, IfBroken::kAskAgain, Bound::kTimeout,
                [&desk, look = std::move(look)](Pending pending, Duration within) {
                  desk.node.linearizable_read(
                      within, [look, pending = std::move(pending)](Result<void> confirmed) mutable {
                        pending.end_in_turn([look, confirmed = std::move(confirmed)](auto&) mutable {
                          return confirmed ? look() : confirmed;
                        });
                      });
                });
}

/// A command for the log. `fill(results' ok, reply)` writes the answer; Body is the alternative of
/// state::ReplyBody that such a command is answered with.
template <typename Body, typename Service, typename Params, typename Results, typename Fill>
kj::Promise<void> write(Desk& desk, Reach reach, capnp::CallContext<Params, Results> context,
                        Method<Service, Params, Results> method, IfBroken if_broken,
                        state::Operation operation, Fill fill) {
  using Pending = typename Call<Params, Results>::Pending;
  if (auto valid = state::validate(operation); !valid) {
    refuse(context, valid.error());
    return kj::READY_NOW;
  }
  const state::Stamp stamp = read_terms(context.getParams().getCall()).stamp;
  return answer(desk, reach, context, method, if_broken, Bound::kTimeout,
                [&desk, stamp, operation = std::move(operation), fill](Pending pending, Duration within) {
                  desk.node.propose(operation, stamp, within,
                                    [fill, pending = std::move(pending)](state::Reply reply) mutable {
                                      pending.end([&](auto& here) -> Result<void> {
                                        if (!reply) return fail(reply.error());
                                        const Body* body = std::get_if<Body>(&*reply);
                                        if (!body) return internal::reused_sequence();
                                        fill(here.getResults(kShortAnswer).initOutcome().initOk(), *body);
                                        return {};
                                      });
                                    });
                });
}

}  // namespace holdfast::rpc
