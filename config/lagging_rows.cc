#include "config/lagging_rows.h"

#include <algorithm>
#include <utility>

#include "base/canary.h"
#include "base/check.h"

namespace holdfast::config {

void LaggingRows::erased(const Change& row) {
  changed();
  if (HOLDFAST_CANARY(walk_forgets_what_was_deleted)) return;
  if (row.create_revision() <= newest_taken_) erased_.emplace_back(row.key());
}

void LaggingRows::begin(Revision now) {
  INVARIANT(!walking_, "one walk would end for two");
  walking_ = true;
  began_at_ = now;
  lag_at_begin_ = std::exchange(changed_, 0);
}

void LaggingRows::begin_few(std::vector<std::string> keys, Revision now) {
  begin(now);
  keys_ = std::move(keys);
  erased_.clear();  // each is among the keys
}

void LaggingRows::begin_all(Revision now) {
  begin(now);
  keys_.swap(erased_);
  next_.emplace();
}

std::vector<LaggingRows::Taken> LaggingRows::take(const Rows& rows, std::size_t most) {
  std::vector<Taken> taken;
  const auto take_row = [&](const Change& row) {
    newest_taken_ = std::max(newest_taken_, row.mod_revision());
    taken.emplace_back(row.key(), row);
  };
  for (; !keys_.empty() && taken.size() < most; keys_.pop_back()) {
    const auto row = rows.find(std::string_view(keys_.back()));
    if (row != rows.end()) {
      take_row(*row);
    } else {
      taken.emplace_back(std::move(keys_.back()), std::nullopt);
    }
  }
  if (!keys_.empty()) return taken;
  if (next_) {
    auto row = rows.lower_bound(std::string_view(*next_));
    for (std::size_t looks = 0; row != rows.end() && looks < kLooks && taken.size() < most; ++row, ++looks) {
      if (row->mod_revision() > through_) take_row(*row);
    }
    if (row != rows.end()) {
      next_.emplace(row->key());
      return taken;
    }
  }
  end();
  return taken;
}

void LaggingRows::end() {
  walking_ = false;
  through_ = began_at_;
  lag_at_begin_ = 0;
  next_.reset();
}

void LaggingRows::loaded(Revision through, Revision image) {
  through_ = through;
  newest_taken_ = image;
}

}  // namespace holdfast::config
