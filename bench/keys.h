#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/random.h"
#include "bench/load.h"

namespace holdfast::bench {

/// The keys of a load, of 19 bytes each: drawn at random from its key space, or each in turn.
class Keys {
 public:
  static constexpr std::size_t kBytes = 19;
  struct Name {
    std::array<char, kBytes> text;
    std::string_view view() const { return {text.data(), kBytes}; }
  };

  explicit Keys(const Load& load) : random_(load.seed), space_(load.key_space), in_order_(load.in_order) {}

  Name next() {
    const std::uint64_t number = in_order_ ? next_++ % space_ : random_.below(space_);
    constexpr std::string_view kBegin = "/bench/key";
    Name name{};
    std::copy(kBegin.begin(), kBegin.end(), name.text.begin());
    auto rest = number;
    for (std::size_t at = kBytes; at-- > kBegin.size(); rest /= 10) {
      name.text[at] = static_cast<char>('0' + rest % 10);
    }
    return name;
  }

 private:
  Random random_;
  std::uint64_t next_ = 0;
  const std::uint64_t space_;
  const bool in_order_;
};

}  // namespace holdfast::bench
