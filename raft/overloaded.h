#pragma once

namespace holdfast::raft {

/// One function out of several lambdas, for std::visit.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace holdfast::raft
