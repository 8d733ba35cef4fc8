#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/changed_rows.h"
#include "base/ids.h"
#include "base/result.h"
#include "config/key_index.h"

/// The watchable configuration: an ordered map of bytes to bytes with revisions.
namespace holdfast::config {

struct Entry {
  Blob value;
  Revision create_revision;   ///< of the put that created the key
  Revision mod_revision;      ///< of the last put
  std::uint64_t version = 0;  ///< puts since the key was created; starts at 1
  LeaseId lease;              ///< none if zero

  friend bool operator==(const Entry&, const Entry&) = default;
};

enum class ChangeType : std::uint8_t { kPut = 0, kDelete = 1 };

/// One change as a watcher sees it. A delete carries the deletion's revision as mod_revision, an empty value,
/// and create_revision and version zero.
struct Change {
  ChangeType type = ChangeType::kPut;
  std::string key;
  Entry entry;

  Revision revision() const { return entry.mod_revision; }
  friend bool operator==(const Change&, const Change&) = default;
};

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
  using Table = std::map<std::string, Entry, std::less<>>;

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

  const Entry* find(std::string_view key) const;
  const Table& all() const { return entries_; }
  std::pair<Table::const_iterator, Table::const_iterator> range(const KeyRange& range) const;
  /// Keys in the range. Cost: in proportion to their number.
  std::size_t count(const KeyRange& range) const;
  /// Keys attached to the lease, in order; null if none, never empty.
  const std::set<std::string, std::less<>>* attached_to(LeaseId lease) const;
  const std::map<LeaseId, std::set<std::string, std::less<>>>& by_lease() const { return by_lease_; }

  // The image: see base/changed_rows.h.
  void load(std::string key, Entry entry);
  ChangedRows<std::string, Entry>& changes() { return changes_; }
  std::size_t pending() const { return changes_.pending(); }

 private:
  Table::const_iterator erase(Table::const_iterator entry, Revision at, std::vector<Change>& changes);
  void attach(LeaseId lease, const std::string& key);
  void detach(LeaseId lease, const std::string& key);

  Table::iterator insert(std::string key, Entry entry, ChangeMark mark);

  Table entries_;
  KeyIndex<Table::iterator> index_;  // of entries_
  std::map<LeaseId, std::set<std::string, std::less<>>> by_lease_;
  ChangedRows<std::string, Entry> changes_;
};

}  // namespace holdfast::config
