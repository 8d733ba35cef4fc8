#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "base/result.h"
#include "rpc/errors.h"
#include "rpc/texts.h"
#include "tests/rpc/cluster.h"

/// What a failed check prints.
template <>
struct Catch::StringMaker<holdfast::Result<void>> {
  static std::string convert(const holdfast::Result<void>& result) {
    if (result) return "done";
    return std::string(holdfast::name_of(result.error().code)) + ": " + result.error().message;
  }
};

/// The calls that the tests make again and again.
namespace holdfast::test {

using rpc::as_data;
using rpc::as_text;

/// The outcome's value, as the results that own it; or its error.
template <typename Results>
Result<void> error_of(const Results& results) {
  auto outcome = results.getOutcome();
  if (outcome.isError()) return fail(rpc::read_error(outcome.getError()));
  return {};
}

inline auto put_request(schema::Config::Client config, const std::string& key, const std::string& value) {
  auto request = config.putRequest();
  request.initPut().setKey(as_data(key));
  request.getPut().setValue(as_data(value));
  return request;
}

/// Returns: the revision.
inline std::uint64_t put(Cluster& cluster, schema::Config::Client config, const std::string& key,
                         const std::string& value) {
  auto results = cluster.call(put_request(config, key, value));
  REQUIRE(error_of(results));
  return results.getOutcome().getOk().getRevision();
}

inline auto get_request(schema::Config::Client config, const std::string& begin, const std::string& end) {
  auto request = config.getRequest();
  request.initGet().initRange().setBegin(as_data(begin));
  request.getGet().getRange().setEnd(as_data(end));
  return request;
}

inline LeaseId grant(Cluster& cluster, schema::Leases::Client leases, milliseconds ttl) {
  auto request = leases.grantRequest();
  request.setTtlMs(static_cast<std::uint64_t>(ttl.count()));
  auto results = cluster.call(request);
  REQUIRE(error_of(results));
  return LeaseId(results.getOutcome().getOk().getLease());
}

inline auto acquire_request(schema::Locks::Client locks, const std::string& lock, LeaseId lease, bool queue,
                            std::uint64_t attempt = 1) {
  auto request = locks.acquireRequest();
  auto acquire = request.initAcquire();
  acquire.setLock(as_text(lock));
  acquire.setLease(lease.value());
  acquire.setQueue(queue);
  acquire.setAttempt(attempt);
  return request;
}

}  // namespace holdfast::test
