#include "net/frame_assembler.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "net/frame_header.h"

namespace holdfast::net {
namespace {

constexpr std::size_t kSmallestBuffer = 4 * 1024;  // what an idle connection costs
constexpr std::size_t kLargestBuffer = 64 * 1024;

static_assert(kSmallestBuffer >= 1024, "the longest header and its frame's first words must fit");

}  // namespace

FrameAssembler::FrameAssembler(std::size_t max_frame_bytes)
    : max_frame_bytes_(max_frame_bytes), wanted_capacity_(kSmallestBuffer) {}

void FrameAssembler::begin_large_frame() {
  const auto header = read_frame_header(unread(), max_frame_bytes_);
  if (!header || !*header || (*header)->frame_bytes <= kSmallestBuffer) {
    return;
  }
  // Not touched before its bytes arrive: a header alone costs address space, not memory.
  large_ = kj::heapArray<capnp::word>((*header)->frame_bytes / sizeof(capnp::word));
  large_filled_ = end_ - begin_;
  std::memcpy(large_.begin(), buffer_.begin() + begin_, large_filled_);
  begin_ = end_ = 0;
}

std::span<std::byte> FrameAssembler::space() {
  if (large_.size() == 0 && begin_ < end_) {
    begin_large_frame();
  }
  if (large_.size() > 0) {
    auto bytes = large_.asBytes();
    return std::as_writable_bytes(std::span(bytes.begin(), bytes.size())).subspan(large_filled_);
  }
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() != wanted_capacity_) {
      buffer_ = kj::heapArray<kj::byte>(wanted_capacity_);
    }
  } else if (begin_ > 0 && end_ == buffer_.size()) {
    std::memmove(buffer_.begin(), buffer_.begin() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  INVARIANT(end_ < buffer_.size(), "a frame that does not fit the buffer has one of its own");
  return std::as_writable_bytes(std::span(buffer_.begin(), buffer_.size())).subspan(end_);
}

void FrameAssembler::added(std::size_t bytes) {
  if (large_.size() > 0) {
    large_filled_ += bytes;
    return;
  }
  const bool filled = end_ + bytes == buffer_.size();
  end_ += bytes;
  if (filled) {
    wanted_capacity_ = std::min(buffer_.size() * 2, kLargestBuffer);
  } else if (bytes < buffer_.size() / 4) {
    wanted_capacity_ = std::max(buffer_.size() / 2, kSmallestBuffer);
  }
}

std::span<const std::byte> FrameAssembler::unread() const {
  return std::as_bytes(std::span(buffer_.begin(), buffer_.size())).subspan(begin_, end_ - begin_);
}

bool FrameAssembler::ready() const {
  if (large_.size() > 0) {
    return large_filled_ == large_.asBytes().size();
  }
  const auto header = read_frame_header(unread(), max_frame_bytes_);
  return !header || (*header && (*header)->frame_bytes <= end_ - begin_);
}

kj::ArrayPtr<const capnp::word> FrameAssembler::look() const {
  if (large_.size() > 0) {
    return nullptr;
  }
  const auto header = read_frame_header(unread(), max_frame_bytes_);
  if (!header || !*header || (*header)->frame_bytes > end_ - begin_) {
    return nullptr;
  }
  // Frames are whole words, and so is what lies before one in the buffer.
  return kj::arrayPtr(reinterpret_cast<const capnp::word*>(buffer_.begin() + begin_),
                      (*header)->frame_bytes / sizeof(capnp::word));
}

Result<std::optional<FrameAssembler::Frame>> FrameAssembler::next() {
  if (large_.size() > 0) {
    if (large_filled_ < large_.asBytes().size()) {
      return std::nullopt;
    }
    large_filled_ = 0;
    return std::move(large_);
  }
  const auto header = read_frame_header(unread(), max_frame_bytes_);
  if (!header) {
    return fail(header.error());
  }
  if (!*header || (*header)->frame_bytes > end_ - begin_) {
    return std::nullopt;
  }
  auto frame = kj::heapArray<capnp::word>((*header)->frame_bytes / sizeof(capnp::word));
  std::memcpy(frame.begin(), buffer_.begin() + begin_, (*header)->frame_bytes);
  begin_ += (*header)->frame_bytes;
  return frame;
}

}  // namespace holdfast::net
