#pragma once

#include <functional>
#include <memory>
#include <string>

#include "holdfast/result.h"
#include "holdfast/types.h"

namespace holdfast::client {

struct RegisterOptions {
  milliseconds ttl = std::chrono::seconds(10);
  /// Runs on the client's executor when the lease was lost, before registering anew under another one.
  std::function<void(const Error&)> on_lost = {};
  bool re_register = true;  ///< after a lost lease
};

/// An instance that is registered as long as this object lives; heartbeats, and registers anew after a lost
/// lease.
class Registration {
 public:
  Registration(Registration&&) noexcept;
  Registration& operator=(Registration&&) noexcept;
  ~Registration();

  const std::string& service() const;
  LeaseId lease() const;  ///< the present one
  /// As Lock::safe_for(), for the present lease.
  milliseconds safe_for() const;
  /// Waits until the lease is lost (only with re_register off), or for at most `limit`. Returns: true if it
  /// is lost.
  bool wait_lost(milliseconds limit) const;
  /// Deregisters and ends the lease.
  Result<void> deregister();

 private:
  friend class Client;
  class Impl;
  explicit Registration(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::client
