#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Tells a write-ahead log that a crash has torn from one that has been damaged. SQLite stops reading at the
/// first frame whose checksum is wrong, without a word: one flipped bit silently drops every later commit.
///
/// After a power cut at most the last transaction can be incomplete, since every commit waited for the disk
/// before the next began. So behind the first bad frame a crash leaves at most one whole commit of the same
/// write-ahead log (same salts). Two or more, or a damaged header with frames behind it, are damage.
/// Ref: docs/formats/LOG.md, "Scan"; https://www.sqlite.org/fileformat2.html#the_write_ahead_log
namespace holdfast::storage {

constexpr std::size_t kWalHeaderBytes = 32;
constexpr std::size_t kWalFrameHeaderBytes = 24;

enum class WalVerdict {
  kEmpty,    ///< no frames
  kWhole,    ///< every frame of the current salts is good
  kTorn,     ///< ends in an incomplete transaction, as a crash leaves it
  kDamaged,  ///< holds commits that SQLite would silently drop
};

struct WalReport {
  WalVerdict verdict = WalVerdict::kEmpty;
  std::uint64_t good_frames = 0;      ///< before the first bad one
  std::uint64_t bad_frame = 0;        ///< counted from 1; 0 if none, or if the header is bad
  std::uint64_t commits_dropped = 0;  ///< whole commit frames behind the first bad frame
  friend bool operator==(const WalReport&, const WalReport&) = default;
};

/// Reads a write-ahead log piece by piece, so that its size does not matter.
class WalScanner {
 public:
  /// `bytes` may be shorter than a header if the file is.
  explicit WalScanner(std::string_view header);

  /// Size of the pieces to give to next(); 0 if the header is bad: then give the rest in any pieces.
  std::size_t frame_bytes() const { return header_good_ ? kWalFrameHeaderBytes + page_bytes_ : 0; }
  /// The next frame; the last may be cut short.
  void next(std::string_view frame);
  WalReport report() const;

 private:
  struct Checksum {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    friend bool operator==(const Checksum&, const Checksum&) = default;
  };
  Checksum add(Checksum sum, std::string_view bytes) const;
  bool is_good(std::string_view frame) const;

  bool header_whole_ = false;  // 32 bytes were there
  bool header_good_ = false;
  bool big_endian_sums_ = false;
  std::size_t page_bytes_ = 0;
  std::string salts_;
  Checksum before_;  // as stored in the frame before, or in the header
  std::uint64_t frames_ = 0;
  bool rest_holds_data_ = false;  // something but zeros behind a bad header
  WalReport report_;
};

WalReport scan_wal(std::string_view bytes);

}  // namespace holdfast::storage
