#pragma once

#include <capnp/capability.h>
#include <kj/function.h>

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "net/direct_call.h"
#include "net/direct_party.h"

namespace holdfast::net {

/// What a connection's calls may come to.
struct CallBounds {
  /// Beyond these nothing more is read until calls were answered.
  std::size_t unanswered_bytes = limits::kMaxConnectionCallBytes;
  std::size_t unanswered = 100'000;
  /// A caller finishes its calls as it reads their returns; the connection of one that never does is closed.
  std::size_t unfinished = 1'000'000;
};

/// The calls that a connection's peer makes past the RPC system, from when they are read until they are
/// finished.
///
///     called --answered--> returned (only its number is kept) --finish--> forgotten
///       \------finish (cancels it)----------------/
///
/// Thread: the loop's.
class DirectAnswers {
 public:
  using Message = DirectParty::Message;
  /// Carries the call out, at once or by the promise; or takes the DirectCall and answers by that.
  using Dispatch = kj::FunctionParam<kj::Promise<void>(capnp::CallContextHook&, DirectCall&)>;

  DirectAnswers(DirectParty& party, const CallBounds& bounds);
  ~DirectAnswers() noexcept(false);
  KJ_DISALLOW_COPY(DirectAnswers);

  /// Can it be answered past the RPC system, as far as the message goes?
  static bool can_take(protocol::Call::Reader call);
  /// Requires: can_take(call). Throws if the question's number is in use, or too many are.
  void start(Message& message, protocol::Call::Reader call, Dispatch dispatch);
  /// As MessageStream::Filter has it, for all that such calls and the party's own are made of.
  bool glance(protocol::Message::Reader message);
  /// A call on what this party gave. Returns: false if it is on none of that.
  bool take_call(Message& message, protocol::Call::Reader call);
  /// Returns: false if it is none of these calls.
  bool take_finish(protocol::Finish::Reader finish);
  bool knows(DirectNumber question) const { return calls_.count(question) > 0; }
  bool is_full() const {
    return unanswered_bytes_ > bounds_.unanswered_bytes || unanswered_ > bounds_.unanswered;
  }
  /// How many calls are not answered.
  std::size_t unanswered() const { return unanswered_; }
  /// What is over is destroyed: not from inside what it called.
  void forget_returned();
  /// Cancels all that is not answered.
  void cancel();

 private:
  class Call;
  struct EmptyReturn;

  /// A call on a Prompt that this party gave, carried out at once. Returns: false, and has done nothing, if
  /// it is none, or is to take its usual way.
  bool answer_promptly(protocol::Call::Reader call);
  kj::Maybe<capnp::ClientHook&> callee_of(protocol::Call::Reader call);
  void send_exception(DirectNumber question, const kj::Exception& thrown);
  /// Throws if it is in use, or too many are.
  void check_number(DirectNumber question) const;
  void answered(DirectNumber question, std::size_t bytes, std::vector<DirectNumber> given);

  DirectParty& party_;
  const CallBounds bounds_;
  std::size_t unanswered_ = 0;
  std::size_t unanswered_bytes_ = 0;
  kj::Own<EmptyReturn> empty_return_;                                  // once it was needed
  std::unordered_map<DirectNumber, std::vector<DirectNumber>> given_;  // with answers that are not finished
  std::vector<kj::Own<Call>> returned_;                    // just now, so perhaps still on the stack
  std::unordered_map<DirectNumber, kj::Own<Call>> calls_;  // null: only the number, until it is finished
};

}  // namespace holdfast::net
