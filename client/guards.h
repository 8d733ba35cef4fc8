#pragma once

#include <memory>

#include "client/lock_claim.h"
#include "client/registration_keeper.h"
#include "client/runtime.h"
#include "holdfast/lock.h"
#include "holdfast/registration.h"

/// What the guards that users hold are made of.
namespace holdfast::client {

class Lock::Impl {
 public:
  Impl(std::shared_ptr<sdk::Runtime> runtime, sdk::HeldLock held);
  /// Releases, and waits for it while the lock is still safe.
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const sdk::HeldLock& held() const { return held_; }
  Result<void> release();

 private:
  const std::shared_ptr<sdk::Runtime> runtime_;  // owners: the client and its guards
  const sdk::HeldLock held_;
  bool released_ = false;  ///< touched by the guard's owner only
};

class Registration::Impl {
 public:
  Impl(std::shared_ptr<sdk::Runtime> runtime, sdk::Registered registered);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const sdk::Registered& registered() const { return registered_; }
  Result<void> deregister();

 private:
  const std::shared_ptr<sdk::Runtime> runtime_;  // owners: the client and its guards
  const sdk::Registered registered_;
  bool over_ = false;  ///< touched by the guard's owner only
};

}  // namespace holdfast::client
