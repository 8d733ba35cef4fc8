#include "storage/wal_scan.h"

#include <algorithm>

namespace holdfast::storage {
namespace {

constexpr std::uint32_t kMagicLittle = 0x377f0682;
constexpr std::uint32_t kMagicBig = 0x377f0683;
constexpr std::uint32_t kWalVersion = 3007000;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

bool is_page_size(std::uint32_t bytes) {
  return bytes >= 512 && bytes <= 65536 && (bytes & (bytes - 1)) == 0;
}

}  // namespace

WalScanner::WalScanner(std::string_view header) : header_whole_(header.size() >= kWalHeaderBytes) {
  if (!header_whole_) return;
  const std::uint32_t magic = big_endian(header, 0);
  big_endian_sums_ = magic == kMagicBig;
  before_ = Checksum{big_endian(header, 24), big_endian(header, 28)};
  page_bytes_ = big_endian(header, 8);
  salts_ = header.substr(16, 8);
  header_good_ = (magic == kMagicLittle || magic == kMagicBig) && big_endian(header, 4) == kWalVersion &&
                 is_page_size(big_endian(header, 8)) && add({}, header.substr(0, 24)) == before_;
}

WalScanner::Checksum WalScanner::add(Checksum sum, std::string_view bytes) const {
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    const std::uint32_t one = big_endian_sums_ ? big_endian(bytes, at) : little_endian(bytes, at);
    const std::uint32_t two = big_endian_sums_ ? big_endian(bytes, at + 4) : little_endian(bytes, at + 4);
    sum.first += one + sum.second;
    sum.second += two + sum.first;
  }
  return sum;
}

bool WalScanner::is_good(std::string_view frame) const {
  if (frame.size() < frame_bytes() || frame.substr(8, 8) != salts_ || big_endian(frame, 0) == 0) return false;
  const Checksum stored{big_endian(frame, 16), big_endian(frame, 20)};
  return add(add(before_, frame.substr(0, 8)), frame.substr(kWalFrameHeaderBytes)) == stored;
}

void WalScanner::next(std::string_view frame) {
  if (!header_good_) {
    rest_holds_data_ = rest_holds_data_ || std::any_of(frame.begin(), frame.end(), [](char c) { return c; });
    return;
  }
  ++frames_;
  const bool good = is_good(frame);
  const bool commits = good && big_endian(frame, 4) != 0;  // the database's size after the commit
  if (good && report_.bad_frame == 0) ++report_.good_frames;
  if (!good && report_.bad_frame == 0) report_.bad_frame = frames_;
  if (commits && report_.bad_frame != 0) ++report_.commits_dropped;
  if (frame.size() >= kWalFrameHeaderBytes) {
    before_ = Checksum{big_endian(frame, 16), big_endian(frame, 20)};
  }
}

WalReport WalScanner::report() const {
  WalReport report = report_;
  if (!header_good_) {
    report.verdict = rest_holds_data_ ? WalVerdict::kDamaged : WalVerdict::kEmpty;
  } else if (report.commits_dropped >= 2) {
    report.verdict = WalVerdict::kDamaged;
  } else if (report.bad_frame != 0) {
    report.verdict = WalVerdict::kTorn;
  } else {
    report.verdict = frames_ == 0 ? WalVerdict::kEmpty : WalVerdict::kWhole;
  }
  return report;
}

WalReport scan_wal(std::string_view bytes) {
  WalScanner scanner(bytes.substr(0, kWalHeaderBytes));
  if (bytes.size() <= kWalHeaderBytes) return scanner.report();
  bytes.remove_prefix(kWalHeaderBytes);
  const std::size_t piece = scanner.frame_bytes() == 0 ? bytes.size() : scanner.frame_bytes();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    scanner.next(bytes.substr(0, piece));
  }
  return scanner.report();
}

}  // namespace holdfast::storage
