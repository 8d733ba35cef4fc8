#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include <cstddef>
#include <optional>
#include <span>

#include "base/result.h"

namespace holdfast::net {

/// Cuts a stream of bytes into frames. Knows no socket. Holds a few KiB while little comes, more while much
/// does; a frame that is larger is read straight to where it stays.
class FrameAssembler {
 public:
  using Frame = kj::Array<capnp::word>;

  explicit FrameAssembler(std::size_t max_frame_bytes);

  /// Where the next bytes go; never empty, and it stays until the next call of space(). Requires: not
  /// ready().
  std::span<std::byte> space();
  /// So many bytes were put at the start of space().
  void added(std::size_t bytes);

  /// The next whole frame, header included; nullopt until more is added. Errors: as read_frame_header, and
  /// the same again ever after.
  Result<std::optional<Frame>> next();
  /// What next() would give, where it lies, if it lies whole in the buffer; nothing if next() has to tell. It
  /// stays until the next call of space(); pass() goes on behind it.
  kj::ArrayPtr<const capnp::word> look() const;
  void pass(kj::ArrayPtr<const capnp::word> looked_at) { begin_ += looked_at.asBytes().size(); }
  /// next() would give a frame or an error.
  bool ready() const;
  /// Some of a frame was added that next() has not given out.
  bool inside_frame() const { return large_.size() > 0 || begin_ < end_; }
  /// Of the frames that have not begun to arrive.
  void set_max_frame_bytes(std::size_t bytes) { max_frame_bytes_ = bytes; }

 private:
  std::span<const std::byte> unread() const;
  void begin_large_frame();

  std::size_t max_frame_bytes_;

  // Small frames: what was read and not yet given out is [begin_, end_).
  kj::Array<kj::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t wanted_capacity_;

  // A large frame under way, of which large_filled_ bytes are there.
  Frame large_;
  std::size_t large_filled_ = 0;
};

}  // namespace holdfast::net
