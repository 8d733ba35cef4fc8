#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/config_watch.h"
#include "client/registry_watch.h"
#include "client/runtime.h"
#include "holdfast/watch.h"

/// What the watches that users hold are made of.
namespace holdfast::client {

class Watch::Impl {
 public:
  Impl(std::shared_ptr<sdk::Runtime> from, std::uint64_t task, std::shared_ptr<sdk::WatchQueue> events,
       std::uint64_t first)
      : runtime(std::move(from)), number(task), queue(std::move(events)), start(first) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const std::shared_ptr<sdk::Runtime> runtime;  // owners: the client and its guards
  const std::uint64_t number;
  const std::shared_ptr<sdk::WatchQueue> queue;  // owners: this guard and its task on the I/O thread
  const std::uint64_t start;
};

class ServiceWatch::Impl {
 public:
  Impl(std::shared_ptr<sdk::Runtime> from, std::uint64_t task, std::shared_ptr<sdk::InstanceQueue> states)
      : runtime(std::move(from)), number(task), queue(std::move(states)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<std::optional<std::vector<Instance>>> next(std::optional<milliseconds> limit);

  const std::shared_ptr<sdk::Runtime> runtime;  // owners: the client and its guards
  const std::uint64_t number;
  const std::shared_ptr<sdk::InstanceQueue> queue;  // owners: this guard and its task on the I/O thread
  std::optional<std::vector<Instance>> last;        ///< what the user was told
};

}  // namespace holdfast::client
