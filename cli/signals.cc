#include "cli/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

namespace holdfast::cli {

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::optional<int> take(int descriptor) {
  signalfd_siginfo taken{};
  if (read(descriptor, &taken, sizeof taken) != sizeof taken) return std::nullopt;
  return static_cast<int>(taken.ssi_signo);
}

}  // namespace

Signals::Signals() {
  sigset_t stop = set_of({SIGINT, SIGTERM, SIGQUIT});
  if (!is_ignored(SIGHUP)) sigaddset(&stop, SIGHUP);  // nohup means it
  const sigset_t child = set_of({SIGCHLD});
  // A background process may take the terminal back (SIGTTOU) and must not be stopped by reading it
  // (SIGTTIN).
  sigset_t blocked = set_of({SIGCHLD, SIGTTIN, SIGTTOU});
  sigorset(&blocked, &blocked, &stop);
  pthread_sigmask(SIG_BLOCK, &blocked, &original_);
  stop_ = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
  child_ = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
}

Signals::~Signals() {
  // What was seen but not taken has done its work; unblocked, it would end the process.
  while (take_stop()) {
  }
  take_child();
  close(stop_);
  close(child_);
  pthread_sigmask(SIG_SETMASK, &original_, nullptr);
}

bool Signals::is_stop_asked() const {
  pollfd waited{stop_, POLLIN, 0};
  return poll(&waited, 1, 0) > 0;
}

std::optional<int> Signals::take_stop() { return take(stop_); }

void Signals::take_child() {
  while (take(child_)) {
  }
}

}  // namespace holdfast::cli
