#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/digest.h"
#include "tests/sim/figures.h"
#include "tests/sim/invariant.h"
#include "tests/sim/schedule.h"

namespace holdfast::sim {

struct Failure {
  Invariant invariant = Invariant::kAssertion;
  std::string what;  ///< "at 812 ms: two leaders in term 7"
};

/// The first broken promise of a run, and a digest of all that happened in it.
class Verdict {
 public:
  explicit Verdict(const Schedule& schedule) : schedule_(schedule) {}

  /// Only the first one counts: what comes after it is its consequence.
  void fail(Invariant invariant, std::string what) {
    if (!failure_) failure_ = {invariant, "at " + std::to_string(now_ms()) + " ms: " + std::move(what)};
  }
  const std::optional<Failure>& failure() const { return failure_; }

  /// Prints what happens from here on, a line each.
  void print_to(std::FILE* out) { out_ = out; }
  /// Something happened to `who`; the same seed must give the same trace.
  template <typename... Numbers>
  void trace(const char* what, const std::string& who, Numbers... numbers) {
    trace_.add(static_cast<std::uint64_t>(schedule_.now().time_since_epoch().count()))
        .add(std::string_view(what));
    trace_.add(std::string_view(who));
    (trace_.add(static_cast<std::uint64_t>(numbers)), ...);
    if (out_) print((std::string(what) + " " + who + ... + (" " + std::to_string(numbers))));
  }
  void count(Figure figure) { ++figures_[static_cast<std::size_t>(figure)]; }
  const Figures& figures() const { return figures_; }
  std::uint64_t trace_digest() const { return trace_.value(); }

 private:
  long long now_ms() const {
    return std::chrono::duration_cast<milliseconds>(schedule_.now().time_since_epoch()).count();
  }
  void print(const std::string& line) const { std::fprintf(out_, "%6lld ms  %s\n", now_ms(), line.c_str()); }

  const Schedule& schedule_;
  std::optional<Failure> failure_;
  Figures figures_{};
  std::FILE* out_ = nullptr;
  Digest trace_;
};

}  // namespace holdfast::sim
