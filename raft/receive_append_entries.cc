#include <algorithm>

#include "base/canary.h"
#include "raft/follow.h"
#include "raft/outbox.h"
#include "raft/receive.h"
#include "raft/replication.h"

namespace holdfast::raft {

namespace {

/// Where a leader should look next: the last place at which the logs may still match, going by its term for
/// the entry that does not.
void refuse(Replica& replica, MemberId from, const AppendEntries& append) {
  const Index hint = replica.log.last_not_after(append.previous_index, append.previous_term);
  send(replica, from,
       AppendReply{false, append.previous_index, hint, replica.log.term_at(hint).value_or(Term()),
                   append.round});
}

/// Appends what is new; replaces what conflicts, and only that: a late message must not cut off what a newer
/// one brought. Returns: false if it contradicts what is committed, which no leader does.
bool take(Replica& replica, const std::vector<Entry>& entries) {
  const auto is_new = [&](const Entry& entry) {
    if (HOLDFAST_CANARY(truncate_a_matching_suffix) && entry.index > replica.commit) return true;
    return entry.index >= replica.log.base_index() && !replica.log.matches(entry.index, entry.term);
  };
  const auto first_new = std::find_if(entries.begin(), entries.end(), is_new);
  if (first_new == entries.end()) return true;
  if (first_new->index <= replica.commit) return false;
  if (first_new->index <= replica.log.last_index()) {
    replica.log.truncate_after(first_new->index.previous());
    replica.persistence.truncated(first_new->index.previous());
  }
  std::for_each(first_new, entries.end(), [&](const Entry& entry) { replica.log.append(entry); });
  return true;
}

}  // namespace

void receive_append_entries(Replica& replica, MemberId from, const AppendEntries& append) {
  if (!follow(replica, from)) return;
  // The log stands still; the leader hears that this follower lives, and nothing about its log.
  if (replica.installing)
    return send(replica, from, AppendReply{false, Index(), Index(), Term(), append.round});
  // What is compacted here is committed, so it matches whatever a leader has there.
  const bool compacted = append.previous_index < replica.log.base_index();
  const bool contradicts =
      replica.log.term_at(append.previous_index).has_value() && HOLDFAST_CANARY(append_behind_another_term);
  if (!compacted && !contradicts && !replica.log.matches(append.previous_index, append.previous_term))
    return refuse(replica, from, append);
  if (!take(replica, append.entries)) return;
  const Index matching = append.previous_index + append.entries.size();
  const Index known = HOLDFAST_CANARY(commit_beyond_what_matches) ? replica.log.last_index() : matching;
  commit_up_to(replica, std::min(append.commit, known));
  replica.held_by_all = std::max(replica.held_by_all, std::min(append.held_by_all, matching));
  acknowledge(replica, from, matching, append.round);
}

}  // namespace holdfast::raft
