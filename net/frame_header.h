#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"

namespace holdfast::net {

/// The table that begins every frame of Cap'n Proto: how many segments follow, and how long each is.
struct FrameHeader {
  std::uint32_t segments = 0;
  std::size_t header_bytes = 0;
  std::size_t frame_bytes = 0;  ///< header and segments

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// Judges a frame by its first bytes, before the library sees any of them: 0.9.2 writes past an empty
/// allocation when a frame begins with FF FF FF FF.
/// Returns: nullopt while `bytes` does not hold the whole header.
/// Errors: kLimitExceeded for more segments than limits::kMaxFrameSegments or more bytes than
/// `max_frame_bytes`; kInvalidArgument for a frame without a root.
Result<std::optional<FrameHeader>> read_frame_header(std::span<const std::byte> bytes,
                                                     std::size_t max_frame_bytes);

}  // namespace holdfast::net
