#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::config {

/// Finds the row of a key at once. The ordered table, which it points into, needs for that a walk over its
/// whole depth, and with some thousand keys most of the way is not in the processor's cache. `Row` is an
/// iterator of a table whose rows stay where they are and have a key().
template <typename Row>
class KeyIndex {
 public:
  struct Place {
    Row row;
    std::uint32_t hash;  ///< of the key: when the index grows, nobody fetches the keys
  };

  /// Returns: null if there is none; valid until the next change.
  const Place* find(std::string_view key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &*found;
  }
  /// Requires: the key has no row here.
  void add(Row row) { places_.insert(Place{row, hash_of(row->key())}); }
  void reserve(std::size_t rows) { places_.reserve(rows); }
  /// The memory that add() or find() of this key is going to need is fetched meanwhile.
  void prefetch(std::string_view key) const { places_.prefetch(key); }
  /// The place of a key with the same hash, most likely of this one; null if there is none. No row is looked
  /// at.
  const Place* guess(std::string_view key) const {
    const auto found = places_.find(Hashed{hash_of(key)});
    return found == places_.end() ? nullptr : &*found;
  }
  /// Call before the row goes.
  void remove(std::string_view key) { places_.erase(places_.find(key)); }

 private:
  static std::uint32_t hash_of(std::string_view key) {
    return static_cast<std::uint32_t>(absl::Hash<std::string_view>()(key));
  }
  struct Hashed {
    std::uint32_t hash;
  };
  struct Hash {
    using is_transparent = void;
    // Over all bits, as the set wants it. Ref: Knuth 6.4, multiplicative hashing
    static std::size_t spread(std::uint32_t hash) { return hash * std::uint64_t{0x9e3779b97f4a7c15}; }
    std::size_t operator()(std::string_view key) const { return spread(hash_of(key)); }
    std::size_t operator()(const Place& place) const { return spread(place.hash); }
    std::size_t operator()(Hashed key) const { return spread(key.hash); }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const Place& a, const Place& b) const { return a.row == b.row; }
    bool operator()(const Place& a, std::string_view key) const { return a.row->key() == key; }
    bool operator()(const Place& a, Hashed key) const { return a.hash == key.hash; }
  };

  absl::flat_hash_set<Place, Hash, Same> places_;
};

}  // namespace holdfast::config
