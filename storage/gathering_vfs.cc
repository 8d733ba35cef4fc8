#include "storage/gathering_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "storage/failure.h"

namespace holdfast::storage {

struct GatheringVfs::Below {
  sqlite3_vfs* vfs;
  std::size_t most_unsynced_bytes;
};

namespace {

// More gains little: a call for every eight pages or more.
constexpr std::size_t kMostBytes = 64 << 10;

/// What SQLite holds of an open file; the file of the VFS below lies behind it.
struct OpenFile {
  sqlite3_file base;
  std::string* gathered;  // null: nothing is gathered
  sqlite3_int64 at;       // of the first byte of `gathered`
  std::size_t most_unsynced;
  std::size_t unsynced;  // bytes written since the last sync
  int untold;  // a write failed, and SQLite may not have heeded it: the next call that it heeds says so
};
static_assert(sizeof(OpenFile) % 8 == 0, "the file below is aligned as SQLite aligns this one");

OpenFile& of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&of(file) + 1); }

int write_gathered(sqlite3_file* file) {
  OpenFile& open = of(file);
  if (open.gathered == nullptr || open.gathered->empty()) return SQLITE_OK;
  sqlite3_file* real = below(file);
  const int code =
      real->pMethods->xWrite(real, open.gathered->data(), static_cast<int>(open.gathered->size()), open.at);
  open.unsynced += open.gathered->size();
  open.gathered->clear();
  if (code != SQLITE_OK || open.most_unsynced == 0 || open.unsynced < open.most_unsynced) return code;
  open.unsynced = 0;
  return real->pMethods->xSync(real, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

/// For the calls whose failures SQLite always heeds.
int write_and_tell(sqlite3_file* file) {
  const int untold = std::exchange(of(file).untold, SQLITE_OK);
  return untold != SQLITE_OK ? untold : write_gathered(file);
}

/// Writes what was gathered, then calls `method` of the file below.
template <auto method, typename... Arguments>
int after_writing(sqlite3_file* file, Arguments... arguments) {
  const int code = write_and_tell(file);
  if (code != SQLITE_OK) return code;
  return (below(file)->pMethods->*method)(below(file), arguments...);
}

int sync_file(sqlite3_file* file, int flags) {
  const int code = write_and_tell(file);
  if (code != SQLITE_OK) return code;
  of(file).unsynced = 0;
  return below(file)->pMethods->xSync(below(file), flags);
}

/// SQLite passes over a failure here where it only wants a write-ahead log to be shorter.
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const int code = write_gathered(file);
  if (code != SQLITE_OK) return of(file).untold = code;
  return below(file)->pMethods->xTruncate(below(file), size);
}

/// As if what was gathered were written. Nothing is, for a failure would be passed over in places, and in
/// others be met again and again, with nothing in between that would end it.
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const int code = below(file)->pMethods->xFileSize(below(file), size);
  const OpenFile& open = of(file);
  if (code == SQLITE_OK && open.gathered != nullptr && !open.gathered->empty()) {
    *size = std::max(*size, open.at + static_cast<sqlite3_int64>(open.gathered->size()));
  }
  return code;
}

/// An atomic batch would begin and end without the writes that are gathered.
int device_characteristics(sqlite3_file* file) {
  return below(file)->pMethods->xDeviceCharacteristics(below(file)) & ~SQLITE_IOCAP_BATCH_ATOMIC;
}

template <auto method, typename... Arguments>
int pass_on(sqlite3_file* file, Arguments... arguments) {
  return (below(file)->pMethods->*method)(below(file), arguments...);
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
  OpenFile& open = of(file);
  if (open.gathered == nullptr) return below(file)->pMethods->xWrite(below(file), from, count, at);
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(count));
  const bool adjacent = at == open.at + static_cast<sqlite3_int64>(open.gathered->size());
  if (!adjacent || open.gathered->size() + bytes.size() > kMostBytes || open.untold != SQLITE_OK) {
    if (const int code = write_and_tell(file); code != SQLITE_OK) return code;
  }
  if (open.gathered->empty()) open.at = at;
  open.gathered->append(bytes);
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  const int written = write_and_tell(file);
  const int closed = below(file)->pMethods->xClose(below(file));
  delete of(file).gathered;
  return written != SQLITE_OK ? written : closed;
}

