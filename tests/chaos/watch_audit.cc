#include "tests/chaos/watch_audit.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace holdfast::chaos {

namespace {

using Events = std::vector<const Record*>;

std::string about(const Record& event) {
  return "watcher " + std::to_string(event.client) + ": " + to_line(event);
}

/// One watcher by itself: in order, each once, and every key's versions count up without a gap.
void check_order(const Events& events, Judgement& judgement) {
  struct Key {
    std::uint64_t version = 0;  // 0: not there
    std::uint64_t created = 0;
  };
  std::unordered_map<std::string, Key> keys;
  std::uint64_t last = 0;
  std::set<std::string> at_last;  // keys changed at that revision
  for (const Record* event : events) {
    if (event->revision < last)
      judgement.breaches.push_back("watch order: behind its time: " + about(*event));
    if (event->revision > last) at_last.clear();
    last = std::max(last, event->revision);
    if (!at_last.insert(event->key).second) {
      judgement.breaches.push_back("watch duplicate: " + about(*event));
      continue;
    }
    Key& key = keys[event->key];
    if (!event->present) {
      if (key.version == 0) judgement.breaches.push_back("watch gap: deleted, not created: " + about(*event));
      key = {};
      continue;
    }
    const bool follows = event->version == key.version + 1 &&
                         event->create_revision == (key.version == 0 ? event->revision : key.created);
    if (!follows) {
      judgement.breaches.push_back("watch gap: version " + std::to_string(key.version) +
                                   " was the last before " + about(*event));
    }
    key = {event->version, event->create_revision};
  }
}

/// All watchers saw the same. Returns: what that is.
Events agreed_events(const std::map<std::uint32_t, Events>& by_watcher, Judgement& judgement) {
  const auto same = [](const Record* a, const Record* b) {
    return std::tie(a->revision, a->key, a->present, a->value, a->version) ==
           std::tie(b->revision, b->key, b->present, b->value, b->version);
  };
  const Events* reference = nullptr;
  for (const auto& [watcher, events] : by_watcher) {
    if (reference == nullptr || events.size() > reference->size()) reference = &events;
  }
  for (const auto& [watcher, events] : by_watcher) {
    for (std::size_t i = 0; i < reference->size(); ++i) {
      if (i < events.size() && same(events[i], (*reference)[i])) continue;
      judgement.breaches.push_back(
          "watchers differ: " + about(*(*reference)[i]) + " but " +
          (i < events.size() ? about(*events[i]) : "watcher " + std::to_string(watcher) + ": nothing"));
      break;
    }
  }
  return reference == nullptr ? Events{} : *reference;
}

class Changes {
 public:
  explicit Changes(const Events& events) {
    for (const Record* event : events) by_place_[{event->revision, event->key}] = event;
  }
  const Record* find(std::uint64_t revision, const std::string& key) const {
    const auto found = by_place_.find({revision, key});
    return found == by_place_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::pair<std::uint64_t, std::string>, const Record*> by_place_;
};

/// Every answer that speaks of a change must find it among the changes.
void check_answers(const std::vector<Record>& history, const Changes& changes, Judgement& judgement) {
  for (const Record& one : history) {
    if (one.answer != Answer::kDone) continue;
    const bool put = one.kind == Kind::kPut;
    const bool deletion = one.kind == Kind::kDelete && one.present;
    const bool read = one.kind == Kind::kGet && one.present;
    if (!put && !deletion && !read) continue;
    const Record* change = changes.find(one.revision, one.key);
    const bool fits = change != nullptr && change->present != deletion &&
                      (deletion || change->value == one.value) && (!read || change->version == one.version);
    if (fits) continue;
    judgement.breaches.push_back(
        std::string(read ? "read of what never was: " : "acknowledged write is lost: ") + to_line(one) +
        (change == nullptr ? "" : " but " + to_line(*change)));
  }
}

/// Every change was asked for, by a call that was not said to have failed.
void check_origins(const std::vector<Record>& history, const Events& events, Judgement& judgement) {
  std::map<std::pair<std::string, std::string>, const Record*> puts;  // by key and value
  std::set<std::string> deletable;                                    // keys that may go
  std::set<std::pair<std::uint64_t, std::string>> deleted;
  for (const Record& one : history) {
    if (one.kind == Kind::kPut) puts[{one.key, one.value}] = &one;
    if (one.kind == Kind::kLease || (one.kind == Kind::kDelete && one.answer == Answer::kUnknown)) {
      deletable.insert(one.key);
    }
    if (one.kind == Kind::kDelete && one.answer == Answer::kDone) deleted.insert({one.revision, one.key});
  }
  std::set<const Record*> done;
  for (const Record* event : events) {
    if (!event->present) {
      if (deletable.contains(event->key) || deleted.contains({event->revision, event->key})) continue;
      judgement.breaches.push_back("deleted by nobody: " + about(*event));
      continue;
    }
    const auto put = puts.find({event->key, event->value});
    if (put == puts.end()) {
      judgement.breaches.push_back("written by nobody: " + about(*event));
    } else if (put->second->answer == Answer::kFailed || put->second->answer == Answer::kMismatch) {
      judgement.breaches.push_back("a refused write took effect: " + about(*event) + " by " +
                                   to_line(*put->second));
    } else if (!done.insert(put->second).second) {
      judgement.breaches.push_back("a write took effect twice: " + about(*event));
    } else if (event->call < put->second->call) {
      judgement.breaches.push_back("seen before it was written: " + about(*event));
    }
  }
}

/// A lease's key went no sooner than its holder was promised.
void check_leases(const std::vector<Record>& history, const std::map<std::uint32_t, Events>& by_watcher,
                  Judgement& judgement) {
  struct Promise {
    std::int64_t until = 0;
    std::int64_t given_up = INT64_MAX;  // when its holder began to revoke it
  };
  std::unordered_map<std::string, Promise> leases;  // by key
  for (const Record& one : history) {
    if (one.kind != Kind::kLease) continue;
    Promise& promise = leases[one.key];
    promise.until = std::max(promise.until, one.until);
    if (one.until == 0) promise.given_up = std::min(promise.given_up, one.call);
  }
  for (const auto& [watcher, events] : by_watcher) {
    for (const Record* event : events) {
      const auto lease = event->present ? leases.end() : leases.find(event->key);
      if (lease == leases.end()) continue;
      const std::int64_t until = std::min(lease->second.until, lease->second.given_up);
      if (event->call >= until) continue;
      judgement.breaches.push_back("lease ended early: promised until " + std::to_string(until) + " but " +
                                   about(*event));
    }
  }
  for (const Record& one : history) {
    if (one.kind == Kind::kFinal && leases.contains(one.key)) {
      judgement.breaches.push_back("key outlived its lease: " + to_line(one));
    }
  }
}

void check_final(const std::vector<Record>& history, const Events& events, Judgement& judgement) {
  std::map<std::string, const Record*> expected;
  for (const Record* event : events) {
    if (event->present) {
      expected[event->key] = event;
    } else {
      expected.erase(event->key);
    }
  }
  // Several members may have been asked, each as a client of its own.
  std::map<std::uint32_t, std::size_t> found;
  for (const Record& one : history) {
    if (one.kind != Kind::kFinal) continue;
    if (one.key.empty()) {
      found.try_emplace(one.client, 0);
      continue;
    }
    ++found[one.client];
    const auto change = expected.find(one.key);
    if (change == expected.end() || change->second->revision != one.revision ||
        change->second->value != one.value || change->second->version != one.version) {
      judgement.breaches.push_back("final state: " + to_line(one) + " but the last change of it was " +
                                   (change == expected.end() ? "none" : to_line(*change->second)));
    }
  }
  for (const auto& [client, count] : found) {
    if (count == expected.size()) continue;
    judgement.breaches.push_back("final state: " + std::to_string(count) + " keys, as read by " +
                                 std::to_string(client) + ", of " + std::to_string(expected.size()));
  }
}

}  // namespace

void check_watches(const std::vector<Record>& history, Judgement& judgement) {
  std::map<std::uint32_t, Events> by_watcher;
  for (const Record& one : history) {
    if (one.kind == Kind::kEvent) by_watcher[one.client].push_back(&one);
  }
  for (const auto& [watcher, events] : by_watcher) check_order(events, judgement);
  const Events events = agreed_events(by_watcher, judgement);
  check_answers(history, Changes(events), judgement);
  check_origins(history, events, judgement);
  check_leases(history, by_watcher, judgement);
  check_final(history, events, judgement);
}

}  // namespace holdfast::chaos
