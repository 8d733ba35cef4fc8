#pragma once

#include <kj/async.h>

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "client/event_queue.h"
#include "client/session/watch_position.h"
#include "client/subscription.h"
#include "client/wire.h"
#include "holdfast/watch.h"

namespace holdfast::sdk {

using WatchQueue = EventQueue<client::WatchEvent>;

/// A watch of the configuration: every change once and in order, whichever members serve it. A user who does
/// not read leaves the service's call unreturned, and it sends no more. Thread: the I/O thread.
class ConfigWatch final : public Subscription {
 public:
  ConfigWatch(Engine& engine, std::uint64_t number, std::string key, client::WatchOptions options,
              std::shared_ptr<WatchQueue> queue);
  ~ConfigWatch() noexcept(false) override;

  /// The first revision it covers. Requires: begin() is done.
  Revision start() const { return start_; }
  /// The user has read: the member may go on.
  void on_room();

 private:
  class Receiver;
  /// What ties a receiver that a member holds to this watch; cut when another member takes over.
  struct Tie {
    ConfigWatch* watch = nullptr;
  };

  kj::Promise<Result<schema::Handle::Client>> subscribe(const Attempt& attempt) override;
  void unsubscribed() override;
  void finish(Error error) override;
  kj::Promise<void> receive(schema::Config::Watcher::ChangesParams::Reader params);

  const KeyRange range_;
  const std::shared_ptr<WatchQueue> queue_;  // owners: this watch and the one the user holds
  Revision start_;
  session::WatchPosition position_;
  std::shared_ptr<Tie> tie_;  // owners: this watch and its receiver
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> waiting_;
};

}  // namespace holdfast::sdk
