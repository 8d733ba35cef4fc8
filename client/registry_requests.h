#pragma once

#include <kj/async.h>

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/engine.h"
#include "holdfast/types.h"
#include "schema/api.capnp.h"

/// The registry's calls. Thread: the I/O thread.
namespace holdfast::sdk {

/// Registering is repeated without harm: the same instance under the same lease.
kj::Promise<Result<void>> register_instance(Engine& engine, std::string service, client::Instance instance,
                                            LeaseId lease, Instant deadline);
/// `lease` zero: whoever registered it; then it is stamped, for a repetition could hit a successor. With a
/// lease, an instance that is gone when an earlier attempt may have removed it counts as removed.
kj::Promise<Result<void>> deregister(Engine& engine, std::string service, std::string id, LeaseId lease,
                                     Instant deadline);
kj::Promise<Result<std::vector<client::ServiceInfo>>> services(Engine& engine);
kj::Promise<Result<std::vector<client::Instance>>> resolve(Engine& engine, std::string service,
                                                           client::ResolveOptions options);

client::Instance read_instance(schema::Registry::Instance::Reader instance);
/// The same question that the service asks of each instance.
bool matches(const client::ResolveOptions& options, const client::Instance& instance);

}  // namespace holdfast::sdk
