#pragma once

#include <kj/async.h>

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/callback.h"
#include "client/engine.h"
#include "client/errors.h"
#include "client/io_thread.h"
#include "holdfast/client.h"

namespace holdfast::sdk {

/// The bridge between the user's threads and the I/O thread. Owned by the client and by every guard that came
/// from it, so that a guard which outlives its client finds a closed door instead of nothing. Thread: any.
class Runtime {
 public:
  explicit Runtime(client::Options options);
  /// close().
  ~Runtime();

  /// Runs `start` on the I/O thread and waits for what it promises. `if_cut_short` is what the caller is told
  /// if the client is closed meanwhile: kUnknown for what writes.
  template <typename T>
  client::Result<T> run(Callback<kj::Promise<Result<T>>(Engine&)> start,
                        Errc if_cut_short = Errc::kCancelled) {
    if (auto refused = begin()) {
      return tl::unexpected(std::move(*refused));
    }
    return finish(launch<T>(std::move(start)), if_cut_short);
  }
  /// Waits for what launch() began.
  template <typename T>
  client::Result<T> finish(std::future<Result<T>> future, Errc if_cut_short) {
    try {
      return to_public(future.get());
    } catch (const std::future_error&) {
      return tl::unexpected(cut_short(if_cut_short));  // the task was dropped with the thread
    }
  }
  /// As run(), without waiting for it. Requires: begin() was called.
  template <typename T>
  std::future<Result<T>> launch(Callback<kj::Promise<Result<T>>(Engine&)> start) {
    auto answer = std::make_shared<std::promise<Result<T>>>();  // owners: whichever branch of the task runs
    auto future = answer->get_future();
    post([start = std::move(start), answer = std::move(answer)](Engine& engine) mutable {
      auto task = kj::evalNow([&]() { return start(engine); });
      engine.spawn(task.then([answer](Result<T> result) { answer->set_value(std::move(result)); },
                             [answer](kj::Exception&& exception) {
                               answer->set_value(fail(Errc::kCorrupt, exception.getDescription().cStr()));
                             }));
    });
    return future;
  }
  /// Runs `task` on the I/O thread; drops it if the client is closed.
  void post(Callback<void(Engine&)> task);

  /// Makes sure that the I/O thread runs. Returns: why nothing can be asked.
  std::optional<client::Error> begin();
  client::Error cut_short(Errc code) const;
  template <typename T>
  static client::Result<T> to_public(Result<T> result) {
    if (!result) {
      return tl::unexpected(sdk::to_public(std::move(result.error())));
    }
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*result);
    }
  }

  const client::Options& options() const { return options_; }
  bool on_io_thread() const { return thread_.is_current(); }
  /// Gives up all that waits, ends the leases, and stops the thread. Thread: any but the I/O thread.
  void close();

 private:
  std::optional<client::Error> start();

  const client::Options options_;
  std::once_flag started_;
  std::optional<client::Error> refused_;  ///< constant once started_ is done
  std::once_flag closed_;
  Engine* engine_ = nullptr;  ///< touched on the I/O thread only
  IoThread thread_;
};

}  // namespace holdfast::sdk
