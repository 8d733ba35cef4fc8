#pragma once

#include <kj/async.h>

#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "client/engine.h"
#include "client/lease_state.h"
#include "holdfast/registration.h"

namespace holdfast::sdk {

struct Registered {
  std::uint64_t number = 0;  ///< of the keeper's task
  std::string service;
  std::shared_ptr<LeaseState> lease;  // owners: the keeper and the guard that the user holds
};

/// Keeps one instance registered: under a lease of its own, and under another one whenever that was lost.
/// Thread: the I/O thread.
class RegistrationKeeper final : public Task {
 public:
  RegistrationKeeper(Engine& engine, std::uint64_t number, std::string service, client::Instance instance,
                     client::RegisterOptions options);

  /// After an error the keeper discards itself.
  kj::Promise<Result<Registered>> begin();
  /// Deregisters, ends the lease, and discards the keeper.
  kj::Promise<Result<void>> end();

  void close() override;

 private:
  kj::Promise<Result<void>> register_once();
  kj::Promise<void> register_anew();
  void lease_lost(Error why);
  void revoke_later();

  Engine& engine_;
  const std::uint64_t number_;
  const std::string service_;
  const client::Instance instance_;
  const client::RegisterOptions options_;

  enum class State { kBeginning, kRegistered, kRenewing, kOver };
  State state_ = State::kBeginning;
  LeaseId lease_;
  std::shared_ptr<LeaseState> lease_state_;  // owners: see Registered
  kj::Promise<void> renewing_;
};

}  // namespace holdfast::sdk
