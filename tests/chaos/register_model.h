#pragma once

#include <cstdint>
#include <vector>

#include "tests/chaos/linearizability.h"

namespace holdfast::chaos {

/// A call on one key, with the answer it got.
struct KeyOperation {
  enum class Kind { kPut, kDelete, kGet };
  /// Of a write under a condition: refused because the key's revision was another. Unknown is an Interval
  /// without an end.
  enum class Answer { kDone, kMismatch, kUnknown };

  Kind kind = Kind::kGet;
  Answer answer = Answer::kDone;
  bool conditional = false;
  std::uint64_t expected = 0;  ///< the revision that the condition names; 0: the key must not be there
  std::uint64_t value = 0;     ///< number of the value that was put, or read
  bool present = false;        ///< get: it was there; delete: it was, and is gone
  /// Of a write that was done: its own. Of a get: that of the key's last change. Of a mismatch: the one
  /// found.
  std::uint64_t revision = 0;
  std::uint64_t version = 0;  ///< get: how often the key was put since it was created
  /// The revision it expects, or found, is that of a write which was answered or read: of no other one.
  bool names_known = false;
};

/// One key of the configuration as a sequential object: value, revision of its last change, version.
class RegisterModel {
 public:
  struct State {
    bool present = false;
    bool exact = true;  ///< whether `revision` is that of the last change, or only below it: that change's
                        ///< outcome was unknown
    std::uint64_t value = 0;
    std::uint64_t version = 0;
    std::uint64_t revision = 0;
    bool operator==(const State&) const = default;
    std::uint64_t hash() const;
  };

  void step(const State& state, const KeyOperation& operation, std::vector<State>& next) const;
};

/// Requires: the operations are of one key, and the values of its puts are all different.
Search check_key(const std::vector<Interval<KeyOperation>>& history, std::uint64_t most_steps);

}  // namespace holdfast::chaos
