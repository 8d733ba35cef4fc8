#include "storage/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "storage/failure.h"

namespace holdfast::storage {

void Connection::Close::operator()(sqlite3* handle) const {
  // Statements are members of whoever uses the connection and are gone by now.
  sqlite3_close_v2(handle);
}

Connection::Connection(std::string path, const std::string& vfs, std::size_t most_unsynced_bytes)
    : path_(std::move(path)), vfs_(vfs, most_unsynced_bytes) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path_.c_str(), &handle, flags, vfs_.name().c_str());
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(code, "opening");
  // Closing must not write: after a failed write the files have to stay as they are.
  require_ok(sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr), "opening");
}

Connection::~Connection() = default;

void Connection::fail(int code, const std::string& doing) {
  // The one error that is certain: nothing of the transaction is there, and it can be rolled back.
  if ((code & 0xff) == SQLITE_FULL) throw DiskFull(doing + " \"" + path_ + "\"");
  failed_ = true;
  const char* detail = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  throw sqlite_failure(code, detail, path_, doing);
}

void Connection::execute(const char* sql) {
  require_ok(sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr), sql);
}

std::string Connection::query(const char* sql) {
  Statement statement(*this, sql);
  std::string value;
  if (statement.step()) {
    value = statement.bytes(0);
    while (statement.step()) {
    }
  }
  return value;
}

void Connection::begin() {
  if (!begin_) begin_ = std::make_unique<Statement>(*this, "BEGIN IMMEDIATE");
  begin_->run();
}

void Connection::commit() {
  if (!commit_) commit_ = std::make_unique<Statement>(*this, "COMMIT");
  commit_->run();
}

void Connection::roll_back() { sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

void Connection::watch_wal() {
  sqlite3_wal_hook(
      handle(),
      [](void* self, sqlite3*, const char*, int frames) {
        auto& connection = *static_cast<Connection*>(self);
        connection.wal_frames_ = frames;
        connection.wal_file_frames_ = std::max(connection.wal_file_frames_, frames);
        return SQLITE_OK;
      },
      this);
}

void Connection::checkpoint(Checkpoint mode) {
  int frames = 0;
  int moved = 0;
  const int how = mode == Checkpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
  require_ok(sqlite3_wal_checkpoint_v2(handle(), nullptr, how, &frames, &moved), "checkpointing");
  // Success may be reported although frames were left behind; with one connection none may be.
  if (frames != moved) fail(SQLITE_BUSY, "checkpointing every frame of");
  wal_frames_ = 0;
  if (mode == Checkpoint::kTruncate) wal_file_frames_ = 0;
}

std::uint64_t Connection::file_size() {
  sqlite3_file* file = database_file();
  sqlite3_int64 bytes = 0;
  require_ok(file->pMethods->xFileSize(file, &bytes), "looking at the size of");
  return static_cast<std::uint64_t>(bytes);
}

std::string Connection::read_file(std::uint64_t at, std::size_t count) {
  sqlite3_file* file = database_file();
  std::string bytes(count, '\0');
  require_ok(
      file->pMethods->xRead(file, bytes.data(), static_cast<int>(count), static_cast<sqlite3_int64>(at)),
      "reading");
  return bytes;
}

sqlite3_file* Connection::database_file() {
  sqlite3_file* file = nullptr;
  require_ok(sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file), "finding the file of");
  return file;
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  connection.require_ok(sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                                           SQLITE_PREPARE_PERSISTENT, &statement_, nullptr),
                        "preparing a statement for");
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  connection_.require_ok(sqlite3_bind_int64(statement_, parameter + 1, value), "binding a number for");
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would be bound as NULL
  connection_.require_ok(
      sqlite3_bind_text64(statement_, parameter + 1, data, text.size(), SQLITE_STATIC, SQLITE_UTF8),
      "binding text for");
  return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view bytes) {
  const char* data = bytes.data() ? bytes.data() : "";
  connection_.require_ok(sqlite3_bind_blob64(statement_, parameter + 1, data, bytes.size(), SQLITE_STATIC),
                         "binding bytes for");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    const bool reads = sqlite3_stmt_readonly(statement_) != 0;
    reset();  // keeps the error's text
    connection_.fail(code, reads ? "reading" : "writing");
  }
  reset();
  return false;
}

void Statement::run() {
  const bool row = step();
  INVARIANT(!row, "a statement that only writes has returned a row");
}

void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data ? std::string_view(static_cast<const char*>(data), size) : std::string_view();
}

bool Statement::is_integer(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_INTEGER;
}

Transaction::Transaction(Connection& connection) : connection_(connection) { connection_.begin(); }

Transaction::~Transaction() {
  // After a failure nothing is touched any more; closing the connection drops the transaction.
  if (open_ && !connection_.failed()) connection_.roll_back();
}

void Transaction::commit() {
  connection_.commit();
  open_ = false;
}

}  // namespace holdfast::storage
