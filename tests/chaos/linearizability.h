#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

/// Is there one order of the operations, each at a moment between its call and its end, in which a sequential
/// object gives every answer that was given? Ref: Wing and Gong, "Testing and verifying concurrent objects",
/// 1993; Lowe, "Testing for linearizability", 2017 (remembering the configurations that led nowhere).
namespace holdfast::chaos {

/// Of an operation whose outcome is unknown: it may take effect at any time from its call on, or never.
constexpr std::int64_t kOpen = INT64_MAX;

/// An operation of a history: called at `call`, answered at `end` (both in microseconds of one clock).
template <typename Operation>
struct Interval {
  std::int64_t call = 0;
  std::int64_t end = kOpen;
  Operation operation;
  /// Open operations with the same number, not 0, do the same wherever they are placed: of those that may
  /// come next only the one called first is tried, for any order with another one has a twin with this one.
  std::uint64_t alike = 0;
  /// Operations that have a rank, not 0, can only be placed in its order, for the object only counts up.
  std::uint64_t rank = 0;
};

enum class Verdict { kLinearizable, kViolation, kUndecided };

struct Search {
  Verdict verdict = Verdict::kLinearizable;
  std::uint64_t steps = 0;  ///< transitions that were tried
  /// Of a history that is not linearizable: the operation that could not be placed behind the longest order
  /// that was found, as a position in the history.
  std::size_t stuck_at = 0;
  std::size_t placed = 0;  ///< operations in that order
};

/// Searches one order. `Model` has a State (comparable, with a hash() of its own) and
///     void step(const State&, const Operation&, std::vector<State>& next) const
/// which appends every state the object may be in after giving the answer that the operation got; none: it
/// cannot give that answer now.
template <typename Model, typename Operation>
class Linearizer {
 public:
  using State = typename Model::State;
  using History = std::vector<Interval<Operation>>;

  Linearizer(const Model& model, const History& history, std::uint64_t most_steps)
      : model_(model), history_(history), most_steps_(most_steps) {}

  Search run(State initial) {
    prepare();
    std::vector<Frame> path;
    state_ = std::move(initial);
    enter(path, 0);
    while (missing_ > 0) {
      if (search_.steps > most_steps_) return search_.verdict = Verdict::kUndecided, search_;
      if (!advance(path)) return search_.verdict = Verdict::kViolation, search_;
    }
    return search_;
  }

 private:
  /// A configuration on the present path, and what may come next in it.
  struct Frame {
    State state;                         // before any of the choices
    std::vector<std::uint32_t> choices;  // operations that may come next, the likeliest last
    std::vector<State> outcomes;         // of the choice at hand, not tried yet
    std::uint32_t taken = kNothing;      // the operation placed here
    std::uint32_t frontier = 0;          // no operation from here on is placed before this one
  };
  /// What is left to place, and the state: the same again leads to the same end.
  struct Configuration {
    State state;
    std::uint32_t frontier;             // no operation from here on has been placed
    std::vector<std::uint32_t> behind;  // operations before it that have not
    bool operator==(const Configuration&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Configuration& one) const {
      std::uint64_t hash = one.state.hash() ^ (one.frontier * 0x9e3779b97f4a7c15);
      for (const std::uint32_t number : one.behind) hash = (hash ^ number) * 0x100000001b3;
      return static_cast<std::size_t>(hash ^ (hash >> 29));
    }
  };
  static constexpr std::uint32_t kNothing = UINT32_MAX;

