#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "raft/types.h"
#include "server/options.h"
#include "storage/identity.h"

/// Who this member is. Ids are digests, so that all members of a cluster work them out alike without asking
/// anybody, and clusters with another token or other founding members have nothing to do with each other.
namespace holdfast::server {

constexpr const char* kDefaultToken = "holdfast";
constexpr const char* kDefaultName = "n1";

/// From the token and the founding members' names and peer addresses, in order of name.
ClusterId cluster_id(const std::string& token, std::vector<raft::Member> founders);

/// At the first boot. Errors: kInvalidArgument if the cluster does not name this member.
Result<storage::Identity> found_identity(const Options& options);

/// Who founded the member's cluster; empty if it came later and was not told.
std::vector<raft::Member> founders_of(const storage::Identity& identity);

/// True if this token is not the cluster's. What is not known is not compared: false without founders.
bool is_other_token(const std::string& token, ClusterId cluster, const std::vector<raft::Member>& founders);

/// At every later boot: the data directory knows who it is. Options that say otherwise are refused; --cluster
/// is not looked at. Errors: kInvalidArgument naming the option.
Result<void> check_identity(const storage::Identity& identity, const Options& options);

}  // namespace holdfast::server
