#pragma once

#include <capnp/any.h>
#include <capnp/capability.h>
#include <kj/async.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "rpc/call.h"
#include "rpc/desk.h"
#include "rpc/terms.h"

/// How a call finds its leader. A member that leads answers; any other passes the call on, once, to the
/// leader and hands its answer back. What certainly had no effect is tried again until the call's time is
/// over, but not by a member that is stopping: it refuses, so that the caller goes to another one. What may
/// have had one is reported as unknown.
namespace holdfast::rpc {

namespace internal {

/// True for an answer after which another attempt is worth making: nothing happened, and a leader may be
/// found now.
constexpr bool is_worth_another_attempt(Errc code) {
  return is_safe_to_retry(code) && code != Errc::kOverloaded;
}
Error no_leader_error(const Error& last);
Error not_leader_here(const node::Node& node);
Error stopping_here();
Error broken_error(IfBroken if_broken, const kj::Exception& exception);
/// The session's window answered with the outcome of another kind of command.
tl::unexpected<Error> reused_sequence();

}  // namespace internal

/// The method of a client's class that makes a call.
template <typename Service, typename Params, typename Results>
using Method = capnp::Request<Params, Results> (Service::*)(kj::Maybe<capnp::MessageSize>);

/// One call on its way, as an adapter of KJ's. `Method`: how the same call is made elsewhere. `Here`: see
/// answer().
template <typename Service, typename Params, typename Results, typename Here>
class Answer final : public Call<Params, Results>, private kj::TaskSet::ErrorHandler {
 public:
  using Context = capnp::CallContext<Params, Results>;
  using Pending = typename Call<Params, Results>::Pending;
  using Request = capnp::Request<Params, Results>;
  using Response = capnp::Response<Results>;

  Answer(kj::PromiseFulfiller<void>& fulfiller, net::DirectCall* direct, Desk& desk, Reach reach,
         Context context, Method<Service, Params, Results> method, IfBroken if_broken, Bound bound, Here here)
      : Call<Params, Results>(fulfiller, direct, context),
        desk_(desk),
        reach_(reach),
        method_(method),
        if_broken_(if_broken),
        bound_(bound),
        here_(std::move(here)),
        deadline_(desk.timer.now() + to_kj(read_terms(context_.getParams().getCall()).timeout)),
        work_(*this) {
    attempt();
  }

 private:
  using Call<Params, Results>::context_;
  using Call<Params, Results>::fulfiller_;

  void attempt() {
    if (desk_.node.is_stopping()) return finish(internal::stopping_here());
    if (desk_.node.is_leader()) return attempt_here();
    if (reach_ == Reach::kThisMember) return finish(internal::not_leader_here(desk_.node));
    // Finding the leader's address may end in time while connecting to it does not.
    auto found = desk_.timer.timeoutAfter(to_kj(remaining() + kGrace), desk_.members.leader(remaining()));
    work_.add(found.then(
        [this](Result<kj::Own<MemberDoor>> door) {
          if (!door) return settle(door.error());
          if (door->get() == nullptr) return settle(internal::not_leader_here(desk_.node));
          pass_on(**door);
        },
        [this](kj::Exception&& exception) {
          settle(internal::broken_error(IfBroken::kAskAgain, exception));
        }));
  }

  void attempt_here() {
    if constexpr (std::is_invocable_v<Here&, Pending, Duration>) {
      here_(Pending(*this), remaining());
    } else {
      follow(here_(remaining()));
    }
  }

  void follow(kj::Promise<Result<void>> result) {
    work_.add(
        result.then([this](Result<void> done) { this->end([&done](Context&) { return std::move(done); }); }));
  }

  Duration remaining() { return std::max(from_kj(deadline_ - desk_.timer.now()), Duration(0)); }

