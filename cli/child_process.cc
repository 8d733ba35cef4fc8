#include "cli/child_process.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::cli {

namespace {

/// posix_spawn's two parameter objects, which want to be destroyed.
struct SpawnParameters {
  SpawnParameters() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnParameters() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnParameters(const SpawnParameters&) = delete;
  SpawnParameters& operator=(const SpawnParameters&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

bool is_in_foreground() { return isatty(STDIN_FILENO) != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp(); }

/// The environment with `exports` in the place of what had their names.
std::vector<std::string> environment_with(const ChildProcess::Exports& exports) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [exported, value] : exports) replaced = replaced || exported == name;
    if (!replaced) result.push_back(text);
  }
  for (const auto& [name, value] : exports) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

tl::expected<std::unique_ptr<ChildProcess>, ChildProcess::StartError> ChildProcess::start(
    const std::vector<std::string>& command, const Exports& exports, const sigset_t& mask) {
  std::vector<std::string> words = command;
  std::vector<std::string> environment = environment_with(exports);
  SpawnParameters parameters;
  posix_spawnattr_setflags(&parameters.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&parameters.attributes, 0);
  posix_spawnattr_setsigmask(&parameters.attributes, &mask);
  const bool at_terminal = is_in_foreground();
  if (at_terminal) posix_spawn_file_actions_addtcsetpgrp_np(&parameters.actions, STDIN_FILENO);

  pid_t process = -1;
  const int error = posix_spawnp(&process, words.front().c_str(), &parameters.actions, &parameters.attributes,
                                 pointers(words).data(), pointers(environment).data());
  if (error != 0) {
    if (at_terminal) tcsetpgrp(STDIN_FILENO, getpgrp());
    return tl::unexpected(
        StartError{error == ENOENT ? 127 : 126, "cannot run " + words.front() + ": " + std::strerror(error)});
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(process, at_terminal));
}

ChildProcess::~ChildProcess() {
  if (!ended()) signal_group(SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  take_terminal();
}

std::optional<int> ChildProcess::ended() {
  if (status_) return status_;
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  status_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  return status_;
}

bool ChildProcess::take_stopped() {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(process_), &info, WSTOPPED | WNOHANG) == 0 && info.si_pid != 0;
}

void ChildProcess::signal_group(int signal) {
  kill(-process_, signal);
  if (signal != SIGCONT && signal != SIGKILL) kill(-process_, SIGCONT);
}

void ChildProcess::take_terminal() {
  if (has_terminal_) tcsetpgrp(STDIN_FILENO, getpgrp());
}

void ChildProcess::give_terminal() {
  if (has_terminal_ && is_in_foreground()) tcsetpgrp(STDIN_FILENO, process_);
}

}  // namespace holdfast::cli
