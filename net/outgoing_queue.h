#pragma once

#include <capnp/common.h>
#include <kj/array.h>

#include <asio/buffer.hpp>
#include <cstddef>
#include <deque>
#include <vector>

namespace holdfast::net {

/// Frames on their way out, as few pieces of memory as it takes to write them with one system call. Memory
/// that gather() has shown stays where it is until consumed() passed it, whatever is added meanwhile.
class OutgoingQueue {
 public:
  using Frame = kj::Array<capnp::word>;
  using Segments = kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>;

  /// Copies the segments, with the header they need. Requires: at least one segment.
  void add(Segments segments);
  /// A whole frame, header included; kept as it is if large, copied if small.
  void add(Frame frame);

  std::size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  /// The bytes to write next, in order: as many pieces as one system call takes.
  std::vector<asio::const_buffer> gather() const;
  void consumed(std::size_t bytes);
  /// Requires: what gather() showed is in nobody's hands.
  void clear();

 private:
  struct Piece {
    kj::Array<kj::byte> bytes;
    Frame frame;  // instead of bytes
    std::size_t begin = 0;
    std::size_t end = 0;

    const kj::byte* data() const;
    std::size_t room() const { return frame.size() > 0 ? 0 : bytes.size() - end; }
  };

  void append(const void* data, std::size_t size);

  std::deque<Piece> pieces_;
  std::size_t bytes_ = 0;
  std::size_t next_piece_ = 0;
};

/// The size of a frame of these segments, header included.
std::size_t frame_bytes(OutgoingQueue::Segments segments);

}  // namespace holdfast::net
