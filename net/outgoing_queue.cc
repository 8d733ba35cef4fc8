#include "net/outgoing_queue.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"

namespace holdfast::net {
namespace {

constexpr std::size_t kSmallestPiece = 4 * 1024;
constexpr std::size_t kLargestPiece = 64 * 1024;
constexpr std::size_t kCopyBelow = 16 * 1024;  // a frame as small as this is cheaper to copy than to gather
constexpr std::size_t kMaxPiecesPerWrite = 64;

std::size_t header_words(std::size_t segments) { return (segments + 2) / 2; }

}  // namespace

std::size_t frame_bytes(OutgoingQueue::Segments segments) {
  std::size_t words = header_words(segments.size());
  for (const auto& segment : segments) {
    words += segment.size();
  }
  return words * sizeof(capnp::word);
}

const kj::byte* OutgoingQueue::Piece::data() const {
  return frame.size() > 0 ? frame.asBytes().begin() : bytes.begin();
}

void OutgoingQueue::append(const void* data, std::size_t size) {
  const auto* from = static_cast<const kj::byte*>(data);
  bytes_ += size;
  while (size > 0) {
    if (pieces_.empty() || pieces_.back().room() == 0) {
      next_piece_ = std::clamp(next_piece_ * 2, kSmallestPiece, kLargestPiece);
      Piece piece;
      piece.bytes = kj::heapArray<kj::byte>(next_piece_);
      pieces_.push_back(std::move(piece));
    }
    Piece& piece = pieces_.back();
    const std::size_t now = std::min(size, piece.room());
    std::memcpy(piece.bytes.begin() + piece.end, from, now);
    piece.end += now;
    from += now;
    size -= now;
  }
}

void OutgoingQueue::add(Segments segments) {
  INVARIANT(segments.size() > 0 && segments.size() <= limits::kMaxFrameSegments,
            "the peer refuses a frame of so many segments");
  std::array<std::uint32_t, limits::kMaxFrameSegments + 2> header;
  header[0] = static_cast<std::uint32_t>(segments.size() - 1);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    header[i + 1] = static_cast<std::uint32_t>(segments[i].size());
  }
  header[segments.size() + 1] = 0;  // what fills the last word, if it is half full
  append(header.data(), header_words(segments.size()) * sizeof(capnp::word));
  for (const auto& segment : segments) {
    append(segment.begin(), segment.size() * sizeof(capnp::word));
  }
}

void OutgoingQueue::add(Frame frame) {
  const auto whole = frame.asBytes();
  if (whole.size() < kCopyBelow) {
    append(whole.begin(), whole.size());
    return;
  }
  bytes_ += whole.size();
  Piece piece;
  piece.end = whole.size();
  piece.frame = kj::mv(frame);
  pieces_.push_back(std::move(piece));
}

std::vector<asio::const_buffer> OutgoingQueue::gather() const {
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(std::min(pieces_.size(), kMaxPiecesPerWrite));
  for (const Piece& piece : pieces_) {
    if (buffers.size() == kMaxPiecesPerWrite) {
      break;
    }
    buffers.emplace_back(piece.data() + piece.begin, piece.end - piece.begin);
  }
  return buffers;
}

void OutgoingQueue::consumed(std::size_t bytes) {
  INVARIANT(bytes <= bytes_, "more was written than was queued");
  bytes_ -= bytes;
  while (bytes > 0) {
    Piece& piece = pieces_.front();
    const std::size_t now = std::min(bytes, piece.end - piece.begin);
    piece.begin += now;
    bytes -= now;
    if (piece.begin == piece.end) {
      pieces_.pop_front();
    }
  }
  if (pieces_.empty()) {
    next_piece_ = 0;
  }
}

void OutgoingQueue::clear() {
  pieces_.clear();
  bytes_ = 0;
  next_piece_ = 0;
}

}  // namespace holdfast::net