sqlite3_io_methods make_methods() {
  using Methods = sqlite3_io_methods;
  Methods methods{};
  methods.iVersion = 1;
  methods.xClose = close_file;
  methods.xRead = after_writing<&Methods::xRead, void*, int, sqlite3_int64>;
  methods.xWrite = write_file;
  methods.xTruncate = truncate_file;
  methods.xSync = sync_file;
  methods.xFileSize = file_size;
  methods.xLock = pass_on<&Methods::xLock, int>;
  methods.xUnlock = pass_on<&Methods::xUnlock, int>;  // nobody else reads the file, and its close writes
  methods.xCheckReservedLock = pass_on<&Methods::xCheckReservedLock, int*>;
  // Hints, whose results SQLite passes over: they must not be what a write fails in.
  methods.xFileControl = pass_on<&Methods::xFileControl, int, void*>;
  methods.xSectorSize = pass_on<&Methods::xSectorSize>;
  methods.xDeviceCharacteristics = device_characteristics;
  return methods;
}

const sqlite3_io_methods kMethods = make_methods();

const GatheringVfs::Below& of(sqlite3_vfs* vfs) { return *static_cast<GatheringVfs::Below*>(vfs->pAppData); }
sqlite3_vfs* below(sqlite3_vfs* vfs) { return of(vfs).vfs; }

template <auto method, typename... Arguments>
auto pass_on_call(sqlite3_vfs* vfs, Arguments... arguments) {
  return (below(vfs)->*method)(below(vfs), arguments...);
}

int open_file(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* effective) {
  OpenFile& open = *new (file) OpenFile{};
  below(file)->pMethods = nullptr;
  const int code = below(vfs)->xOpen(below(vfs), name, below(file), flags, effective);
  if (below(file)->pMethods == nullptr) return code;  // else it is closed, also after an error
  open.base.pMethods = &kMethods;
  if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0) open.gathered = new std::string;
  open.most_unsynced = of(vfs).most_unsynced_bytes;
  return code;
}

}  // namespace

GatheringVfs::GatheringVfs(const std::string& below, std::size_t most_unsynced_bytes)
    : vfs_(std::make_unique<sqlite3_vfs>()) {
  sqlite3_vfs* found = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
  if (found == nullptr) throw StorageFailure(Errc::kStorage, "there is no SQLite VFS named " + below);
  name_ = "gathering-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  using Vfs = sqlite3_vfs;
  vfs_->iVersion = 1;
  vfs_->szOsFile = static_cast<int>(sizeof(OpenFile)) + found->szOsFile;
  vfs_->mxPathname = found->mxPathname;
  vfs_->zName = name_.c_str();
  below_ = std::make_unique<Below>(Below{found, most_unsynced_bytes});
  vfs_->pAppData = below_.get();
  vfs_->xOpen = open_file;
  vfs_->xDelete = pass_on_call<&Vfs::xDelete, const char*, int>;
  vfs_->xAccess = pass_on_call<&Vfs::xAccess, const char*, int, int*>;
  vfs_->xFullPathname = pass_on_call<&Vfs::xFullPathname, const char*, int, char*>;
  vfs_->xRandomness = pass_on_call<&Vfs::xRandomness, int, char*>;
  vfs_->xSleep = pass_on_call<&Vfs::xSleep, int>;
  vfs_->xCurrentTime = pass_on_call<&Vfs::xCurrentTime, double*>;
  vfs_->xGetLastError = pass_on_call<&Vfs::xGetLastError, int, char*>;
  INVARIANT(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK, "a VFS of a new name can be registered");
}

GatheringVfs::~GatheringVfs() { sqlite3_vfs_unregister(vfs_.get()); }

}  // namespace holdfast::storage
