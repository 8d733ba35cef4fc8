#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rows.h"
#include "node/ports/image_store.h"
#include "storage/sqlite.h"

/// What finds a flipped bit in an image, at a cost in proportion to what changes. Layout:
/// docs/formats/LOG.md, "state.db". DO NOT CHANGE HOW THEY ARE COMPUTED.
namespace holdfast::storage {

/// CRC-32C of a row's cells, each with its type.
std::uint32_t checksum_of(const Row& cells);
/// The same of the row that `found` stands at, without making cells of it.
std::uint32_t checksum_of(const Statement& found, const std::vector<Column>& columns);
/// CRC-32C of a row of the history table; `previous` is the last revision of the row before it, zero if none.
std::uint32_t checksum_of(Revision previous, const node::HistoryRow& row);

/// The rows of a table, whatever their order: their number, and the sum of their checksums. A changed row is
/// taken out as it was and put in as it is.
struct TableDigest {
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;

  void put_in(std::uint32_t checksum) {
    ++rows;
    sum += checksum;
  }
  void take_out(std::uint32_t checksum) {
    --rows;
    sum -= checksum;
  }
  friend bool operator==(const TableDigest&, const TableDigest&) = default;
};

/// The single row of table `image`, and the digests of the tables that belong to it.
struct ImageFacts {
  std::string data_id;
  Index applied;
  Revision last_history;
  std::vector<TableDigest> digests;  ///< in the order of the descriptions
};

class ImageFactsTable {
 public:
  ImageFactsTable(Connection& connection, const std::vector<TableDescription>& tables);

  /// Returns: no data_id if the image is new. Throws: StorageFailure if the checksum does not match.
  ImageFacts read();
  /// Requires: a transaction.
  void write(const ImageFacts& facts);
  /// What write() has written may be gone.
  void rolled_back() { written_.clear(); }

 private:
  std::uint32_t checksum_of_facts(const ImageFacts& facts) const;

  Connection& connection_;
  std::vector<std::string> names_;
  Statement read_, write_, read_digest_, write_digest_;
  std::vector<TableDigest> written_;  // as the table has them; empty: not known
};

}  // namespace holdfast::storage
