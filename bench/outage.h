#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bench/load.h"

namespace holdfast::bench {

/// What befalls a member while clients write, and for how long they go without an acknowledgement. The
/// process is killed, asked to end, or stopped until this is gone.
class Outage {
 public:
  Outage(const Load& load, Instant now);
  ~Outage();
  Outage(const Outage&) = delete;
  Outage& operator=(const Outage&) = delete;

  void strike();
  /// Whether the process has got its signal.
  bool struck() const { return struck_; }
  /// Why nobody could be measured without the process; nothing if somebody was, or nobody was to be struck.
  std::string not_measured() const;

  /// `sent_after`: the write was sent when the process was struck already. An answer to one that was sent
  /// before may have been on its way.
  void acknowledged(std::size_t client, Instant now, bool sent_after);
  /// Whoever still waits for an acknowledgement has a gap that lasts until now, at the least. Writes go on if
  /// one that was sent after the signal was acknowledged, and the last one less than a call's timeout ago: a
  /// member that is asked to end may take some before it hears of that. To be called once.
  void report(Instant now, Figures& figures);

 private:
  /// The longest times without an acknowledged write, of all clients together or of one.
  struct Gaps {
    void acknowledged(Instant now, bool struck) {
      longest = std::max(longest, now - last);
      if (struck) longest_after = std::max(longest_after, now - last);
      last = now;
    }
    Instant last;
    Duration longest{0};
    Duration longest_after{0};  // of those that ended after the process was struck
  };

  const int pid_;
  const int signal_;
  const Duration call_timeout_;
  bool struck_ = false;
  int error_ = 0;
  bool recovered_ = false;  // a write that was sent afterwards was acknowledged
  Gaps all_;
  std::vector<Gaps> clients_;
};

}  // namespace holdfast::bench
