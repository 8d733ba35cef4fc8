#include "tests/chaos/register_model.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::chaos {

namespace {

using State = RegisterModel::State;
using Answer = KeyOperation::Answer;
using Kind = KeyOperation::Kind;

/// The state, known to have been changed last at `revision`. Returns: nullopt if that cannot be.
std::optional<State> at_revision(State state, std::uint64_t revision) {
  if (state.exact ? state.revision != revision : state.revision >= revision) return std::nullopt;
  state.revision = revision;
  state.exact = true;
  return state;
}

/// The state if the condition held. Returns: nullopt if it cannot have.
std::optional<State> where_condition_holds(const State& state, const KeyOperation& operation) {
  if (!operation.conditional) return state;
  if (operation.expected == 0) return state.present ? std::nullopt : std::optional<State>(state);
  if (operation.names_known && !state.exact) return std::nullopt;
  return state.present ? at_revision(state, operation.expected) : std::nullopt;
}

/// Whether the condition may fail: of two possibilities both may be open.
bool condition_may_fail(const State& state, const KeyOperation& operation) {
  if (!operation.conditional) return false;
  if (operation.expected == 0) return state.present;
  return !state.present || !state.exact || state.revision != operation.expected;
}

State after_write(State state, const KeyOperation& operation) {
  const bool put = operation.kind == Kind::kPut;
  if (!put && !state.present) return state;  // there was nothing to delete: no change
  state.version = put ? (state.present ? state.version + 1 : 1) : 0;
  state.value = put ? operation.value : 0;
  state.present = put;
  state.exact = false;
  return state;
}

void done(const State& state, const KeyOperation& operation, std::vector<State>& next) {
  const auto before = where_condition_holds(state, operation);
  if (!before) return;
  if (operation.kind == Kind::kDelete && operation.present != before->present) return;
  const State after = after_write(*before, operation);
  if (operation.kind == Kind::kDelete && !operation.present) return next.push_back(after);
  if (const auto exact = at_revision(after, operation.revision)) next.push_back(*exact);
}

void mismatch(const State& state, const KeyOperation& operation, std::vector<State>& next) {
  if (operation.revision == operation.expected || (operation.names_known && !state.exact)) return;
  if (!state.present) {
    if (operation.revision == 0) next.push_back(state);
  } else if (const auto found = at_revision(state, operation.revision)) {
    next.push_back(*found);
  }
}

void unknown(const State& state, const KeyOperation& operation, std::vector<State>& next) {
  // Without an effect it need not be placed at all.
  if (const auto before = where_condition_holds(state, operation)) {
    const State after = after_write(*before, operation);
    if (!(after == state)) next.push_back(after);
  }
}

void get(const State& state, const KeyOperation& operation, std::vector<State>& next) {
  if (operation.present != state.present) return;
  if (!state.present) return next.push_back(state);
  if (operation.value != state.value || operation.version != state.version) return;
  if (const auto found = at_revision(state, operation.revision)) next.push_back(*found);
}

}  // namespace

std::uint64_t State::hash() const {
  std::uint64_t hash = (present ? 2u : 0u) + (exact ? 1u : 0u);
  for (const std::uint64_t part : {value, version, revision}) {
    hash = (hash ^ part) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 31;
  }
  return hash;
}

void RegisterModel::step(const State& state, const KeyOperation& operation, std::vector<State>& next) const {
  if (operation.kind == Kind::kGet) return get(state, operation, next);
  switch (operation.answer) {
    case Answer::kDone:
      return done(state, operation, next);
    case Answer::kMismatch:
      if (condition_may_fail(state, operation)) mismatch(state, operation, next);
      return;
    case Answer::kUnknown:
      return unknown(state, operation, next);
  }
}

namespace {

/// What nobody has read needs no number of its own.
constexpr std::uint64_t kNeverRead = UINT64_MAX;

/// Whether its revision is that of a change of the key.
bool speaks_of_key(const KeyOperation& operation) {
  return operation.kind == Kind::kPut || operation.present;
}

/// The open writes that a get has seen are not open: what they wrote, and their revision, is known, and they
/// took effect before that get's end. Those that nobody saw differ in nothing but their condition. Without
/// this the search would try every subset of them wherever it finds no way on.
std::vector<Interval<KeyOperation>> with_what_was_seen(std::vector<Interval<KeyOperation>> history) {
  struct Seen {
    std::uint64_t revision;
    std::int64_t by;
  };
  std::unordered_map<std::uint64_t, Seen> seen;
  for (const auto& one : history) {
    if (one.operation.kind != Kind::kGet || !one.operation.present) continue;
    auto [entry, first] = seen.try_emplace(one.operation.value, Seen{one.operation.revision, one.end});
    if (!first) entry->second.by = std::min(entry->second.by, one.end);
  }
  std::unordered_set<std::uint64_t> known_revisions;
  for (const auto& one : history) {
    if (one.operation.answer == Answer::kDone && speaks_of_key(one.operation))
      known_revisions.insert(one.operation.revision);
  }
  for (auto& one : history) {
    KeyOperation& operation = one.operation;
    if (operation.conditional) {
      operation.names_known = known_revisions.contains(
          operation.answer == Answer::kMismatch ? operation.revision : operation.expected);
    }
    const bool unknown_write = operation.kind != Kind::kGet && operation.answer == Answer::kUnknown;
    if (!unknown_write) {
      one.rank = speaks_of_key(operation) ? operation.revision : 0;
      continue;
    }
    const auto known = seen.find(operation.value);
    if (operation.kind == Kind::kPut && known != seen.end()) {
      operation.answer = Answer::kDone;
      operation.revision = known->second.revision;
      one.end = known->second.by;
      one.rank = operation.revision;
      continue;
    }
    if (operation.kind == Kind::kPut) operation.value = kNeverRead;
    one.alike = 1 + (operation.kind == Kind::kPut ? 0u : 1u) + (operation.conditional ? 2u : 0u) +
                4 * operation.expected;
  }
  return history;
}

}  // namespace

Search check_key(const std::vector<Interval<KeyOperation>>& operations, std::uint64_t most_steps) {
  const auto history = with_what_was_seen(operations);
  const RegisterModel model;
  return Linearizer<RegisterModel, KeyOperation>(model, history, most_steps).run({});
}

}  // namespace holdfast::chaos
