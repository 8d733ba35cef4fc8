#include "bench/recorder.h"

#include <kj/exception.h>
#include <kj/time.h>

#include <algorithm>
#include <utility>

namespace holdfast::bench {

Recorder::Recorder(net::EventLoop& loop, const std::function<void(const Progress&)>& progress)
    : loop_(loop), progress_(progress) {}

void Recorder::begin() {
  figures_ = Figures();
  started_ = told_at_ = loop_.now();
  told_count_ = 0;
  telling_ = tell().eagerlyEvaluate(nullptr);
}

void Recorder::end(Instant when) {
  figures_.elapsed = when - started_;
  telling_ = kj::READY_NOW;
}

void Recorder::success(Instant due, std::uint64_t weight) {
  figures_.count += weight;
  const Duration latency = std::max(loop_.now() - due, Duration(0));
  figures_.latencies.record(static_cast<std::uint64_t>(latency.count()));
}

void Recorder::failure(kj::StringPtr why) {
  ++figures_.errors;
  if (figures_.first_error.empty()) figures_.first_error = why.cStr();
}

void Recorder::extra(std::string name, std::uint64_t value) {
  figures_.extras.push_back({std::move(name), value});
}

kj::Promise<void> Recorder::tell() {
  return loop_.timer().afterDelay(1 * kj::SECONDS).then([this] {
    const Instant now = loop_.now();
    const double seconds = std::chrono::duration<double>(now - told_at_).count();
    const double rate = static_cast<double>(figures_.count - told_count_) / seconds;
    progress_({now - started_, figures_.count, figures_.errors, rate});
    told_at_ = now;
    told_count_ = figures_.count;
    return tell();
  });
}

}  // namespace holdfast::bench
