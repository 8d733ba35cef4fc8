#pragma once

#include <kj/async.h>

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/engine.h"
#include "holdfast/types.h"

/// What a user asks of leases, locks and the cluster. Thread: the I/O thread.
namespace holdfast::sdk {

kj::Promise<Result<std::vector<milliseconds>>> keep_alive(Engine& engine,
                                                          std::vector<client::LeaseId> leases);
kj::Promise<Result<client::LeaseInfo>> show_lease(Engine& engine, LeaseId lease);
kj::Promise<Result<std::vector<client::LeaseInfo>>> list_leases(Engine& engine);
kj::Promise<Result<std::vector<client::LockInfo>>> show_locks(Engine& engine, std::string name);
/// Any member answers, also without a quorum.
kj::Promise<Result<client::ClusterStatus>> status(Engine& engine);
kj::Promise<Result<std::string>> who_am_i(Engine& engine);

}  // namespace holdfast::sdk
