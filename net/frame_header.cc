#include "net/frame_header.h"

#include <string>

#include "base/limits.h"

namespace holdfast::net {
namespace {

constexpr std::size_t kWord = 8;

std::uint32_t little_endian(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
  }
  return value;
}

}  // namespace

Result<std::optional<FrameHeader>> read_frame_header(std::span<const std::byte> bytes,
                                                     std::size_t max_frame_bytes) {
  if (bytes.size() < 4) {
    return std::nullopt;
  }
  // The wire holds the number less one; in 64 bits FF FF FF FF cannot wrap around to zero segments.
  const std::uint64_t segments = std::uint64_t{little_endian(bytes, 0)} + 1;
  if (segments > limits::kMaxFrameSegments) {
    return fail(Errc::kLimitExceeded, "a frame of " + std::to_string(segments) + " segments: at most " +
                                          std::to_string(limits::kMaxFrameSegments) + " are taken");
  }
  const std::size_t header_bytes = (4 + 4 * segments + kWord - 1) / kWord * kWord;
  if (bytes.size() < header_bytes) {
    return std::nullopt;
  }
  std::uint64_t words = 0;
  for (std::size_t i = 0; i < segments; ++i) {
    words += little_endian(bytes, 4 + 4 * i);
  }
  const std::uint64_t frame_bytes = header_bytes + words * kWord;
  if (frame_bytes > max_frame_bytes) {
    return fail(Errc::kLimitExceeded, "a frame of " + std::to_string(frame_bytes) + " bytes: at most " +
                                          std::to_string(max_frame_bytes) + " are taken");
  }
  if (little_endian(bytes, 4) == 0) {
    return fail(Errc::kInvalidArgument, "a frame whose first segment is empty has no root");
  }
  return FrameHeader{static_cast<std::uint32_t>(segments), header_bytes, frame_bytes};
}

}  // namespace holdfast::net
