#include "server/log_runner.h"

#include <utility>

namespace holdfast::server {

void LogRunner::wake() {
  if (std::this_thread::get_id() != loop_thread_) return shared_->thread.wake();
  if (std::exchange(shared_->wake_due, true)) return;
  loop_.at_end_of_turn([shared = shared_] {
    shared->wake_due = false;
    shared->thread.wake();
  });
}

void LogRunner::stop() {
  shared_->thread.wake();  // the loop may have no further turn
  shared_->thread.stop();
}

}  // namespace holdfast::server
