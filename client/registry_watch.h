#pragma once

#include <kj/async.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/event_queue.h"
#include "client/subscription.h"
#include "holdfast/watch.h"

namespace holdfast::sdk {

using InstanceQueue = EventQueue<std::vector<client::Instance>>;

/// The instances of one service as they are: a member that takes over sends them all anew, and what was
/// removed meanwhile is missing among them. Thread: the I/O thread.
class RegistryWatch final : public Subscription {
 public:
  RegistryWatch(Engine& engine, std::uint64_t number, std::string service, client::ResolveOptions options,
                std::shared_ptr<InstanceQueue> queue);
  ~RegistryWatch() noexcept(false) override;

 private:
  class Receiver;
  /// What ties a receiver that a member holds to this watch; cut when another member takes over.
  struct Tie {
    RegistryWatch* watch = nullptr;
  };

  kj::Promise<Result<schema::Handle::Client>> subscribe(const Attempt& attempt) override;
  void unsubscribed() override;
  void finish(Error error) override;
  void receive(schema::Registry::Watcher::ChangesParams::Reader params);

  const std::string service_;
  const client::ResolveOptions options_;
  const std::shared_ptr<InstanceQueue> queue_;  // owners: this watch and the one the user holds
  std::map<std::string, client::Instance> instances_;
  std::shared_ptr<Tie> tie_;  // owners: this watch and its receiver
};

}  // namespace holdfast::sdk
