#include "tests/storage/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <new>
#include <string_view>

#include "base/check.h"

namespace {

/// What SQLite holds of an open file.
struct OpenFile {
  sqlite3_file base;
  FaultyDisk* disk;
  FaultyDisk::File* file;
  std::shared_ptr<FaultyDisk::File>* owner;
};

OpenFile& of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
FaultyDisk& disk_of(sqlite3_vfs* vfs) { return *static_cast<FaultyDisk*>(vfs->pAppData); }

int result(Fault fault, int error) {
  switch (fault) {
    case Fault::kNone:
      return SQLITE_OK;
    case Fault::kFull:
      return SQLITE_FULL;
    case Fault::kIoError:
    case Fault::kPowerCut:
      break;
  }
  return error;
}

int close_file(sqlite3_file* file) {
  delete of(file).owner;
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
  const auto wanted = static_cast<std::size_t>(count);
  const std::size_t there =
      of(file).disk->read(*of(file).file, static_cast<std::size_t>(at), wanted, static_cast<char*>(into));
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(count));
  return result(of(file).disk->write(*of(file).file, static_cast<std::size_t>(at), bytes),
                SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return result(of(file).disk->truncate(*of(file).file, static_cast<std::size_t>(size)),
                SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int) {
  return result(of(file).disk->sync(*of(file).file), SQLITE_IOERR_FSYNC);
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(file).disk->size(*of(file).file));
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) { return SQLITE_OK; }
int check_lock(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int control_file(sqlite3_file*, int operation, void* argument) {
  if (operation != SQLITE_FCNTL_MMAP_SIZE) return SQLITE_NOTFOUND;
  *static_cast<sqlite3_int64*>(argument) = 0;  // nothing is ever mapped
  return SQLITE_OK;
}
int sector_size(sqlite3_file*) { return 4096; }
int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

sqlite3_io_methods make_methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xClose = close_file;
  methods.xRead = read_file;
  methods.xWrite = write_file;
  methods.xTruncate = truncate_file;
  methods.xSync = sync_file;
  methods.xFileSize = size_of_file;
  methods.xLock = lock_file;
  methods.xUnlock = lock_file;
  methods.xCheckReservedLock = check_lock;
  methods.xFileControl = control_file;
  methods.xSectorSize = sector_size;
  methods.xDeviceCharacteristics = device_characteristics;
  return methods;
}

const sqlite3_io_methods kMethods = make_methods();

int open_file(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* effective) {
  OpenFile& open = *new (file) OpenFile{};
  INVARIANT(name != nullptr, "temporary files are kept in memory");
  auto found = disk_of(vfs).open(name, (flags & SQLITE_OPEN_CREATE) != 0);
  if (!found) return SQLITE_CANTOPEN;
  open.disk = &disk_of(vfs);
  open.file = found.get();
  open.owner = new std::shared_ptr<FaultyDisk::File>(std::move(found));
  open.base.pMethods = &kMethods;
  if (effective != nullptr) *effective = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  if (!disk_of(vfs).exists(name)) return SQLITE_IOERR_DELETE_NOENT;
  return result(disk_of(vfs).remove(name), SQLITE_IOERR_DELETE);
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* found) {
  *found = disk_of(vfs).exists(name) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* into) {
  sqlite3_snprintf(size, into, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int count, char* into) {
  std::generate_n(into, count, [&] { return static_cast<char>(disk_of(vfs).random()); });
  return count;
}

int wait(sqlite3_vfs*, int microseconds) { return microseconds; }
int current_time(sqlite3_vfs*, double* julian_day) {
  *julian_day = 2460000.5;
  return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

FaultVfs::FaultVfs(FaultyDisk& disk) : vfs_(std::make_unique<sqlite3_vfs>()) {
  name_ = "faulty-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(OpenFile);
  vfs_->mxPathname = 512;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = &disk;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  vfs_->xAccess = access_file;
  vfs_->xFullPathname = full_path;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = wait;
  vfs_->xCurrentTime = current_time;
  vfs_->xGetLastError = last_error;
  INVARIANT(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK, "a VFS of a new name can be registered");
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(vfs_.get()); }

void seed_sqlite(std::uint32_t seed) {
  // Zero would mean: the operating system's.
  const int code = sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed | 1), nullptr);
  INVARIANT(code == SQLITE_OK, "SQLite's random numbers can be seeded");
}
