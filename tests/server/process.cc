#include "tests/server/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

namespace holdfast::test {

namespace {
constexpr int kTurns = 200;
constexpr milliseconds kTurn{50};
}  // namespace

Process::Process(std::vector<std::string> arguments) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  arguments.insert(arguments.begin(), HOLDFASTD);
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    execv(raw[0], raw.data());
    _exit(127);
  }
  close(ends[1]);
  pipe_ = ends[0];
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(pipe_);
}

bool Process::read_some(milliseconds limit) {
  pollfd waiting{pipe_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return true;
  std::array<char, 4096> buffer{};
  const ssize_t count = read(pipe_, buffer.data(), buffer.size());
  if (count <= 0) return false;
  output_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

bool Process::wait_for(const std::string& text) {
  for (int turn = 0; turn < kTurns; ++turn) {
    if (output_.find(text) != std::string::npos) return true;
    if (!read_some(kTurn)) break;
  }
  return output_.find(text) != std::string::npos;
}

void Process::signal(int number) { kill(pid_, number); }

int Process::wait() {
  bool open = true;
  for (int turn = 0; turn < kTurns && open; ++turn) open = read_some(kTurn);
  if (open) return -1;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace holdfast::test
