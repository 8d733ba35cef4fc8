#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/workload.h"

namespace holdfast::chaos {

/// Reads keys from one member and never from another one, over the API itself, with several calls in flight:
/// what a client of the SDK, which follows the leader, would not do. A call may wait in a stopped member's
/// socket and be answered long after the cluster went on without it. `job.endpoints`: of that member.
/// `serializable`: from whatever that member knows, which may be old.
void read_directly(const Job& job, std::size_t keys, bool serializable);

/// Everything that one member has, as records of kFinal (one without a key first), from its own state without
/// asking the others: once that state has reached `revision`. Errors: kUnavailable if it does not within
/// `limit`.
Result<std::vector<Record>> read_state(const std::string& endpoint, std::uint32_t client,
                                       std::uint64_t revision, milliseconds limit);

/// A connection to one member that stays there, for questions one by one. It has a loop of its own: one
/// thread.
class DirectClient {
 public:
  /// Errors of the calls: kUnavailable: no answer in time, a broken connection, or an answer that refuses.
  explicit DirectClient(std::string endpoint);
  ~DirectClient();

  /// A linearizable read, as a record. `while_asked` runs when the question is in the member's socket.
  Result<Record> get(const std::string& key, milliseconds limit,
                     const std::function<void()>& while_asked = {});
  /// One keepalive. Returns: the lease's TTL; zero: it has ended.
  Result<milliseconds> keep_alive(std::uint64_t lease, milliseconds limit,
                                  const std::function<void()>& while_asked = {});

 private:
  class State;
  const std::string endpoint_;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::chaos
