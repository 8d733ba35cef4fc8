#pragma once

#include <vector>

#include "base/ids.h"
#include "raft/types.h"
#include "storage/sqlite.h"

/// Table `founders` of the log database: who founded a cluster that this member came into later. It is made
/// when it is first needed: founders have none, nor have directories of versions that did not ask.
namespace holdfast::storage {

/// Returns: names and addresses, in their order; empty if they are not known. Throws: StorageFailure if they
/// do not match their checksums.
std::vector<raft::Member> read_founders(Connection& connection, ClusterId cluster);
/// Requires: a transaction, and no founders yet.
void write_founders(Connection& connection, ClusterId cluster, const std::vector<raft::Member>& founders);

}  // namespace holdfast::storage
