#pragma once

#include <string>
#include <vector>

#include "raft/core.h"

/// How a transcript says what a core does. Entries are written term/index.
namespace holdfast::raft::scenarios {

std::string describe(MemberId id);
std::string describe(Role role);
std::string describe(const Membership& membership);
std::string describe(const Entry& entry);
std::string describe(const std::vector<Entry>& entries);
std::string describe(const Message& message);
std::string describe(const FollowerStatus& follower);
std::string describe(const Status& status);

}  // namespace holdfast::raft::scenarios
