#include "tests/sim/program/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>

namespace holdfast::sim {

namespace {

constexpr std::size_t kMostTold = 3072;  // with its job less than PIPE_BUF: it arrives in one piece
constexpr unsigned kMostProcesses = 64;

/// Seen by all processes.
struct Shared {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> current[kMostProcesses];  // job + 1; zero: none
};

Shared* share() {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("holdfast-sim: mmap");
    std::exit(1);
  }
  return new (memory) Shared;
}

void work_off(const Jobs& jobs, Shared& shared, unsigned slot, int out) {
  while (!jobs.time_is_over()) {
    std::uint64_t job = shared.next++;
    if (job >= jobs.count) break;
    shared.current[slot] = job + 1;
    std::string told = jobs.work(job);
    if (told.size() > kMostTold) told.resize(kMostTold);
    for (char& each : told) each = each == '\n' ? ' ' : each;
    std::string line = std::to_string(job) + " " + told + "\n";
    while (write(out, line.data(), line.size()) < 0 && errno == EINTR) {
    }
    shared.current[slot] = 0;
  }
}

}  // namespace

void Jobs::run() {
  processes = std::min(std::max(processes, 1U), kMostProcesses);
  Shared& shared = *share();
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("holdfast-sim: pipe");
    std::exit(1);
  }
  std::map<pid_t, unsigned> alive;
  auto start = [&](unsigned slot) {
    std::fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      work_off(*this, shared, slot, ends[1]);
      std::_Exit(0);
    }
    if (child > 0) alive.emplace(child, slot);
  };
  for (unsigned slot = 0; slot < processes; ++slot) start(slot);

  std::string received;
  auto tell = [&] {
    for (std::size_t end; (end = received.find('\n')) != std::string::npos; received.erase(0, end + 1)) {
      std::size_t space = received.find(' ');
      done(std::strtoull(received.c_str(), nullptr, 10), received.substr(space + 1, end - space - 1));
    }
  };
  auto bury = [&] {
    int status = 0;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
      unsigned slot = alive.at(child);
      alive.erase(child);
      std::uint64_t job = shared.current[slot].exchange(0);
      if (job == 0) continue;
      died(job - 1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
      start(slot);
    }
  };
  // The parent keeps its own writing end: that all children are gone is seen by their ends, not by the
  // pipe's.
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  while (!alive.empty()) {
    char buffer[4096];
    pollfd input{ends[0], POLLIN, 0};
    poll(&input, 1, 50);
    bury();  // before reading: what it wrote before it ended is there
    for (ssize_t size; (size = read(ends[0], buffer, sizeof(buffer))) > 0;) {
      received.append(buffer, static_cast<std::size_t>(size));
    }
    tell();
  }
  close(ends[0]);
  close(ends[1]);
  munmap(&shared, sizeof(Shared));
}

}  // namespace holdfast::sim
