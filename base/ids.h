#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace holdfast {

/// A 64-bit number that cannot be mistaken for another kind of 64-bit number.
/// Zero is "none" for every kind; real values start at one.
template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(std::uint64_t value) : value_(value) {}

  constexpr std::uint64_t value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }
  constexpr StrongId next() const { return StrongId(value_ + 1); }
  /// Requires: not zero.
  constexpr StrongId previous() const { return StrongId(value_ - 1); }
  constexpr StrongId operator+(std::uint64_t count) const { return StrongId(value_ + count); }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;
  friend constexpr bool operator==(StrongId, StrongId) = default;

 private:
  std::uint64_t value_ = 0;
};

/// A Raft term. Ref: Raft §5.1
using Term = StrongId<struct TermTag>;
/// A place in the replicated log; the first entry has index 1. Ref: Raft §5.3
using Index = StrongId<struct IndexTag>;
/// A member of the cluster, for ever: an id is never given to a second data directory.
using MemberId = StrongId<struct MemberIdTag>;
/// The cluster: what a member checks before it listens to another.
using ClusterId = StrongId<struct ClusterIdTag>;
/// A client's lease; also its session. It is the log index of the entry that granted it.
using LeaseId = StrongId<struct LeaseIdTag>;
/// A fencing token: the number of a lock grant, counted over all locks, never reused.
using Token = StrongId<struct TokenTag>;
/// Counts changes that can be watched: see docs/GLOSSARY.md.
using Revision = StrongId<struct RevisionTag>;

}  // namespace holdfast

template <typename Tag>
struct std::hash<holdfast::StrongId<Tag>> {
  std::size_t operator()(holdfast::StrongId<Tag> id) const noexcept {
    return std::hash<std::uint64_t>()(id.value());
  }
};
