#include "tests/chaos/lock_model.h"

namespace holdfast::chaos {

void LockModel::step(const State& state, const LockOperation& operation, std::vector<State>& next) const {
  using Kind = LockOperation::Kind;
  switch (operation.kind) {
    case Kind::kGrant:
      if (state.holder == 0 && operation.token > state.last)
        next.push_back({operation.token, operation.token});
      return;
    case Kind::kRelease:
    case Kind::kEnd:
      if (state.holder == operation.token) next.push_back({0, state.last});
      return;
    case Kind::kLook:
      if (state.holder == operation.token) next.push_back(state);
      return;
  }
}

Search check_lock(const std::vector<Interval<LockOperation>>& operations, std::uint64_t most_steps) {
  auto history = operations;
  for (auto& one : history) {
    if (one.operation.kind == LockOperation::Kind::kGrant) one.rank = one.operation.token;
  }
  const LockModel model;
  return Linearizer<LockModel, LockOperation>(model, history, most_steps).run({});
}

}  // namespace holdfast::chaos
