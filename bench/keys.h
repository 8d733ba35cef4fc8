#pragma once

#include <array>
#include <cstdio>
#include <string_view>

#include "base/random.h"
#include "bench/load.h"

namespace holdfast::bench {

/// The keys of a load, of 19 bytes each: drawn at random from its key space, or each in turn.
class Keys {
 public:
  struct Name {
    std::array<char, 32> text;
    std::size_t length;
    std::string_view view() const { return {text.data(), length}; }
  };

  explicit Keys(const Load& load) : random_(load.seed), space_(load.key_space), in_order_(load.in_order) {}

  Name next() {
    const std::uint64_t number = in_order_ ? next_++ % space_ : random_.below(space_);
    Name name;
    name.length = static_cast<std::size_t>(std::snprintf(
        name.text.data(), name.text.size(), "/bench/key%09llu", static_cast<unsigned long long>(number)));
    return name;
  }

 private:
  Random random_;
  std::uint64_t next_ = 0;
  const std::uint64_t space_;
  const bool in_order_;
};

}  // namespace holdfast::bench
