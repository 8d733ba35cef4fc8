#include "bench/outage.h"

#include <signal.h>

#include <cerrno>
#include <cstring>

namespace holdfast::bench {

Outage::Outage(const Load& load, Instant now)
    : pid_(load.kill_pid), signal_(load.kill_signal), call_timeout_(load.call_timeout) {
  all_.last = now;
  clients_.resize(load.in_flight, all_);
}

Outage::~Outage() {
  if (struck_ && signal_ == SIGSTOP) ::kill(pid_, SIGCONT);
}

void Outage::strike() {
  struck_ = ::kill(pid_, signal_) == 0;
  if (!struck_) error_ = errno;
}

std::string Outage::not_measured() const {
  if (pid_ == 0 || struck_) return {};
  const std::string process = "the process " + std::to_string(pid_);
  if (error_ != 0) return process + " cannot be signalled: " + std::strerror(error_);
  return "the run was over before " + process + " was to be signalled; see --kill-after";
}

void Outage::acknowledged(std::size_t client, Instant now, bool sent_after) {
  recovered_ = recovered_ || sent_after;
  all_.acknowledged(now, struck_);
  clients_[client].acknowledged(now, struck_);
}

void Outage::report(Instant now, Figures& figures) {
  const auto add = [&figures](const char* name, Duration gap) {
    figures.extras.push_back({name, static_cast<std::uint64_t>(gap.count())});
  };
  const bool silent_at_the_end = now - all_.last > call_timeout_;
  all_.acknowledged(now, struck_);
  add("longest_gap_us", all_.longest);
  if (pid_ == 0) return;
  if (!recovered_ || silent_at_the_end) figures.failed = "no write was acknowledged any more";
  Duration slowest{0};
  for (Gaps& client : clients_) {
    client.acknowledged(now, struck_);
    slowest = std::max(slowest, client.longest_after);
  }
  add("gap_after_kill_us", all_.longest_after);
  add("slowest_client_us", slowest);
}

}  // namespace holdfast::bench
