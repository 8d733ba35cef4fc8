#pragma once

#include <kj/async.h>

#include <string>

#include "base/result.h"
#include "client/engine.h"
#include "holdfast/types.h"

/// Who takes part in the cluster, and changes of it. All may be repeated without harm: a change that was made
/// already shows as such. Thread: the I/O thread.
namespace holdfast::sdk {

kj::Promise<Result<client::Membership>> members(Engine& engine);
/// Waits for the new member to catch up and promotes it, until the call's time is over; unless it is to stay
/// a learner.
kj::Promise<Result<client::MemberChange>> add_member(Engine& engine, std::string name, std::string peer,
                                                     client::AddMemberOptions options);
kj::Promise<Result<client::MemberChange>> promote_member(Engine& engine, std::string name);
kj::Promise<Result<client::MemberChange>> remove_member(Engine& engine, std::string name);
/// Adds `heir` as a learner, unless it is one already, waits until it has caught up, and lets it take over.
kj::Promise<Result<client::MemberChange>> replace_member(Engine& engine, std::string name, std::string heir,
                                                         std::string peer);
kj::Promise<Result<client::LeadershipTransfer>> transfer_leadership(Engine& engine, std::string name);

}  // namespace holdfast::sdk
