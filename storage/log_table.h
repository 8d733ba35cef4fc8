#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "storage/log_pack.h"
#include "storage/sqlite.h"

namespace holdfast::storage {

/// The rows of table `log` of the log database. Which of them count, and whether they are whole, is for
/// LogDatabase to say. Every change requires a transaction. Throws: StorageFailure.
class LogTable {
 public:
  explicit LogTable(Connection& connection);

  void insert(const LogPack& pack);
  /// The pack that begins at `index`, or the last one that begins before it.
  std::optional<LogPack> find(Index index);
  std::optional<LogPack> last();
  std::optional<Index> lowest();
  /// Gives all packs that begin at `first` or behind it to `take`, in their order.
  void read_from(Index first, const std::function<void(LogPack& pack)>& take);

  /// Packs that begin at `first` or behind it.
  void remove_from(Index first);
  /// The first `most` of the packs that begin before `first`.
  /// Returns: true if there are more.
  bool remove_below(Index first, std::uint64_t most);

 private:
  Statement insert_, find_, lowest_, read_, remove_from_, remove_below_, skip_;
};

}  // namespace holdfast::storage
