#pragma once

#include <kj/async.h>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "schema/api.capnp.h"

/// The service as the SDK's tests need it: one state behind any number of members, no replication, no time.
/// Leases end when the test says so. Touched on the service's thread only.
namespace holdfast::fake {

struct Entry {
  std::string key;
  std::string value;
  std::uint64_t create_revision = 0;
  std::uint64_t mod_revision = 0;
  std::uint64_t version = 0;
  bool deleted = false;
};

struct Stamped {
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
  std::uint64_t acknowledged_below = 0;
};

struct Claim {
  std::uint64_t lease = 0;
  std::uint64_t attempt = 0;
  std::uint64_t token = 0;  ///< zero: waits
  std::string owner;
  /// Calls that wait for the grant; zero: the claim is gone.
  std::vector<kj::Own<kj::PromiseFulfiller<std::uint64_t>>> calls;
};

struct InstanceRow {
  std::string address;
  std::vector<std::string> tags;
  std::uint64_t lease = 0;
};

class World {
 public:
  std::uint64_t revision = 1;
  std::uint64_t next_index = 100;
  std::uint64_t next_token = 0;
  std::uint64_t compacted_below = 0;
  std::map<std::string, Entry> entries;
  std::vector<Entry> history;
  std::map<std::uint64_t, std::uint64_t> leases;  ///< to TTL in ms
  std::map<std::string, std::deque<Claim>> locks;
  std::map<std::string, std::map<std::string, InstanceRow>> services;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> outcomes;  ///< (session, sequence)
  std::vector<Stamped> stamps;  ///< of every write that came, also when it was answered from outcomes
  std::uint64_t executed = 0;   ///< writes that really ran
  std::uint64_t fed = 0;        ///< changes sent to watchers

  /// Runs a write at most once. Returns: its revision.
  template <typename F>
  Result<std::uint64_t> once(schema::Call::Reader call, F run) {
    stamps.push_back({call.getSession(), call.getSequence(), call.getAcknowledgedBelow()});
    if (call.getSession() == 0) {
      ++executed;
      return run();
    }
    if (!leases.contains(call.getSession())) {
      return fail(Errc::kLeaseNotFound, "no such session");
    }
    auto key = std::make_pair(call.getSession(), call.getSequence());
    if (auto found = outcomes.find(key); found != outcomes.end()) {
      return found->second;
    }
    ++executed;
    Result<std::uint64_t> result = run();
    if (result) {
      outcomes[key] = *result;
    }
    return result;
  }

  Result<std::uint64_t> put(const std::string& key, const std::string& value,
                            std::optional<std::uint64_t> expected);
  std::uint64_t remove(const std::string& begin, const std::string& end, std::uint64_t& count);
  std::uint64_t grant(std::uint64_t ttl_ms) {
    leases[++next_index] = ttl_ms;
    return next_index;
  }
  /// Everything attached goes with it. Returns: false if there is none.
  bool end_lease(std::uint64_t lease);
  void drop_claim(const std::string& lock, std::uint64_t lease, std::uint64_t token);
  void grant_first(std::deque<Claim>& claims);

  /// Done at the next change of the configuration or the registry.
  kj::Promise<void> changed();
  void tell();

 private:
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> listeners_;
};

}  // namespace holdfast::fake
