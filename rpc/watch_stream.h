#pragma once

#include <kj/async.h>

#include <string>
#include <vector>

#include "node/watch_hub.h"
#include "rpc/desk.h"
#include "schema/api.capnp.h"

/// A watch on its way to its client. The hub says that there is something; the stream takes a batch when the
/// client has answered the last one. One call is in flight at a time, so a slow client slows only itself. The
/// watch ends when the client drops the handle, its connection, or a call; or when the hub ends it.
///
///     idle --ready()--> sending --answered, more to take--> sending --nothing to take--> idle
///                          `------- failed, ended, handle dropped -------> closed
namespace holdfast::rpc {

class WatchStream : public schema::Handle::Server {
 protected:
  explicit WatchStream(kj::Own<Visitor> visitor);
  ~WatchStream() noexcept(false);

  /// Takes what there is and sends it. Returns: null if there is nothing now.
  virtual kj::Maybe<kj::Promise<void>> next() = 0;
  void start(node::WatchId watch);
  /// No further batch.
  void close();
  node::WatchSink& sink() { return sink_; }
  node::WatchHub& hub() { return visitor_->desk.node.watches(); }
  node::WatchId watch() const { return watch_; }

 private:
  class Sink final : public node::WatchSink {
   public:
    explicit Sink(WatchStream& stream) : stream_(stream) {}
    void ready() override { stream_.ready(); }

   private:
    WatchStream& stream_;
  };

  void ready();
  kj::Promise<void> pump();

  kj::Own<Visitor> visitor_;
  Sink sink_{*this};
  node::WatchId watch_ = 0;
  bool open_ = false;
  bool ready_ = false;
  bool sending_ = false;
  kj::Promise<void> sent_ = nullptr;
};

class ConfigWatch final : public WatchStream {
 public:
  /// Errors: kLimitExceeded if the connection has as many watches as it may.
  static Result<schema::Handle::Client> open(kj::Own<Visitor> visitor, config::KeyRange range, Revision from,
                                             schema::Config::Watcher::Client watcher);
  ConfigWatch(kj::Own<Visitor> visitor, config::KeyRange range, Revision from,
              schema::Config::Watcher::Client watcher);

 private:
  kj::Maybe<kj::Promise<void>> next() override;
  kj::Promise<void> send_slice();

  schema::Config::Watcher::Client watcher_;
  node::ConfigBatch batch_;
  std::size_t sent_of_batch_ = 0;
};

class RegistryWatch final : public WatchStream {
 public:
  /// Errors: as ConfigWatch::open.
  static Result<schema::Handle::Client> open(kj::Own<Visitor> visitor, std::string service,
                                             schema::Registry::Watcher::Client watcher);
  RegistryWatch(kj::Own<Visitor> visitor, std::string service, schema::Registry::Watcher::Client watcher);

 private:
  kj::Maybe<kj::Promise<void>> next() override;
  kj::Promise<void> send_slice();

  schema::Registry::Watcher::Client watcher_;
  node::RegistryBatch batch_;
  std::size_t sent_of_batch_ = 0;
  bool told_complete_ = false;
};

}  // namespace holdfast::rpc
