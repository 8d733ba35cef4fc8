#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"

/// What a member is called, and the number that follows from it.
namespace holdfast {

/// Errors: kInvalidArgument, saying what a member's name may be.
Result<void> check_member_name(const std::string& name);

/// A digest, so that all members of a cluster work it out alike without asking anybody.
MemberId member_id(ClusterId cluster, const std::string& name);

}  // namespace holdfast