  void prepare() {
    order_.resize(history_.size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
    std::stable_sort(order_.begin(), order_.end(),
                     [&](auto a, auto b) { return history_[a].call < history_[b].call; });
    // A list of what is not placed yet, in the order of the calls; the last link closes the ring.
    const auto end = static_cast<std::uint32_t>(order_.size());
    next_.resize(end + 1);
    before_.resize(end + 1);
    for (std::uint32_t i = 0; i <= end; ++i) {
      next_[i] = i == end ? 0 : i + 1;
      before_[i] = i == 0 ? end : i - 1;
    }
    for (std::uint32_t i = 0; i < end; ++i) {
      if (at(i).rank != 0) by_rank_.push_back(i);
    }
    std::stable_sort(by_rank_.begin(), by_rank_.end(),
                     [&](auto a, auto b) { return at(a).rank < at(b).rank; });
    rank_position_.resize(end);
    for (std::uint32_t i = 0; i < by_rank_.size(); ++i) rank_position_[by_rank_[i]] = i;
    is_placed_.assign(end, false);
    missing_ = static_cast<std::size_t>(
        std::count_if(history_.begin(), history_.end(), [](const auto& one) { return one.end != kOpen; }));
  }

  const Interval<Operation>& at(std::uint32_t number) const { return history_[order_[number]]; }
  std::uint32_t ring_end() const { return static_cast<std::uint32_t>(order_.size()); }

  void lift(std::uint32_t number) {
    next_[before_[number]] = next_[number];
    before_[next_[number]] = before_[number];
    if (at(number).end != kOpen) --missing_;
    ++placed_;
    is_placed_[number] = true;
    while (lowest_ < by_rank_.size() && is_placed_[by_rank_[lowest_]]) ++lowest_;
  }
  void put_back(std::uint32_t number) {
    next_[before_[number]] = number;
    before_[next_[number]] = number;
    if (at(number).end != kOpen) ++missing_;
    --placed_;
    is_placed_[number] = false;
    if (at(number).rank != 0) lowest_ = std::min(lowest_, rank_position_[number]);
  }
  bool is_its_turn(std::uint32_t number) const {
    return at(number).rank == 0 || at(number).rank <= at(by_rank_[lowest_]).rank;
  }

  std::uint32_t first() const { return next_[ring_end()]; }

  /// What may come next: everything called before the earliest end of what is left.
  void enter(std::vector<Frame>& path, std::uint32_t frontier) {
    Frame frame{state_, {}, {}, kNothing, frontier};
    std::int64_t earliest_end = kOpen;
    std::vector<std::uint64_t> kinds;
    for (std::uint32_t i = first(); i != ring_end() && at(i).call <= earliest_end; i = next_[i]) {
      earliest_end = std::min(earliest_end, at(i).end);
      if (!is_its_turn(i)) continue;
      if (at(i).end == kOpen && at(i).alike != 0) {
        if (std::find(kinds.begin(), kinds.end(), at(i).alike) != kinds.end()) continue;
        kinds.push_back(at(i).alike);
      }
      frame.choices.push_back(i);
    }
    // Tried from the back: first what must be placed soonest, what may never have happened last of all.
    std::stable_sort(frame.choices.begin(), frame.choices.end(),
                     [&](auto a, auto b) { return at(a).end > at(b).end; });
    if (placed_ >= search_.placed) {
      search_.placed = placed_;
      const bool waits = frame.choices.empty() && lowest_ < by_rank_.size();
      if (waits) search_.stuck_at = order_[by_rank_[lowest_]];
      if (!frame.choices.empty()) search_.stuck_at = order_[frame.choices.back()];
    }
    path.push_back(std::move(frame));
  }

  /// One step along the path, or back. Returns: false if every path has been tried.
  bool advance(std::vector<Frame>& path) {
    while (!path.empty()) {
      Frame& frame = path.back();
      if (frame.taken != kNothing && frame.outcomes.empty()) {
        put_back(frame.taken);
        frame.taken = kNothing;
      }
      if (!frame.outcomes.empty()) {
        state_ = std::move(frame.outcomes.back());
        frame.outcomes.pop_back();
        const std::uint32_t frontier = std::max(frame.frontier, frame.taken + 1);
        if (!seen_.insert(configuration(frontier)).second) continue;
        enter(path, frontier);
        return true;
      }
      if (frame.choices.empty()) {
        path.pop_back();
        continue;
      }
      const std::uint32_t choice = frame.choices.back();
      frame.choices.pop_back();
      ++search_.steps;
      model_.step(frame.state, at(choice).operation, frame.outcomes);
      if (frame.outcomes.empty()) continue;
      frame.taken = choice;
      lift(choice);
    }
    return false;
  }

  Configuration configuration(std::uint32_t frontier) const {
    Configuration now{state_, frontier, {}};
    for (std::uint32_t i = first(); i < frontier; i = next_[i]) now.behind.push_back(i);
    return now;
  }

  const Model& model_;
  const History& history_;
  const std::uint64_t most_steps_;
  std::vector<std::uint32_t> order_;  // positions in the history, by call
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> before_;
  std::vector<std::uint32_t> by_rank_;
  std::vector<std::uint32_t> rank_position_;  // in by_rank_
  std::uint32_t lowest_ = 0;                  // position in by_rank_ of the lowest one that is not placed
  std::vector<bool> is_placed_;
  std::size_t missing_ = 0;  // answered operations that are not placed
  std::size_t placed_ = 0;
  State state_{};
  std::unordered_set<Configuration, Hash> seen_;
  Search search_;
};

}  // namespace holdfast::chaos
