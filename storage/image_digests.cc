#include "storage/image_digests.h"

#include <string_view>

#include "storage/crc32c.h"
#include "storage/failure.h"

namespace holdfast::storage {
namespace {

// Stored: DO NOT CHANGE THE NUMBERS.
std::uint64_t tag_of(ColumnType type) {
  switch (type) {
    case ColumnType::kInteger:
      return 1;
    case ColumnType::kText:
      return 2;
    case ColumnType::kBytes:
      break;
  }
  return 3;
}

std::uint32_t add_integer(std::uint32_t crc, std::int64_t number) {
  return crc32c_number(crc32c_number(crc, tag_of(ColumnType::kInteger)), static_cast<std::uint64_t>(number));
}

std::uint32_t add_string(std::uint32_t crc, ColumnType type, std::string_view bytes) {
  return crc32c_text(crc32c_number(crc, tag_of(type)), bytes);
}

std::uint32_t add_cell(std::uint32_t crc, const Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return add_integer(crc, *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return add_string(crc, ColumnType::kText, *text);
  return add_string(crc, ColumnType::kBytes, std::get<Blob>(cell).view());
}

}  // namespace

std::uint32_t checksum_of(const Row& cells) {
  std::uint32_t crc = 0;
  for (const Cell& cell : cells) crc = add_cell(crc, cell);
  return crc;
}

std::uint32_t checksum_of(const Statement& found, const std::vector<Column>& columns) {
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const int column = static_cast<int>(i);
    crc = columns[i].type == ColumnType::kInteger ? add_integer(crc, found.integer(column))
                                                  : add_string(crc, columns[i].type, found.bytes(column));
  }
  return crc;
}

std::uint32_t checksum_of(Revision previous, const node::HistoryRow& row) {
  std::uint32_t crc = crc32c_number(0, previous.value());
  crc = crc32c_number(crc32c_number(crc, row.first.value()), row.last.value());
  return crc32c_text(crc, row.changes.view());
}

ImageFactsTable::ImageFactsTable(Connection& connection, const std::vector<TableDescription>& tables)
    : connection_(connection),
      read_(connection, "SELECT data_id, applied_index, last_revision, checksum FROM image WHERE one = 1"),
      write_(
          connection,
          "REPLACE INTO image (one, data_id, applied_index, last_revision, checksum) VALUES (1, ?, ?, ?, ?)"),
      read_digest_(connection, "SELECT row_count, checksum_sum FROM image_tables WHERE name = ?"),
      write_digest_(connection,
                    "REPLACE INTO image_tables (name, row_count, checksum_sum) VALUES (?, ?, ?)") {
  for (const TableDescription& table : tables) names_.emplace_back(table.name);
}

std::uint32_t ImageFactsTable::checksum_of_facts(const ImageFacts& facts) const {
  std::uint32_t crc = crc32c_text(0, facts.data_id);
  crc = crc32c_number(crc32c_number(crc, facts.applied.value()), facts.last_history.value());
  for (std::size_t table = 0; table < names_.size(); ++table) {
    // Tables without rows do not count: an image takes new ones without being written.
    const TableDigest& digest = facts.digests[table];
    if (digest == TableDigest{}) continue;
    crc = crc32c_number(crc32c_number(crc32c_text(crc, names_[table]), digest.rows), digest.sum);
  }
  return crc;
}

ImageFacts ImageFactsTable::read() {
  ImageFacts facts;
  facts.digests.resize(names_.size());
  if (!read_.step()) return facts;
  facts.data_id = read_.bytes(0);
  facts.applied = Index(read_.number(1));
  facts.last_history = Revision(read_.number(2));
  const std::uint64_t checksum = read_.number(3);
  read_.reset();
  for (std::size_t table = 0; table < names_.size(); ++table) {
    if (!read_digest_.bind_text(0, names_[table]).step()) continue;
    facts.digests[table] = {read_digest_.number(0), read_digest_.number(1)};
    read_digest_.reset();
  }
  if (checksum != checksum_of_facts(facts)) {
    throw StorageFailure(Errc::kCorrupt, "the image \"" + connection_.path() +
                                             "\" is damaged: the checksum of its index and digests does not "
                                             "match. " +
                                             kReplaceMember);
  }
  written_ = facts.digests;
  return facts;
}

void ImageFactsTable::write(const ImageFacts& facts) {
  write_.bind_text(0, facts.data_id)
      .bind_number(1, facts.applied.value())
      .bind_number(2, facts.last_history.value())
      .bind_number(3, checksum_of_facts(facts))
      .run();
  for (std::size_t table = 0; table < names_.size(); ++table) {
    const TableDigest& digest = facts.digests[table];
    if (!written_.empty() && written_[table] == digest) continue;
    write_digest_.bind_text(0, names_[table]).bind_number(1, digest.rows).bind_number(2, digest.sum).run();
  }
  written_ = facts.digests;
}

}  // namespace holdfast::storage
