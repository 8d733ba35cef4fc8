#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "raft/types.h"

/// What a membership is to become, going by the one in force; pure. Whether it may become that now is for
/// the core to say: raft/inputs.h, ChangeMembership.
namespace holdfast::rpc {

/// The part that a member has or is to have.
enum class Standing { kNone, kLearner, kVoter };

Standing standing_of(const raft::Membership& membership, const std::string& name);
/// Errors: kMemberNotFound, naming those there are.
Result<raft::Member> member_named(const raft::Membership& membership, const std::string& name);
/// Errors: as member_named; kInvalidArgument if it is a learner, which cannot lead.
Result<raft::Member> voter_named(const raft::Membership& membership, const std::string& name);

/// Errors: kInvalidArgument (the name or address is none), kMemberExists (the name or the address is taken).
Result<raft::Membership> with_learner(const raft::Membership& now, ClusterId cluster, const std::string& name,
                                      const std::string& peer_address);
/// Errors: kMemberNotFound, kInvalidArgument (a voter already).
Result<raft::Membership> with_promoted(const raft::Membership& now, const std::string& name);
/// Errors: kMemberNotFound, kWouldLoseQuorum (the last voter).
Result<raft::Membership> without(const raft::Membership& now, const std::string& name);
/// `heir`, a learner, takes over the part of `name`, which leaves.
/// Errors: kMemberNotFound, kMemberExists (the heir is a voter).
Result<raft::Membership> with_heir(const raft::Membership& now, const std::string& name,
                                   const std::string& heir);

}  // namespace holdfast::rpc
