#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace holdfast::node {

/// Ties callbacks that wait elsewhere (on the loop, in a store) to the object they call back into: once it is
/// gone they do nothing. Make it the last member, so that it goes first.
class Lifetime {
 public:
  Lifetime() : alive_(std::make_shared<char>()) {}

  template <typename F>
  auto guard(F function) const {
    return [alive = std::weak_ptr<char>(alive_), function = std::move(function)](auto&&... args) mutable {
      if (!alive.expired()) function(std::forward<decltype(args)>(args)...);
    };
  }

 private:
  // Owner: this object alone; guarded callbacks only look whether it is still there.
  std::shared_ptr<char> alive_;
};

}  // namespace holdfast::node
