#include "client/session/watch_position.h"

#include "base/canary.h"

namespace holdfast::session {

std::size_t WatchPosition::take(const std::vector<Revision>& revisions, Revision next_revision) {
  // Requires of the member: what it sends is at next() or later; anything older was delivered, and is
  // dropped.
  std::size_t dropped = 0;
  for (Revision revision : revisions) {
    if (revision < next_) {
      ++dropped;
    } else if (revision == next_ && to_skip_ > 0 && !HOLDFAST_CANARY(client_watch_repeats_what_it_had)) {
      --to_skip_;
      ++dropped;
    } else {
      break;
    }
  }
  for (std::size_t i = dropped; i < revisions.size(); ++i) {
    if (revisions[i] == next_) {
      ++delivered_of_next_;
    } else {
      // A later revision begins: the one that next_ stood at is whole.
      next_ = revisions[i];
      delivered_of_next_ = 1;
      to_skip_ = 0;
    }
  }
  if (next_revision > next_) {
    next_ = next_revision;
    delivered_of_next_ = 0;
    to_skip_ = 0;
  }
  return dropped;
}

}  // namespace holdfast::session
