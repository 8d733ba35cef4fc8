#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "config/change.h"

namespace holdfast::config {

struct ByKey {
  using is_transparent = void;
  static std::string_view key_of(const Change& change) { return change.key(); }
  static std::string_view key_of(std::string_view key) { return key; }
  bool operator()(const auto& a, const auto& b) const { return key_of(a) < key_of(b); }
};
/// Every key's last put.
using Rows = std::set<Change, ByKey>;

/// What the rows of an image still have to be told of the table. They may lag behind: the history, which an
/// image has whole, holds the changes that they lack, and who loads the image makes these once more (redo).
/// So a put keeps no account here, and rows are brought up when it pays: a few keys by name, or in one walk
/// over the whole table, in the order of its keys, once so many changes came that a page of the image takes
/// several of them.
///
///     level --changed()--> lagging --begin_few(), begin_all()--> walking --take() to the end--> level, or
///     lagging by what was changed meanwhile
///
/// A walk takes rows as they are when it comes by, and may go on over several images: what is changed behind
/// its back is newer than its beginning, up to which the rows stand when it has ended (a fuzzy checkpoint).
/// Ref: Mohan et al., ARIES (TODS 1992) §5.4; docs/decisions/0035-rows-that-lag.md
class LaggingRows {
 public:
  /// nullopt: there is no such row any more.
  using Taken = std::pair<std::string, std::optional<Change>>;

  /// The table was changed: a row was put or is about to be erased.
  void changed() { ++changed_; }
  void erased(const Change& row);

  /// Changes that the rows may lack.
  std::size_t lag() const { return changed_ + lag_at_begin_; }
  /// The rows lack nothing up to this revision.
  Revision through() const { return through_; }
  bool walking() const { return walking_; }

  /// Both begin a walk: `now` is the last revision that is in the table. Requires: not walking.
  /// `keys`: of all changes behind through().
  void begin_few(std::vector<std::string> keys, Revision now);
  void begin_all(Revision now);
  /// The next rows that the image is to hold, at most `most` of them, which may be none before the walk has
  /// ended: it looks at no more than kLooks rows at a time. A row that is removed may not be in the image.
  std::vector<Taken> take(const Rows& rows, std::size_t most);

  /// The table is loaded from an image at `image`, whose rows lack nothing up to `through`.
  void loaded(Revision through, Revision image);

  static constexpr std::size_t kLooks = 1024;

 private:
  void begin(Revision now);
  void end();

  std::size_t changed_ = 0;       // since the last walk began
  std::size_t lag_at_begin_ = 0;  // of the walk that goes on
  Revision through_;
  Revision newest_taken_;            // no row of a later revision is in the image
  std::vector<std::string> erased_;  // that may be in the image, since the last walk began

  bool walking_ = false;
  Revision began_at_;
  std::vector<std::string> keys_;    // to be taken first, from the last on
  std::optional<std::string> next_;  // the walk goes on at this key, or behind it; none: not over the table
};

}  // namespace holdfast::config
