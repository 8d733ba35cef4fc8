#pragma once

#include <cstdint>
#include <vector>

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

/// A member and the part it has. docs/GLOSSARY.md, membership.
struct Participant {
  raft::Member member;
  schema::Cluster::Part part = schema::Cluster::Part::VOTER;
};

/// Every member once, in order of name.
std::vector<Participant> participants(const raft::Membership& membership);

/// The membership as this node has it; if it leads, with how far each one is.
void write_members(Desk& desk, schema::Cluster::MemberList::Builder out);

}  // namespace holdfast::rpc
