#include "node/config_watchers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "base/canary.h"
#include "base/check.h"

namespace holdfast::node {

namespace {

/// What a queued change is counted as: its bytes and about what its place in the queue costs.
std::size_t size_of(const config::Change& change) {
  return change.key().size() + change.value().size() + 128;
}

}  // namespace

ConfigWatchers::ConfigWatchers(const state::Machine& machine, ImageStore& image_store, const Bounds& bounds,
                               Notify notify)
    : machine_(machine), image_store_(image_store), bounds_(bounds), notify_(std::move(notify)) {}

void ConfigWatchers::open(WatchId id, config::KeyRange range, Revision from) {
  Watcher& watcher = watchers_[id];
  watcher.range = std::move(range);
  watcher.next = std::max(from, Revision(1));
  if (HOLDFAST_CANARY(watch_resumes_one_too_late) && from > Revision(1)) watcher.next = from.next();
  catch_up(id, watcher);
}

bool ConfigWatchers::close(WatchId id) {
  auto found = watchers_.find(id);
  if (found == watchers_.end()) return false;
  if (found->second.following) following_.remove(found->second.range, id);
  watchers_.erase(found);
  return true;
}

ConfigBatch ConfigWatchers::take(WatchId id, std::size_t most_bytes) {
  Watcher& watcher = watchers_.at(id);
  if (watcher.queue.empty() && !watcher.following && !watcher.ended) scan_memory(watcher, most_bytes);

  ConfigBatch batch;
  std::size_t bytes = 0;
  Revision revision;
  while (!watcher.queue.empty()) {
    const config::Change& change = watcher.queue.front();
    if (bytes >= most_bytes && change.revision() != revision) break;
    revision = change.revision();
    bytes += size_of(change);
    batch.changes.push_back(std::move(watcher.queue.front()));
    watcher.queue.pop_front();
  }
  watcher.queued_bytes -= bytes;

  if (!watcher.queue.empty()) {
    batch.next = watcher.queue.front().revision();
    notify_(id);
    return batch;
  }
  if (watcher.following) watcher.next = std::max(watcher.next, machine_.revision().next());
  batch.next = watcher.next;
  batch.ended = watcher.ended;
  if (!watcher.following && !watcher.ended) catch_up(id, watcher);
  return batch;
}

void ConfigWatchers::on_events(const std::vector<state::Event>& events) {
  std::vector<WatchId> overfull;
  for (const state::Event& event : events) {
    const auto* change = std::get_if<config::Change>(&event);
    if (!change) continue;
    following_.for_each(change->key(), [&](WatchId id) {
      Watcher& watcher = watchers_.at(id);
      if (change->revision() < watcher.next) return;
      if (watcher.queue.empty()) notify_(id);
      enqueue(watcher, *change);
      if (is_over_bound(watcher)) overfull.push_back(id);
    });
  }
  for (WatchId id : overfull) {
    if (Watcher& watcher = watchers_.at(id); watcher.following) fall_behind(id, watcher);
  }
}

void ConfigWatchers::replaced(Revision before) {
  ++replacements_;
  for (auto& [id, watcher] : watchers_) {
    if (!watcher.following) continue;  // it looks anew when it takes, or when its history comes
    watcher.following = false;
    following_.remove(watcher.range, id);
    // What is queued was told of and is right; behind it, and behind all that was seen, history goes on.
    watcher.next = std::max(watcher.next, before.next());
    if (watcher.queue.empty()) catch_up(id, watcher);
  }
}

void ConfigWatchers::fall_behind(WatchId id, Watcher& watcher) {
  // It was told that there is something; when it takes, it reads from its place.
  watcher.next = watcher.queue.front().revision();
  if (HOLDFAST_CANARY(slow_watcher_loses_its_queue)) watcher.next = watcher.queue.back().revision();
  watcher.queue = {};
  watcher.queued_bytes = 0;
  watcher.following = false;
  following_.remove(watcher.range, id);
}

bool ConfigWatchers::is_over_bound(const Watcher& watcher) const {
  if (HOLDFAST_CANARY(slow_watcher_keeps_its_queue)) return false;
  return watcher.queued_bytes > bounds_.watch_queue_bytes;
}

void ConfigWatchers::count(Held& held) const {
  for (const auto& [id, watcher] : watchers_) {
    if (!watcher.following) continue;
    held.largest_watch_queue_bytes = std::max(held.largest_watch_queue_bytes, watcher.queued_bytes);
  }
}

void ConfigWatchers::catch_up(WatchId id, Watcher& watcher) {
  if (watcher.next < machine_.first_watchable()) {
    watcher.ended = Error{Errc::kCompacted,
                          "revision " + std::to_string(watcher.next.value()) +
                              " is compacted; read anew and watch from the revision after that",
                          machine_.first_watchable()};
    notify_(id);
  } else if (watcher.next > machine_.revision()) {
    follow(id, watcher);
  } else if (watcher.next < machine_.history().first_in_memory()) {
    read_image(id, watcher);
  } else {
    notify_(id);  // it is read when it is taken
  }
}

void ConfigWatchers::follow(WatchId id, Watcher& watcher) {
  watcher.following = true;
  following_.add(watcher.range, id);
}

void ConfigWatchers::scan_memory(Watcher& watcher, std::size_t most_bytes) {
  // While the watcher was away, memory may have let go of its place.
  if (watcher.next > machine_.revision() || watcher.next < machine_.history().first_in_memory()) return;
  auto [i, end] = machine_.history().since(watcher.next);
  std::size_t looked_at = 0;
  Revision revision = watcher.next;
  for (; i != end; ++i, ++looked_at) {
    const config::Change& change = *i;
    if (change.revision() != revision && (looked_at >= kScanSlice || watcher.queued_bytes >= most_bytes)) {
      watcher.next = change.revision();
      return;
    }
    revision = change.revision();
    if (watcher.range.contains(change.key())) enqueue(watcher, change);
  }
  watcher.next = machine_.revision().next();
}

void ConfigWatchers::read_image(WatchId id, Watcher& watcher) {
  if (watcher.reading_image) return;
  watcher.reading_image = true;
  // What memory lacks at this moment is in the image by now; what comes into the image later may be missed.
  Revision covered = machine_.history().first_in_memory();
  image_store_.read_history(
      watcher.next, kImageReadBytes,
      lifetime_.guard([this, id, replacements = replacements_, covered](std::vector<HistoryRow> rows) {
        image_read(id, replacements, covered, std::move(rows));
      }));
}

void ConfigWatchers::image_read(WatchId id, std::uint64_t replacements, Revision covered,
                                std::vector<HistoryRow> rows) {
  auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  Watcher& watcher = found->second;
  watcher.reading_image = false;
  // They may be another image's rows, without what was compacted there.
  if (replacements != replacements_) return catch_up(id, watcher);
  for (const HistoryRow& row : rows) take_row(watcher, row);
  if (rows.empty()) watcher.next = std::max(watcher.next, covered);
  if (!watcher.queue.empty() || watcher.ended) {
    notify_(id);
  } else {
    catch_up(id, watcher);
  }
}

void ConfigWatchers::take_row(Watcher& watcher, const HistoryRow& row) {
  if (watcher.ended) return;
  Result<std::vector<config::Change>> changes = state::decode_history(row.changes);
  if (!changes) {
    watcher.ended = changes.error();
    return;
  }
  for (const config::Change& change : *changes) {
    if (change.revision() >= watcher.next && watcher.range.contains(change.key())) enqueue(watcher, change);
  }
  watcher.next = std::max(watcher.next, row.last.next());
}

void ConfigWatchers::enqueue(Watcher& watcher, const config::Change& change) {
  watcher.queue.push_back(change);
  watcher.queued_bytes += size_of(change);
}

}  // namespace holdfast::node
