#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/result.h"
#include "holdfast/types.h"

namespace holdfast::client {

/// Changes of a key or prefix: each once, in order, over reconnects to other members.
///
///     while (auto event = watch.next()) { ... }
class Watch {
 public:
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  /// The first revision this watch covers.
  std::uint64_t start_revision() const;
  /// Waits for the next event. Errors: kCompacted; kCancelled after cancel(); what it cannot recover from.
  Result<WatchEvent> next();
  /// Waits for at most `limit`; nullopt if nothing came.
  Result<std::optional<WatchEvent>> next(milliseconds limit);
  /// Ends a waiting next(). Thread: any.
  void cancel();

 private:
  friend class Client;
  class Impl;
  explicit Watch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The instances of one service, as they are and as they change.
class ServiceWatch {
 public:
  ServiceWatch(ServiceWatch&&) noexcept;
  ServiceWatch& operator=(ServiceWatch&&) noexcept;
  ~ServiceWatch();

  /// Waits until the matching instances differ from what the last call returned; the first call returns them
  /// as they are. Several changes may come as one.
  Result<std::vector<Instance>> next();
  Result<std::optional<std::vector<Instance>>> next(milliseconds limit);
  void cancel();

 private:
  friend class Client;
  class Impl;
  explicit ServiceWatch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::client
