#pragma once

#include "raft/messages.h"

namespace holdfast::node {

/// Carries messages to other members. May lose, delay, repeat and reorder them; never alters one.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void send(raft::Message message) = 0;
  /// From now on these are the members: who is not among them is neither heard nor sent to, unless it knows a
  /// membership of a higher index than this one's, and so may lead.
  virtual void set_members(const raft::Membership& membership, Index index) = 0;
};

}  // namespace holdfast::node
