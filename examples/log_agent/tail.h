#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>

namespace log_agent {

using LineSink = std::function<void(std::string_view line)>;

/// A log file that is open for reading: where we are, and the beginning of a line whose end is not written
/// yet.
class OpenLog {
 public:
  using Clock = std::chrono::steady_clock;

  /// Not open if there is no such file (yet).
  explicit OpenLog(const std::string& path);
  ~OpenLog();
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  /// True if `path` still leads to this very file.
  bool is_at(const std::string& path) const;
  /// Passes on every line that was completed since the last call. Starts over if the file was truncated.
  void read_lines(Clock::time_point now, const LineSink& sink);
  /// Passes on the last line, although its end never came.
  void finish(const LineSink& sink);
  /// Since when it is known to be rotated and has not grown.
  Clock::time_point quiet_since() const { return std::max(last_growth_, rotated_); }
  void mark_rotated(Clock::time_point now) { rotated_ = now; }

 private:
  void take(std::string_view bytes, const LineSink& sink);

  int descriptor_ = -1;
  off_t offset_ = 0;
  std::string unfinished_;
  Clock::time_point last_growth_{};
  Clock::time_point rotated_{};
};

/// Follows one path through rotations, however the file is rotated:
///
///  - renamed and made anew: the new file is read from its beginning; the old one until nothing came for a
///  while, for
///    its writer may not have noticed yet;
///  - copied and truncated: what is read continues at the beginning.
///
/// A file is read from its beginning, so that no line is missed between the change of the configuration and
/// the moment it is heeded.
class Tail {
 public:
  explicit Tail(std::string path) : path_(std::move(path)) {}

  /// Looks at the path and passes on what is new. Never waits.
  void collect(OpenLog::Clock::time_point now, const LineSink& sink);

 private:
  void open_anew(OpenLog::Clock::time_point now, const LineSink& sink);

  std::string path_;
  std::list<OpenLog> logs_;  ///< the last is what the path led to when we looked; before it, rotated ones
};

}  // namespace log_agent
