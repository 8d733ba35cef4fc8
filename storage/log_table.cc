#include "storage/log_table.h"

#include <limits>

namespace holdfast::storage {
namespace {

void take_row(const Statement& row, LogPack& pack) {
  pack.first = Index(row.number(0));
  pack.last = Index(row.number(1));
  pack.term = Term(row.number(2));
  pack.chain = static_cast<std::uint32_t>(row.number(3));
  pack.entries = row.bytes(4);
}

}  // namespace

LogTable::LogTable(Connection& connection)
    : insert_(connection,
              "INSERT INTO log (first_index, last_index, term, chain, entries) VALUES (?, ?, ?, ?, ?)"),
      find_(connection,
            "SELECT first_index, last_index, term, chain, entries FROM log WHERE first_index <= ? "
            "ORDER BY first_index DESC LIMIT 1"),
      lowest_(connection, "SELECT first_index FROM log ORDER BY first_index LIMIT 1"),
      read_(connection,
            "SELECT first_index, last_index, term, chain, entries FROM log WHERE first_index >= ? "
            "ORDER BY first_index"),
      remove_from_(connection, "DELETE FROM log WHERE first_index >= ?"),
      remove_below_(connection, "DELETE FROM log WHERE first_index < ?"),
      skip_(connection,
            "SELECT first_index FROM log WHERE first_index < ? ORDER BY first_index LIMIT 1 OFFSET ?") {}

void LogTable::insert(const LogPack& pack) {
  insert_.bind_number(0, pack.first.value())
      .bind_number(1, pack.last.value())
      .bind_number(2, pack.term.value())
      .bind_number(3, pack.chain)
      .bind_bytes(4, pack.entries)
      .run();
}

std::optional<LogPack> LogTable::find(Index index) {
  if (!find_.bind_number(0, index.value()).step()) return std::nullopt;
  LogPack pack;
  take_row(find_, pack);
  find_.reset();
  return pack;
}

std::optional<LogPack> LogTable::last() { return find(Index(std::numeric_limits<std::int64_t>::max())); }

std::optional<Index> LogTable::lowest() {
  if (!lowest_.step()) return std::nullopt;
  const Index first(lowest_.number(0));
  lowest_.reset();
  return first;
}

void LogTable::read_from(Index first, const std::function<void(LogPack& pack)>& take) {
  LogPack pack;
  read_.bind_number(0, first.value());
  while (read_.step()) {
    take_row(read_, pack);
    take(pack);
  }
}

void LogTable::remove_from(Index first) { remove_from_.bind_number(0, first.value()).run(); }

bool LogTable::remove_below(Index first, std::uint64_t most) {
  const bool more = skip_.bind_number(0, first.value()).bind_number(1, most).step();
  const Index bound = more ? Index(skip_.number(0)) : first;
  if (more) skip_.reset();
  remove_below_.bind_number(0, bound.value()).run();
  return more;
}

}  // namespace holdfast::storage
