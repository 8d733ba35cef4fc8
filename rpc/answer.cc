#include "rpc/answer.h"

namespace holdfast::rpc::internal {

Error no_leader_error(const Error& last) {
  if (last.code == Errc::kDiskFull) return last;
  return Error{Errc::kUnavailable,
               "no leader took the call in time, and it had no effect; the last answer was: " + last.message};
}

Error not_leader_here(const node::Node& node) {
  const auto leader = node.leader();
  return Error{Errc::kNotLeader, leader
                                     ? "this member does not lead; " + leader->name + " does"
                                     : std::string("this member does not lead, and knows nobody who does")};
}

Error stopping_here() { return Error{Errc::kStopping, "this member is stopping; ask another one"}; }

Error broken_error(IfBroken if_broken, const kj::Exception& exception) {
  const std::string why = exception.getDescription().cStr();
  if (if_broken == IfBroken::kUnknown) {
    return Error{Errc::kUnknown, "the leader did not answer, the call may have taken effect: " + why};
  }
  return Error{Errc::kUnavailable, "the leader did not answer: " + why};
}

tl::unexpected<Error> reused_sequence() {
  return fail(
      Errc::kInvalidArgument,
      "the session has already used this sequence number for another kind of call; number calls from 1, "
      "each once");
}

}  // namespace holdfast::rpc::internal
