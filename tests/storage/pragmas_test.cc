#include "storage/pragmas.h"

#include <catch2/catch.hpp>

#include "storage/database.h"
#include "storage/failure.h"
#include "tests/temporary_directory.h"

using namespace holdfast::storage;

TEST_CASE("the settings that durability needs are in effect") {
  TemporaryDirectory directory;
  for (int opened = 0; opened < 2; ++opened) {  // a new database and an old one
    Connection connection(directory.file("a.db"), "");
    apply_pragmas(connection, kPageBytes);
    connection.execute("CREATE TABLE IF NOT EXISTS t (a)");
    CHECK(connection.query("PRAGMA journal_mode") == "wal");
    CHECK(connection.query("PRAGMA synchronous") == "2");
    CHECK(connection.query("PRAGMA locking_mode") == "exclusive");
    CHECK(connection.query("PRAGMA wal_autocheckpoint") == "0");
    CHECK(connection.query("PRAGMA mmap_size") == "0");
    CHECK(connection.query("PRAGMA page_size") == "4096");
    CHECK_FALSE(std::filesystem::exists(directory.file("a.db-shm")));
  }
}

TEST_CASE("a second connection to a database is refused") {
  TemporaryDirectory directory;
  Connection first(directory.file("a.db"), "");
  apply_pragmas(first, kPageBytes);
  first.execute("CREATE TABLE t (a)");
  Connection second(directory.file("a.db"), "");
  CHECK_THROWS_WITH(apply_pragmas(second, kPageBytes), Catch::Contains("another process has the file open"));
}

TEST_CASE("a setting that is not in effect is an error") {
  TemporaryDirectory directory;
  Connection old(directory.file("a.db"), "");
  old.execute("PRAGMA page_size=8192");
  old.execute("CREATE TABLE t (a)");
  CHECK_THROWS_WITH(apply_pragmas(old, kPageBytes),
                    Catch::Contains("PRAGMA page_size=4096") && Catch::Contains("8192"));
}

TEST_CASE("a write is not left to a closing connection") {
  TemporaryDirectory directory;
  {
    Connection connection(directory.file("a.db"), "");
    apply_pragmas(connection, kPageBytes);
    connection.execute("CREATE TABLE t (a)");
    CHECK(connection.wal_frames() > 0);
  }
  CHECK(std::filesystem::file_size(directory.file("a.db-wal")) > 0);
}
