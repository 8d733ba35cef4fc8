#include "server/loop.h"

#include <algorithm>

namespace holdfast::server {

void NodeLoop::set_alarm(Instant when) {
  wanted_ = when;
  if (when < armed_) arm(when);
}

void NodeLoop::arm(Instant when) {
  armed_ = when;
  timer_.expires_after(std::max(when - now(), Duration(0)));
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) fired();
  });
}

void NodeLoop::fired() {
  armed_ = kNever;
  if (wanted_ == kNever) return;
  if (wanted_ > now()) return arm(wanted_);
  wanted_ = kNever;
  alarm_();
}

}  // namespace holdfast::server
