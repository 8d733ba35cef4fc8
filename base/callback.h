#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "base/check.h"

namespace holdfast {

template <typename Signature>
class Callback;

/// A function to call once something has happened. Move-only, so that it may own what it needs
/// (std::move_only_function comes with C++23).
template <typename R, typename... Args>
class Callback<R(Args...)> {
 public:
  Callback() = default;
  template <typename F>
  requires(!std::same_as<std::remove_cvref_t<F>, Callback> && std::invocable<F&, Args...>)
      Callback(F&& function)
      : call_(std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const { return call_ != nullptr; }
  R operator()(Args... args) {
    INVARIANT(call_, "an empty callback was called");
    return call_->run(std::forward<Args>(args)...);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R run(Args... args) = 0;
  };
  template <typename F>
  struct Holder final : Base {
    template <typename G>
    explicit Holder(G&& f) : function(std::forward<G>(f)) {}
    ~Holder() noexcept override {}  // what KJ's types capture may throw when destroyed; here that is a bug
    R run(Args... args) override { return function(std::forward<Args>(args)...); }
    F function;
  };

  std::unique_ptr<Base> call_;
};

}  // namespace holdfast
