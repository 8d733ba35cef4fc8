#include "net/alarm.h"

#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

namespace holdfast::net {

class Alarm::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(asio::io_context& io) : timer_(io) {}

  void set(Instant when, Callback<void()> due) {
    due_ = std::move(due);
    const std::uint64_t setting = ++settings_;
    timer_.expires_at(std::chrono::steady_clock::time_point(when.time_since_epoch()));
    timer_.async_wait([self = shared_from_this(), setting](asio::error_code error) {
      // A handler that was already queued when the alarm was set anew still comes, and without an error.
      if (!error && setting == self->settings_) {
        if (auto now_due = std::exchange(self->due_, {})) {
          now_due();
        }
      }
    });
  }

  void cancel() {
    ++settings_;
    due_ = {};
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  Callback<void()> due_;
  std::uint64_t settings_ = 0;
};

Alarm::Alarm(EventLoop& loop) : loop_(loop), state_(std::make_shared<State>(loop.io())) {}
Alarm::~Alarm() { state_->cancel(); }

void Alarm::set(Instant when, Callback<void()> due) { state_->set(when, std::move(due)); }
void Alarm::set_after(Duration delay, Callback<void()> due) {
  state_->set(loop_.now() + delay, std::move(due));
}
void Alarm::cancel() { state_->cancel(); }

}  // namespace holdfast::net
