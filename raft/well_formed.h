#pragma once

#include "raft/messages.h"

namespace holdfast::raft {

/// Could a member that follows the protocol have sent this? What could not is ignored: a faulty peer must
/// never break an invariant here. Checks what the message says by itself: numbers far beyond any that are
/// ever reached, entries that do not follow each other, terms that fall or exceed the sender's.
bool well_formed(const Message& message);

/// Could this be a membership? Sizes within their bounds, nobody without id, nobody twice on one side or both
/// voter and learner to come. Nobody at all is the membership of a server before it joins.
bool well_formed(const Membership& membership);

}  // namespace holdfast::raft
