#pragma once

#include <kj/async.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "client/link.h"
#include "client/session/endpoints.h"
#include "net/event_loop.h"

namespace holdfast::sdk {

/// The way to the service: one link at a time to the member that is thought best, made when it is needed and
/// replaced when it fails. A link that was replaced lives on while calls wait on it. Thread: the I/O thread.
class Channel final : private kj::TaskSet::ErrorHandler {
 public:
  Channel(net::EventLoop& loop, session::Endpoints endpoints, milliseconds connect_timeout);

  /// Errors: kUnavailable, naming every endpoint and what happened to it.
  kj::Promise<Result<kj::Own<Link>>> link(Instant deadline);
  /// The member did not serve well: further calls go elsewhere, at least for a while.
  void leave(const Link& link, std::string why);
  /// There is another member to try.
  bool has_choice() const { return endpoints_.size() > 1; }
  std::string describe() const { return endpoints_.describe(); }

  void learn(std::string_view address) { endpoints_.learn(address); }
  /// Makes a link to that member and then goes over to it. Returns: false if it could not be reached.
  kj::Promise<bool> move_to(std::string address);

 private:
  kj::Promise<void> connect();
  kj::Promise<bool> try_address(std::string address);
  void adopt(kj::Own<Link> link);
  void retire();
  void prune_later();
  void taskFailed(kj::Exception&&) override {}

  net::EventLoop& loop_;
  const milliseconds connect_timeout_;
  session::Endpoints endpoints_;

  kj::Own<Link> current_;  ///< null: none
  std::vector<kj::Own<Link>> retired_;
  bool connecting_ = false;
  kj::ForkedPromise<void> connected_ = nullptr;
  kj::TaskSet tasks_;
};

}  // namespace holdfast::sdk
