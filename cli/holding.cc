#include "cli/holding.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

namespace holdfast::cli {

namespace {

using Clock = std::chrono::steady_clock;

// How long before the lease may be over COMMAND is asked to end, and how long before that it is killed. A
// renewal comes every third of the TTL, so the first is reached only when renewals have been failing.
milliseconds terminate_lead(milliseconds ttl) {
  return std::min<milliseconds>(ttl / 4, std::chrono::seconds(5));
}
milliseconds kill_lead(milliseconds ttl) { return std::min<milliseconds>(ttl / 20, milliseconds(500)); }
/// What COMMAND gets to end in when the lock is already lost.
constexpr milliseconds kGraceAfterLoss{200};
/// A wait is never longer, so that a clock that jumped (a suspended machine) is noticed.
constexpr milliseconds kLongestWait{1000};

/// Waits until one of the descriptors (-1: none) is readable or `limit` has passed. Returns: which are.
template <std::size_t count>
std::array<bool, count> wait_readable(const std::array<int, count>& descriptors, milliseconds limit) {
  std::array<pollfd, count> waited{};
  for (std::size_t index = 0; index < count; ++index) waited[index] = {descriptors[index], POLLIN, 0};
  const milliseconds bounded = std::clamp(limit, milliseconds(0), kLongestWait);
  std::array<bool, count> readable{};
  if (poll(waited.data(), waited.size(), static_cast<int>(bounded.count())) <= 0) return readable;
  for (std::size_t index = 0; index < count; ++index) readable[index] = waited[index].revents != 0;
  return readable;
}

/// Reads what there is and throws it away.
enum class Input { kOpen, kEnded, kNotOurs };
Input drain_input() {
  std::array<char, 4096> ignored;
  const ssize_t size = read(STDIN_FILENO, ignored.data(), ignored.size());
  if (size > 0) return Input::kOpen;
  if (size == 0) return Input::kEnded;
  if (errno == EAGAIN || errno == EINTR) return Input::kOpen;
  // A terminal does not let a background process read: its input is meant for somebody else.
  return errno == EIO ? Input::kNotOurs : Input::kEnded;
}

bool is_lost(const Held& held, milliseconds lead) {
  return held.loss.is_notified() || held.safe_for() <= lead;
}

/// Ctrl-Z at a terminal stopped COMMAND: stop as well, so that the shell gets its prompt, and continue
/// together. Continued too late, it stays stopped: it would act on what it no longer holds.
void stop_with(ChildProcess& command, const Held& held) {
  if (!command.take_stopped() || !command.has_terminal()) return;
  command.take_terminal();
  raise(SIGSTOP);
  if (is_lost(held, terminate_lead(held.ttl))) return;
  command.give_terminal();
  command.signal_group(SIGCONT);
}

/// Ends the group: SIGTERM, then SIGKILL before the lease could be over.
void end_group(const Held& held, Signals& signals, ChildProcess& command) {
  const milliseconds left = held.loss.is_notified() ? milliseconds(0) : held.safe_for();
  const milliseconds grace = left > kill_lead(held.ttl) ? left - kill_lead(held.ttl) : kGraceAfterLoss;
  const Clock::time_point deadline = Clock::now() + grace;
  command.signal_group(SIGTERM);
  while (!command.ended() && Clock::now() < deadline) {
    const auto rest = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    wait_readable(std::array{signals.child_descriptor()}, rest);
    signals.take_child();
  }
  command.signal_group(SIGKILL);  // also to those of the group that outlived their parent
  while (!command.ended()) {
    wait_readable(std::array{signals.child_descriptor()}, kLongestWait);
    signals.take_child();
  }
}

}  // namespace

Loss::Loss() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Loss::~Loss() { close(descriptor_); }

void Loss::notify() {
  notified_ = true;
  const std::uint64_t one = 1;
  // It can only fail when it is set already.
  [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof one);
}

void hold_until_stopped(Signals& signals) {
  while (!signals.take_stop()) wait_readable(std::array{signals.stop_descriptor()}, kLongestWait);
}

HoldEnd hold(const Held& held, Signals& signals) {
  int input = STDIN_FILENO;
  while (true) {
    if (is_lost(held, milliseconds(0))) return HoldEnd::kLost;
    const auto readable =
        wait_readable(std::array{signals.stop_descriptor(), held.loss.descriptor(), input}, held.safe_for());
    if (is_lost(held, milliseconds(0))) return HoldEnd::kLost;
    if (readable[0] && signals.take_stop()) return HoldEnd::kStopped;
    if (!readable[2]) continue;
    const Input state = drain_input();
    if (state == Input::kEnded) return HoldEnd::kInputEnded;
    if (state == Input::kNotOurs) input = -1;
  }
}

HoldEnd hold_for_command(const Held& held, Signals& signals, ChildProcess& command) {
  const milliseconds lead = terminate_lead(held.ttl);
  while (true) {
    signals.take_child();
    const bool ended = command.ended().has_value();
    if (is_lost(held, ended ? milliseconds(0) : lead)) {
      end_group(held, signals, command);
      return HoldEnd::kLost;
    }
    if (ended) return HoldEnd::kCommandEnded;
    stop_with(command, held);
    wait_readable(std::array{signals.stop_descriptor(), signals.child_descriptor(), held.loss.descriptor()},
                  held.safe_for() - lead + milliseconds(1));
    while (const auto signal = signals.take_stop()) command.signal_group(*signal);
  }
}

}  // namespace holdfast::cli
