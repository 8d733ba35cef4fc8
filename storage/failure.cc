#include "storage/failure.h"

#include <sqlite3.h>

namespace holdfast::storage {

StorageFailure sqlite_failure(int code, const std::string& detail, const std::string& path,
                              const std::string& doing) {
  const std::string what = doing + " \"" + path + "\" failed: ";
  const std::string why = detail + " (SQLite code " + std::to_string(code) + ")";
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::kCorrupt, what + why + "; the file is damaged. " + kReplaceMember};
    case SQLITE_BUSY:
      return {Errc::kStorage, what + why + "; another process has the file open, close it and start again"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return {Errc::kStorage, what + why + "; check that this user may read and write it"};
    default:
      return {Errc::kStorage, what + why + "; check the disk, then start again"};
  }
}

}  // namespace holdfast::storage
