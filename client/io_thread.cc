#include "client/io_thread.h"

#include <future>
#include <utility>

namespace holdfast::sdk {

IoThread::~IoThread() { stop(); }

void IoThread::start(Callback<void(net::EventLoop&)> body) {
  std::promise<void> running;
  auto started = running.get_future();
  thread_ = std::thread([this, body = std::move(body), running = std::move(running)]() mutable {
    net::EventLoop loop;
    {
      std::lock_guard guard(mutex_);
      loop_ = &loop;
      id_ = std::this_thread::get_id();
    }
    running.set_value();
    body(loop);
    std::lock_guard guard(mutex_);
    loop_ = nullptr;
  });
  started.wait();
}

void IoThread::post(Callback<void()> task) {
  std::lock_guard guard(mutex_);
  if (loop_ != nullptr) {
    loop_->post(std::move(task));
  }
}

void IoThread::stop() {
  {
    std::lock_guard guard(mutex_);
    if (loop_ != nullptr) {
      loop_->stop();
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool IoThread::is_current() const {
  std::lock_guard guard(mutex_);
  return loop_ != nullptr && id_ == std::this_thread::get_id();
}

}  // namespace holdfast::sdk
