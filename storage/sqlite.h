#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/gathering_vfs.h"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

/// SQLite's C API as owned objects. Every result that is not a success is thrown as a StorageFailure.
namespace holdfast::storage {

enum class Checkpoint { kPassive, kTruncate };
class Statement;

/// The only connection to a database file. Thread: one at a time.
class Connection {
 public:
  /// Opens or creates the file; empty `vfs` means SQLite's default. `most_unsynced_bytes`: see GatheringVfs.
  Connection(std::string path, const std::string& vfs, std::size_t most_unsynced_bytes = 0);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void execute(const char* sql);
  /// Returns: the first column of the first row as text; empty if there is no row.
  std::string query(const char* sql);
  bool in_transaction() const;

  void begin();
  void commit();
  /// Never throws; whatever fails in it has failed before.
  void roll_back();

  /// Counts the frames of the write-ahead log from here on; it takes SQLite's place in checkpointing.
  void watch_wal();
  /// Frames in the write-ahead log that are not in the database file yet.
  int wal_frames() const { return wal_frames_; }
  /// Frames that its file has room for; it never shrinks but by Checkpoint::kTruncate.
  int wal_file_frames() const { return wal_file_frames_; }
  /// Moves all frames into the database file; the next write reuses the write-ahead log from its beginning.
  /// Requires: no transaction, no statement in the middle of its rows.
  void checkpoint(Checkpoint mode);

  /// The database file itself, without what is in the write-ahead log only. It is read through SQLite's own
  /// handle: to open and close it once more would drop the locks that SQLite holds on it.
  std::uint64_t file_size();
  /// Requires: `at` + `count` within the file.
  std::string read_file(std::uint64_t at, std::size_t count);

  /// Something failed: the database is not to be touched again.
  bool failed() const { return failed_; }
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }
  [[noreturn]] void fail(int code, const std::string& doing);
  void require_ok(int code, const char* doing) {
    if (code != 0) fail(code, doing);
  }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  sqlite3_file* database_file();

  std::string path_;
  GatheringVfs vfs_;
  std::unique_ptr<sqlite3, Close> handle_;
  // Prepared at the first use; a transaction costs less that way.
  std::unique_ptr<Statement> begin_, commit_;
  int wal_frames_ = 0;
  int wal_file_frames_ = 0;
  bool failed_ = false;
};

/// A prepared statement. Text and bytes are bound by reference: they must outlive the run.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Columns and parameters both count from 0 here.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind_number(int parameter, std::uint64_t value) {
    return bind(parameter, static_cast<std::int64_t>(value));
  }
  Statement& bind_text(int parameter, std::string_view text);
  Statement& bind_bytes(int parameter, std::string_view bytes);

  /// Returns: true if there is a row to look at. After false the statement is ready to run again.
  bool step();
  /// For statements without rows.
  void run();
  void reset();

  std::int64_t integer(int column) const;
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  /// Valid until the next step() or reset().
  std::string_view bytes(int column) const;
  bool is_integer(int column) const;

 private:
  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace holdfast::storage
