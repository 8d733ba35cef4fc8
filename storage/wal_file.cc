#include "storage/wal_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "storage/failure.h"
#include "storage/wal_scan.h"

namespace holdfast::storage {
namespace {

/// A file read the way SQLite reads it, so that tests which put their own file system under SQLite are seen.
class VfsFile {
 public:
  VfsFile(sqlite3_vfs& vfs, const std::string& path, int type)
      : path_(path), storage_(static_cast<std::size_t>(vfs.szOsFile)) {
    // SQLite wants a file name made by itself, with room for URI parameters behind it.
    name_ = sqlite3_create_filename(path.c_str(), "", "", 0, nullptr);
    file_ = reinterpret_cast<sqlite3_file*>(storage_.data());
    int effective = 0;
    const int code = vfs.xOpen(&vfs, name_, file_, SQLITE_OPEN_READONLY | type, &effective);
    if (code != SQLITE_OK) {
      sqlite3_free_filename(name_);
      throw sqlite_failure(code, sqlite3_errstr(code), path, "opening");
    }
  }
  ~VfsFile() {
    if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
    sqlite3_free_filename(name_);
  }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  std::int64_t size() {
    sqlite3_int64 bytes = 0;
    require_ok(file_->pMethods->xFileSize(file_, &bytes));
    return bytes;
  }
  std::string_view read(std::int64_t at, std::size_t count) {
    buffer_.resize(count);
    require_ok(file_->pMethods->xRead(file_, buffer_.data(), static_cast<int>(count), at));
    return buffer_;
  }

 private:
  void require_ok(int code) const {
    if (code != SQLITE_OK) throw sqlite_failure(code, sqlite3_errstr(code), path_, "reading");
  }

  std::string path_;
  std::vector<char> storage_;  // SQLite's file object lives in here; operator new aligns it
  sqlite3_filename name_ = nullptr;
  sqlite3_file* file_ = nullptr;
  std::string buffer_;
};

// Of a database file, as SQLite documents it.
constexpr std::int64_t kDatabaseHeaderBytes = 100;
constexpr std::int64_t kPageBytesAt = 16;

bool exists(sqlite3_vfs& vfs, const std::string& path) {
  int found = 0;
  const int code = vfs.xAccess(&vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &found);
  if (code != SQLITE_OK) throw sqlite_failure(code, sqlite3_errstr(code), path, "looking for");
  return found != 0;
}

WalReport scan_file(VfsFile& wal) {
  constexpr std::int64_t kPieceBytes = 1 << 16;  // behind a bad header
  const std::int64_t size = wal.size();
  std::int64_t at = std::min<std::int64_t>(size, kWalHeaderBytes);
  WalScanner scanner(wal.read(0, static_cast<std::size_t>(at)));
  const auto piece = static_cast<std::int64_t>(scanner.frame_bytes());
  while (at < size) {
    const std::int64_t count = std::min(size - at, piece == 0 ? kPieceBytes : piece);
    scanner.next(wal.read(at, static_cast<std::size_t>(count)));
    at += count;
  }
  return scanner.report();
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  return value;
}

/// A write-ahead log whose frames are all in the database is begun anew at its start: header first, and a
/// power cut may tear that. Behind a bad header, then, nothing is dropped if the database has every page as
/// the last commit of the frames left it. They are those with the first frame's salts.
bool is_in_database(VfsFile& wal, VfsFile& database) {
  if (database.size() < kDatabaseHeaderBytes) return false;
  const std::int64_t page_bytes = big_endian(database.read(kPageBytesAt, 2));
  const std::int64_t frame_bytes = kWalFrameHeaderBytes + page_bytes;
  std::map<std::uint32_t, std::int64_t> begun;  // page number -> where its newest content stands
  std::map<std::uint32_t, std::int64_t> committed;
  std::int64_t pages = 0;  // of the database, after the last commit
  std::string salts;
  for (std::int64_t at = kWalHeaderBytes; at + frame_bytes <= wal.size(); at += frame_bytes) {
    const std::string header(wal.read(at, kWalFrameHeaderBytes));
    if (salts.empty()) salts = header.substr(8, 8);
    if (header.compare(8, 8, salts) != 0) break;
    begun[big_endian(std::string_view(header).substr(0, 4))] = at + kWalFrameHeaderBytes;
    if (const std::uint32_t size = big_endian(std::string_view(header).substr(4, 4)); size != 0) {
      for (const auto& [page, place] : begun) committed[page] = place;
      begun.clear();
      pages = size;
    }
  }
  if (committed.empty() || database.size() < pages * page_bytes) return false;
  const auto page_size = static_cast<std::size_t>(page_bytes);
  return std::all_of(committed.begin(), committed.end(), [&](const auto& page) {
    if (page.first == 0) return false;
    if (page.first > pages) return true;  // given up by a later commit
    return wal.read(page.second, page_size) == database.read((page.first - 1) * page_bytes, page_size);
  });
}

std::string describe(const WalReport& report) {
  if (report.bad_frame == 0) return "its header is damaged";
  return "frame " + std::to_string(report.bad_frame) + " is damaged and " +
         std::to_string(report.commits_dropped) + " whole commits lie behind it";
}

}  // namespace

void require_sound_wal(const std::string& path, const std::string& vfs_name) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  if (vfs == nullptr) throw StorageFailure(Errc::kStorage, "there is no SQLite VFS named " + vfs_name);
  const std::string wal_path = path + "-wal";
  if (!exists(*vfs, wal_path)) return;
  VfsFile wal(*vfs, wal_path, SQLITE_OPEN_WAL);
  const WalReport report = scan_file(wal);
  if (report.verdict == WalVerdict::kEmpty) return;
  const bool header_bad = report.verdict == WalVerdict::kDamaged && report.bad_frame == 0;
  if (header_bad && exists(*vfs, path)) {
    VfsFile database(*vfs, path, SQLITE_OPEN_MAIN_DB);
    if (is_in_database(wal, database)) return;
  }
  if (report.verdict == WalVerdict::kDamaged) {
    throw StorageFailure(Errc::kCorrupt,
                         "the write-ahead log \"" + wal_path + "\" is damaged: " + describe(report) +
                             "; opening it would silently drop what was acknowledged. " + kReplaceMember);
  }
  if (!exists(*vfs, path) || VfsFile(*vfs, path, SQLITE_OPEN_MAIN_DB).size() == 0) {
    throw StorageFailure(Errc::kCorrupt, "the write-ahead log \"" + wal_path +
                                             "\" holds data but its database \"" + path +
                                             "\" is missing or empty; put the file back");
  }
}

}  // namespace holdfast::storage
