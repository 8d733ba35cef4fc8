#pragma once

#include <kj/array.h>
#include <kj/async.h>

#include <string>

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

/// What a member says of itself, or, not healthy, what is known of one that said nothing.
struct MemberStatus {
  MemberId id;
  std::string name;
  std::string endpoint;
  schema::Cluster::Role role = schema::Cluster::Role::UNKNOWN;
  Term term;
  Index commit;
  Index applied;
  bool healthy = false;
  std::string leader;  ///< a name; empty: it knows none
  ClusterId cluster;
};

MemberStatus own_status(Desk& desk);
void write_status(const MemberStatus& status, schema::Cluster::MemberStatus::Builder out);

/// Asks all other members at once. Needs no quorum. Returns: every member, in order of name.
kj::Promise<kj::Array<MemberStatus>> ask_every_member(Desk& desk, Duration within);

/// The leader that the answering member with the highest term knows; empty: none does.
std::string leader_among(const kj::Array<MemberStatus>& members);

}  // namespace holdfast::rpc
