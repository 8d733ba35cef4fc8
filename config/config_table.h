#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"
#include "base/result.h"
#include "config/change.h"
#include "config/key_index.h"
#include "config/lagging_rows.h"

/// The watchable configuration: an ordered map of bytes to bytes with revisions.
namespace holdfast::config {

/// Keys in [begin, end). An empty `end` means "to the last key".
struct KeyRange {
  std::string begin;
  std::string end;
  static KeyRange one(std::string_view key);      ///< exactly this key
  static KeyRange prefix(std::string_view text);  ///< every key that starts with it; empty text: every key
  bool contains(std::string_view key) const;
  bool is_one_key() const;
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

struct Put {
  std::string key;
  Blob value;
  LeaseId lease;  ///< none if zero; the caller has checked that it is live
  /// If set, the key's mod_revision must be this one; zero means: the key must not exist.
  std::optional<Revision> expected;
};

struct Delete {
  KeyRange range;
  std::optional<Revision> expected;  ///< one key only
  /// What it may remove at most. Beyond that it removes the first so many if it is `partial`, else nothing.
  std::optional<std::size_t> most = {};
  bool partial = false;
};

class ConfigTable {
 public:
  using Table = Rows;

  ConfigTable() = default;
  ConfigTable(const ConfigTable&) = delete;
  ConfigTable& operator=(const ConfigTable&) = delete;

  /// Both fill `changes` with what a watcher is to hear, all at revision `at`, and return how many keys
  /// changed.
  /// Errors: kRevisionMismatch, with the key's present mod_revision (zero if missing); kInvalidArgument for a
  /// range of keys with an expected revision; then nothing changed.
  Result<std::size_t> put(const Put& put, Revision at, std::vector<Change>& changes);
  Result<std::size_t> remove(const Delete& remove, Revision at, std::vector<Change>& changes);
  /// Removes at most `most` keys attached to the lease. Returns: how many it removed.
  std::size_t end_lease(LeaseId lease, std::size_t most, Revision at, std::vector<Change>& changes);

  /// What put() of these keys is going to look at is fetched into the processor's cache, for all of them at
  /// once: a place in the index, a row and a change are far away each, and lead from one to the next.
  void prefetch(std::span<const std::string_view> keys) const;

  const Change* find(std::string_view key) const;
  const Table& all() const { return rows_; }
  std::pair<Table::const_iterator, Table::const_iterator> range(const KeyRange& range) const;
  /// Keys in the range. Cost: in proportion to their number.
  std::size_t count(const KeyRange& range) const;
  /// Keys attached to the lease, in order; null if none, never empty.
  const std::set<std::string, std::less<>>* attached_to(LeaseId lease) const;
  const std::map<LeaseId, std::set<std::string, std::less<>>>& by_lease() const { return by_lease_; }

  // The image, whose rows may lag.
  const LaggingRows& lagging() const { return lagging_; }
  LaggingRows& lagging() { return lagging_; }
  std::vector<LaggingRows::Taken> take_rows(std::size_t most) { return lagging_.take(rows_, most); }
  /// About so many rows are to be loaded.
  void expect(std::size_t rows) { index_.reserve(rows); }
  /// Nothing but load() is called until loaded() was.
  void load(Change row);
  /// As LaggingRows::loaded().
  void loaded(Revision through, Revision image);
  /// Makes changes that the loaded rows may lack, or may have.
  void redo(std::span<const Change> changes);

 private:
  Table::const_iterator erase(Table::const_iterator row, Revision at, std::vector<Change>& changes);
  Table::const_iterator erase(Table::const_iterator row);
  void redo(const Change& change);
  void attach(LeaseId lease, std::string_view key);
  void detach(LeaseId lease, std::string_view key);

  void insert(Change row);
  void index_loaded(std::size_t keep);

  Table rows_;
  KeyIndex<Table::iterator> index_;  // of rows_
  std::map<LeaseId, std::set<std::string, std::less<>>> by_lease_;
  LaggingRows lagging_;
  std::deque<Table::iterator> loading_;  // not in the index yet
};

}  // namespace holdfast::config
