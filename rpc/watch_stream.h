#pragma once

#include <kj/async.h>

#include <string>
#include <vector>

#include "node/watch_hub.h"
#include "rpc/desk.h"
#include "rpc/watch_outlet.h"
#include "schema/api.capnp.h"

/// A watch on its way to its client. The hub says that there is something; the stream takes a batch when the
/// client has answered the last one and there is room on the connection. One call is in flight at a time, so
/// a slow client slows only itself. The watch ends when the client drops the handle, its connection, or a
/// call; or when the hub ends it.
///
///     idle --ready()--> busy --answered, room again; more to take--> busy --nothing to take--> idle
///                          `------- failed, ended, handle dropped -------> closed
namespace holdfast::rpc {

class WatchStream : public schema::Handle::Server, private net::DirectLine::Listener {
 protected:
  WatchStream(kj::Own<Visitor> visitor, capnp::Capability::Client watcher);
  ~WatchStream() noexcept(false);

  /// Sends by call() what is left, or takes what there is and sends that. Returns: false if there is nothing
  /// now.
  virtual bool next() = 0;
  /// Of what was taken something was not sent yet.
  virtual bool has_left() const = 0;
  void call(net::SharedCall& call) { outlet_.call(call); }
  void start(node::WatchId watch);
  /// No further batch.
  void close();
  node::WatchSink& sink() { return sink_; }
  Desk& desk() { return visitor_->desk; }
  /// That of its connection's watches.
  node::WatchPlace place();
  node::WatchHub& hub() { return desk().node.watches(); }
  /// For the hub's take(): from here on it tells of what comes later.
  node::WatchId taking() {
    news_ = false;
    return watch_;
  }

 private:
  class Sink final : public node::WatchSink {
   public:
    explicit Sink(WatchStream& stream) : stream_(stream) {}
    void ready() override { stream_.ready(); }

   private:
    WatchStream& stream_;
  };

  void ready();
  void pump();
  void answered(kj::Maybe<kj::Exception> failure, capnp::AnyPointer::Reader) override;
  void room() override;

  kj::Own<Visitor> visitor_;
  Sink sink_{*this};
  WatchOutlet outlet_;
  node::WatchId watch_ = 0;
  bool open_ = false;
  bool busy_ = false;  // a call is not answered, or waits for room
  bool news_ = false;  // the hub has told of something that was not taken
  kj::Promise<void> started_ = nullptr;
};

class ConfigWatch final : public WatchStream {
 public:
  /// Errors: kLimitExceeded if the connection has as many watches as it may.
  static Result<schema::Handle::Client> open(kj::Own<Visitor> visitor, config::KeyRange range, Revision from,
                                             schema::Config::Watcher::Client watcher);
  ConfigWatch(kj::Own<Visitor> visitor, config::KeyRange range, Revision from,
              schema::Config::Watcher::Client watcher);

 private:
  bool next() override;
  bool has_left() const override { return !batch_.changes.empty() || batch_.ended; }
  void send_slice();
  void send_end();

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
  bool next() override;
  bool has_left() const override { return sent_of_batch_ < batch_.changes.size(); }
  void send_slice();

  node::RegistryBatch batch_;
  std::size_t sent_of_batch_ = 0;
  bool told_complete_ = false;
};

}  // namespace holdfast::rpc
