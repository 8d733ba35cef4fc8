#include "raft/replication.h"

#include <algorithm>

#include "base/canary.h"
#include "base/check.h"
#include "raft/data_ids.h"
#include "raft/outbox.h"

namespace holdfast::raft {

namespace {

std::size_t bytes_of(const std::vector<Entry>& entries) {
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += size_of(entry);
  return bytes;
}

void send_append(Replica& replica, MemberId to, Progress& progress, Index previous,
                 std::vector<Entry> entries) {
  const Index last = previous + entries.size();
  const auto previous_term = replica.log.term_at(previous);
  INVARIANT(previous_term, "entries were sent behind one that is not in the log");
  // It will know of this commit only as far as this message shows it the log.
  progress.told_commit = std::max(progress.told_commit, std::min(replica.commit, last));
  send(replica, to,
       AppendEntries{previous, *previous_term, replica.commit, replica.last_round, replica.held_by_all,
                     std::move(entries)});
}

/// Whether or not a probe is still out: its answer would be about a place that cannot be sent from any more,
/// and the heartbeats, which stand at the log's base then, are answered about another.
void notice_compaction(Replica& replica, MemberId to, Progress& progress) {
  if (progress.pace() == Pace::kNeedsSnapshot || progress.next() > replica.log.base_index()) return;
  progress.needs_snapshot();
  replica.output.need_snapshot.push_back(to);
}

/// Returns: was anything sent?
bool send_entries(Replica& replica, MemberId to, Progress& progress) {
  bool sent = false;
  const Options& options = replica.options;
  while (progress.may_send_entries(options.max_appends_in_flight, options.max_bytes_in_flight)) {
    const bool probing = progress.pace() == Pace::kProbe;
    if (!probing && progress.next() > replica.log.last_index()) break;
    const Index previous = progress.next().previous();
    std::vector<Entry> entries = replica.log.read(progress.next(), replica.options.max_append_bytes);
    progress.entries_sent(previous + entries.size(), bytes_of(entries));
    send_append(replica, to, progress, previous, std::move(entries));
    sent = true;
  }
  return sent;
}

/// A commit is worth a message of its own only to a follower that has nothing under way: otherwise the next
/// entries bring it along, or the answer that is coming asks again.
bool owes_commit(const Replica& replica, const Progress& progress) {
  return progress.pace() == Pace::kReplicate && progress.in_flight() == 0 &&
         progress.told_commit < replica.commit;
}

void send_heartbeat(Replica& replica, MemberId to, Progress& progress) {
  // Behind what was sent last, so that its answer tells whether that arrived. One that needs a snapshot
  // cannot follow, but must hear that there is a leader.
  const Index previous = std::max(progress.next().previous(), replica.log.base_index());
  send_append(replica, to, progress, previous, {});
}

}  // namespace

void send_what_is_due(Replica& replica) {
  Leader& leader = *replica.leading();
  const Instant news_due = leader.commit_news_due.value_or(replica.now + replica.options.commit_news_delay);
  bool owed = false;
  for (auto& [id, progress] : leader.followers) {
    if (shows_other_data(replica, id)) continue;
    notice_compaction(replica, id, progress);
    if (send_entries(replica, id, progress)) continue;
    const bool owes = owes_commit(replica, progress);
    // Who is removed by what was committed is led no longer than this step.
    const bool due = replica.now >= news_due || !is_member(replica.membership(), id);
    if (leader.heartbeat_due || (owes && due))
      send_heartbeat(replica, id, progress);
    else
      owed = owed || owes;
  }
  leader.heartbeat_due = false;
  leader.commit_news_due = owed ? std::optional(news_due) : std::nullopt;
}

void advance_commit(Replica& replica) {
  const Leader& leader = *replica.leading();
  const Index reached = quorum::reached<Index>(replica.membership(), [&](MemberId id) {
    if (!counts(replica, id)) return Index();
    if (id == replica.options.self && HOLDFAST_CANARY(count_what_the_leader_has_not_synced))
      return replica.log.last_index();
    return id == replica.options.self ? replica.persistence.durable() : leader.followers.at(id).match();
  });
  const bool own_term = replica.log.term_at(reached) == replica.hard_state.term ||
                        HOLDFAST_CANARY(commit_an_old_term_by_counting);
  const bool brought =
      reached >= replica.log.membership_index() || HOLDFAST_CANARY(commit_before_the_membership_entry);
  if (reached > replica.commit && brought && own_term) commit_up_to(replica, reached);
}

void advance_held_by_all(Replica& replica) {
  Index lowest = replica.persistence.durable();
  for (const auto& [id, progress] : replica.leading()->followers) lowest = std::min(lowest, progress.match());
  replica.held_by_all = std::max(replica.held_by_all, lowest);
}

void append_as_leader(Replica& replica, Entry entry) {
  replica.leading()->uncommitted_bytes += size_of(entry);
  replica.log.append(std::move(entry));
}

std::size_t bytes_behind_commit(const Replica& replica) {
  std::size_t bytes = 0;
  for (Index each = replica.commit.next(); each <= replica.log.last_index(); each = each.next())
    bytes += size_of(replica.log.at(each));
  return bytes;
}

bool own_term_committed(const Replica& replica) { return replica.commit >= replica.leading()->first_of_term; }

void commit_up_to(Replica& replica, Index index) {
  INVARIANT(index <= replica.log.last_index(), "an entry was committed that is not in the log");
  if (index <= replica.commit) return;
  if (Leader* leader = replica.leading())
    for (Index each = replica.commit.next(); each <= index; each = each.next())
      leader->uncommitted_bytes -= size_of(replica.log.at(each));
  replica.commit = index;
}

}  // namespace holdfast::raft
