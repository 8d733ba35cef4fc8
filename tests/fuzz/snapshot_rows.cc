#include <set>
#include <string>

#include "base/check.h"
#include "state/history.h"
#include "state/machine.h"
#include "state/rows.h"
#include "tests/fuzz/machine_check.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/targets.h"

/// An input is a list of pieces, a row each: the table, then its cells as the table's columns have them. A
/// piece behind the last table is a pack of history.
namespace holdfast::fuzz {

namespace {

Cell read_cell(ColumnType type, Reader& reader) {
  switch (type) {
    case ColumnType::kInteger:
      return static_cast<std::int64_t>(reader.number());
    case ColumnType::kText:
      return std::string(reader.text());
    case ColumnType::kBytes:
      return Blob(std::string(reader.text()));
  }
  return std::string();
}

void add_cell(const Cell& cell, std::string& piece) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    add_number(piece, static_cast<std::uint64_t>(*number));
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    add_text(piece, *text);
  } else {
    add_text(piece, std::get<Blob>(cell).view());
  }
}

/// Two rows of one key are what a table cannot hold.
std::string key_of(std::size_t table, const Row& row) {
  std::string key(1, static_cast<char>(table));
  for (std::size_t i = 0; i < state::table_descriptions()[table].key_columns; ++i) add_cell(row[i], key);
  return key;
}

}  // namespace

void snapshot_rows(std::string_view bytes) {
  const auto& tables = state::table_descriptions();
  state::Machine machine;
  state::Machine other;
  std::set<std::string> keys;
  for (const std::string_view piece : pieces_of(bytes)) {
    Reader reader(piece);
    const std::size_t table = reader.byte();
    if (table >= tables.size()) {
      static_cast<void>(state::decode_history(Blob(std::string(piece.substr(piece.empty() ? 0 : 1)))));
      continue;
    }
    Row row;
    for (const Column& column : tables[table].columns) row.push_back(read_cell(column.type, reader));
    if (!keys.insert(key_of(table, row)).second) continue;
    if (!machine.load(table, row) || !other.load(table, row)) return;
  }
  if (!machine.finish_loading() || !other.finish_loading()) return;
  // Whatever the rows said, two members that loaded them stay equal, and can write images again.
  for (state::Machine* one : {&machine, &other}) {
    go_on(*one);
    static_cast<void>(image_of(*one));
  }
  INVARIANT(machine.digest() == other.digest(), "the same rows make the same machine");
}

std::vector<std::string> snapshot_rows_seeds() {
  std::vector<std::string> seeds;
  for (const std::string& commands : apply_seeds()) {
    const auto pieces = pieces_of(commands);
    for (std::size_t count = 1; count <= pieces.size(); count += 2) {
      state::Machine machine;
      for (std::size_t i = 0; i < count; ++i) {
        static_cast<void>(machine.apply(machine.applied().next(), Blob(std::string(pieces[i]))));
      }
      std::string& seed = seeds.emplace_back();
      for (const RowChange& row : image_of(machine)) {
        std::string cells(1, static_cast<char>(row.table));
        for (const Cell& cell : row.cells) add_cell(cell, cells);
        add_piece(seed, cells);
      }
    }
  }
  return seeds;
}

}  // namespace holdfast::fuzz