  void pass_on(MemberDoor& door) {
    auto service = door.get<Service>();
    Request request = (service.*method_)(context_.getParams().totalSize());
    copy_params(request);
    request.getCall().setTimeoutMs(
        static_cast<std::uint32_t>(std::max<std::int64_t>(remaining() / milliseconds(1), 1)));
    kj::Promise<Response> response = request.send();
    // The leader answers in time if it lives; the grace is for the way.
    response = bound_ == Bound::kTimeout
                   ? desk_.timer.timeoutAfter(to_kj(remaining() + kGrace), kj::mv(response))
                   : desk_.until_stopping(kj::mv(response));
    work_.add(response.then(
        [this](Response&& answer) {
          auto outcome = answer.getOutcome();
          if (outcome.isError()) return settle(read_error(outcome.getError()));
          context_.setResults(answer);
          fulfiller_.fulfill();
        },
        [this](kj::Exception&& exception) { settle(internal::broken_error(if_broken_, exception)); }));
  }

  /// The whole of the parameters, whatever they are.
  void copy_params(Request& request) {
    capnp::AnyStruct::Reader from(context_.getParams());
    typename Params::Builder params = request;
    capnp::AnyStruct::Builder to(kj::mv(params));
    auto data = from.getDataSection();
    auto data_out = to.getDataSection();
    std::copy_n(data.begin(), std::min(data.size(), data_out.size()), data_out.begin());
    auto pointers = from.getPointerSection();
    auto pointers_out = to.getPointerSection();
    for (unsigned i = 0; i < std::min(pointers.size(), pointers_out.size()); ++i) {
      pointers_out[i].set(pointers[i]);
    }
  }

  void settle(const Error& error) override {
    const bool may_ask = reach_ == Reach::kCluster && internal::is_worth_another_attempt(error.code);
    // Nothing happened, and another member can see to it that it does.
    if (may_ask && desk_.node.is_stopping()) return finish(internal::stopping_here());
    if (may_ask && remaining() > kPause) {
      const milliseconds pause = std::exchange(pause_, std::min(2 * pause_, kPause));
      return work_.add(desk_.timer.afterDelay(to_kj(pause)).then([this] { attempt(); }));
    }
    finish(may_ask ? internal::no_leader_error(error) : error);
  }

  void finish(const Error& error) {
    refuse(context_, error);
    fulfiller_.fulfill();
  }

  void later(Callback<void()> then) override { desk_.answers.add(std::move(then)); }

  void taskFailed(kj::Exception&& exception) override { fulfiller_.reject(kj::mv(exception)); }

  // Between attempts: a leader that hands over in order has a successor within milliseconds.
  static constexpr milliseconds kFirstPause{2};
  static constexpr milliseconds kPause{10};
  static constexpr milliseconds kGrace{50};

  Desk& desk_;
  const Reach reach_;
  const Method<Service, Params, Results> method_;
  const IfBroken if_broken_;
  const Bound bound_;
  Here here_;
  milliseconds pause_ = kFirstPause;
  const kj::TimePoint deadline_;
  kj::TaskSet work_;  // nothing is in it while the node carries the call out
};

/// Answers `context` by `here` if this member leads, else by the leader's answer to the same call. `here`
/// runs only while this member leads, perhaps several times. It is either
///   void(Pending, Duration within)                  ends the Pending when it can; the quick way,
///   kj::Promise<Result<void>>(Duration within)      fills the results, or says why not.
template <typename Service, typename Params, typename Results, typename Here>
kj::Promise<void> answer(Desk& desk, Reach reach, capnp::CallContext<Params, Results> context,
                         Method<Service, Params, Results> method, IfBroken if_broken, Bound bound,
                         Here here) {
  using Asked = Answer<Service, Params, Results, Here>;
  if (net::DirectCall* direct = std::exchange(desk.direct, nullptr)) {
    direct->keep(
        kj::heap<Asked>(*direct, direct, desk, reach, context, method, if_broken, bound, std::move(here)));
    return kj::READY_NOW;
  }
  context.allowCancellation();
  return kj::newAdaptedPromise<void, Asked>(nullptr, desk, reach, context, method, if_broken, bound,
                                            std::move(here));
}

/// The answer is in the results already.
inline kj::Promise<void> answer_now(Desk& desk) {
  if (net::DirectCall* direct = std::exchange(desk.direct, nullptr)) direct->fulfill();
  return kj::READY_NOW;
}

}  // namespace holdfast::rpc
