#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace holdfast::session {

/// Which member to talk to: the preferred one (the leader, or the last that answered) while it is well, else
/// the others in turn; one that failed is left alone for a while that doubles with every further failure.
class Endpoints {
 public:
  struct Backoff {
    Duration first = milliseconds(50);
    Duration longest = std::chrono::seconds(2);
  };

  Endpoints(std::vector<std::string> addresses, Random random)
      : Endpoints(std::move(addresses), random, {}) {}
  Endpoints(std::vector<std::string> addresses, Random random, Backoff backoff);

  /// Returns: whom to try now; nullopt if everybody is being left alone: see ready_at(). Addresses that were
  /// configured come before those that were learnt.
  std::optional<std::string> next(Instant now);
  /// When next() will have somebody. Returns: kNever if there is no address at all.
  Instant ready_at() const;

  /// A further member, to be tried when those that were configured fail.
  void learn(std::string_view address);
  /// It comes first from now on.
  void succeeded(std::string_view address);
  void failed(std::string_view address, std::string why, Instant now);

  /// "a:1 (connection refused), b:2 (not tried)": for the error a user reads.
  std::string describe() const;
  std::size_t size() const { return members_.size(); }

 private:
  struct Member {
    std::string address = {};
    bool learnt = false;
    int failures = 0;  ///< in a row
    Instant not_before = Instant::min();
    std::string last = {};  ///< what happened last, for people
  };

  Member* find(std::string_view address);

  Backoff backoff_;
  Random random_;
  std::vector<Member> members_;
  std::string preferred_;
  std::size_t turn_ = 0;  ///< where the rotation goes on
};

}  // namespace holdfast::session
