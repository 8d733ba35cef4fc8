#include "tests/chaos/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace holdfast::chaos {

namespace {

/// The child's way to the program. Only what is safe after a fork of a process with threads.
[[noreturn]] void become(char* const* words, int log, int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  const int empty = open("/dev/null", O_RDONLY);
  if (empty >= 0) dup2(empty, STDIN_FILENO);
  // A socket of the proxy that lives on in a server is never closed for its peer.
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  execv(words[0], words);
  _exit(127);
}

}  // namespace

Process::~Process() { kill(); }

Result<void> Process::start(const std::vector<std::string>& words, const std::string& log_file) {
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return fail(Errc::kStorage, "cannot write " + log_file + ": " + std::strerror(errno));
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int parent = getpid();
  const int child = fork();
  if (child == 0) become(arguments.data(), log, parent);
  close(log);
  if (child < 0) return fail(Errc::kStorage, std::string("cannot fork: ") + std::strerror(errno));
  pid_ = child;
  handle_ = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (handle_ >= 0) return {};
  kill();
  return fail(Errc::kStorage, std::string("cannot open the process: ") + std::strerror(errno));
}

void Process::send(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Process::wait_end(milliseconds limit) {
  if (pid_ == 0) return true;
  pollfd wanted{handle_, POLLIN, 0};
  if (handle_ >= 0 && poll(&wanted, 1, static_cast<int>(limit.count())) <= 0) return false;
  reap();
  return true;
}

void Process::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void Process::reap() {
  int state = 0;
  while (waitpid(pid_, &state, 0) < 0 && errno == EINTR) {
  }
  status_ = WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
  if (handle_ >= 0) close(handle_);
  handle_ = -1;
  pid_ = 0;
}

}  // namespace holdfast::chaos
