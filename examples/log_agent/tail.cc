#include "examples/log_agent/tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <iterator>

namespace log_agent {

namespace {
/// How long a rotated file is kept after its last growth.
constexpr std::chrono::seconds kLinger{5};
/// A longer line is passed on in pieces.
constexpr std::size_t kLongestLine = 1 << 20;
/// Read at one look, so that one large file does not starve the others.
constexpr std::size_t kMostBytesAtOnce = 4 << 20;
}  // namespace

OpenLog::OpenLog(const std::string& path)
    : descriptor_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}

OpenLog::~OpenLog() {
  if (is_open()) close(descriptor_);
}

bool OpenLog::is_at(const std::string& path) const {
  struct stat ours {};
  struct stat theirs {};
  // While nothing is there, we are where we were: the new file comes in a moment.
  if (!is_open() || fstat(descriptor_, &ours) != 0) return false;
  if (stat(path.c_str(), &theirs) != 0) return true;
  return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

void OpenLog::read_lines(Clock::time_point now, const LineSink& sink) {
  struct stat state {};
  if (fstat(descriptor_, &state) == 0 && state.st_size < offset_) {
    finish(sink);
    offset_ = 0;
  }
  std::array<char, 64 * 1024> buffer;
  for (std::size_t total = 0; total < kMostBytesAtOnce;) {
    const ssize_t size = pread(descriptor_, buffer.data(), buffer.size(), offset_);
    if (size <= 0) return;
    offset_ += size;
    total += static_cast<std::size_t>(size);
    last_growth_ = now;
    take({buffer.data(), static_cast<std::size_t>(size)}, sink);
  }
}

void OpenLog::take(std::string_view bytes, const LineSink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    unfinished_ += bytes.substr(0, end);
    const bool is_whole = end != std::string_view::npos;
    bytes.remove_prefix(is_whole ? end + 1 : bytes.size());
    if (!is_whole && unfinished_.size() < kLongestLine) return;
    sink(unfinished_);
    unfinished_.clear();
  }
}

void OpenLog::finish(const LineSink& sink) {
  if (!unfinished_.empty()) sink(unfinished_);
  unfinished_.clear();
}

void Tail::collect(OpenLog::Clock::time_point now, const LineSink& sink) {
  // Look where the path leads before reading, so that the old file is read to its end before the new one.
  const bool is_elsewhere = logs_.empty() || !logs_.back().is_at(path_);
  for (OpenLog& log : logs_) log.read_lines(now, sink);
  if (is_elsewhere) open_anew(now, sink);
  while (logs_.size() > 1 && now - logs_.front().quiet_since() > kLinger) {
    logs_.front().finish(sink);
    logs_.pop_front();
  }
}

void Tail::open_anew(OpenLog::Clock::time_point now, const LineSink& sink) {
  OpenLog& fresh = logs_.emplace_back(path_);
  if (!fresh.is_open()) {
    logs_.pop_back();
    return;
  }
  fresh.read_lines(now, sink);
  if (logs_.size() > 1) std::prev(logs_.end(), 2)->mark_rotated(now);
}

}  // namespace log_agent
