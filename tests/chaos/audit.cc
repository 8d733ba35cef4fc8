#include "tests/chaos/audit.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "tests/chaos/lock_model.h"
#include "tests/chaos/register_model.h"
#include "tests/chaos/watch_audit.h"

namespace holdfast::chaos {

namespace {

bool is_write(const Record& one) { return one.kind == Kind::kPut || one.kind == Kind::kDelete; }
bool is_call(const Record& one) {
  return is_write(one) || one.kind == Kind::kGet || one.kind == Kind::kGrant || one.kind == Kind::kRelease ||
         one.kind == Kind::kLook;
}

std::string seconds(std::int64_t microseconds) { return std::to_string(microseconds) + " us"; }

std::string show(const Record& one) {
  return "client " + std::to_string(one.client) + " called at " + seconds(one.call) + ": " + to_line(one);
}

// --- Keys
// ----------------------------------------------------------------------------------------------------

std::uint64_t number_of(std::unordered_map<std::string, std::uint64_t>& numbers, const std::string& value) {
  return numbers.try_emplace(value, numbers.size() + 1).first->second;
}

KeyOperation operation_of(const Record& one, std::unordered_map<std::string, std::uint64_t>& numbers) {
  KeyOperation operation;
  operation.kind = one.kind == Kind::kPut      ? KeyOperation::Kind::kPut
                   : one.kind == Kind::kDelete ? KeyOperation::Kind::kDelete
                                               : KeyOperation::Kind::kGet;
  operation.answer = one.answer == Answer::kUnknown    ? KeyOperation::Answer::kUnknown
                     : one.answer == Answer::kMismatch ? KeyOperation::Answer::kMismatch
                                                       : KeyOperation::Answer::kDone;
  operation.conditional = one.conditional;
  operation.expected = one.expected;
  operation.present = one.present;
  operation.revision = one.revision;
  operation.version = one.version;
  const bool has_value = one.kind == Kind::kPut || (one.kind == Kind::kGet && one.present);
  operation.value = has_value ? number_of(numbers, one.value) : 0;
  return operation;
}

void check_keys(const std::vector<Record>& history, std::uint64_t most_steps, Judgement& judgement) {
  std::map<std::string, std::vector<const Record*>> by_key;
  for (const Record& one : history) {
    if (!is_write(one) && one.kind != Kind::kGet) continue;
    // What failed had no effect, that is checked with the watches; a failed or unknown read says nothing.
    if (one.answer == Answer::kFailed) continue;
    if (one.kind == Kind::kGet && one.answer != Answer::kDone) continue;
    by_key[one.key].push_back(&one);
  }
  for (const auto& [key, records] : by_key) {
    std::unordered_map<std::string, std::uint64_t> numbers;
    std::vector<Interval<KeyOperation>> operations;
    for (const Record* one : records) {
      const std::int64_t end = one->answer == Answer::kUnknown ? kOpen : one->end;
      operations.push_back({one->call, end, operation_of(*one, numbers)});
    }
    const Search search = check_key(operations, most_steps);
    judgement.steps += search.steps;
    if (search.verdict == Verdict::kLinearizable) continue;
    const std::string what = search.verdict == Verdict::kViolation ? "has no linear order" : "is undecided";
    judgement.breaches.push_back("linearizability: key " + key + " " + what + " beyond " +
                                 std::to_string(search.placed) + " of " + std::to_string(records.size()) +
                                 " operations; stuck at " + show(*records[search.stuck_at]));
  }
}

// --- Locks
// ---------------------------------------------------------------------------------------------------

struct Grant {
  std::int64_t call = 0;
  std::int64_t end = kOpen;
  std::int64_t safe_until = 0;
  std::int64_t given_up = kOpen;  // when its holder began to release it
  const Record* released = nullptr;
};

std::map<std::uint64_t, Grant> grants_of(const std::vector<const Record*>& records) {
  std::map<std::uint64_t, Grant> grants;
  for (const Record* one : records) {
    if (one->kind != Kind::kGrant || one->answer != Answer::kDone) continue;
    Grant& grant = grants[one->token];
    grant.call = one->call;
    grant.end = one->end;
    grant.safe_until = one->end;
  }
  for (const Record* one : records) {
    const auto found = grants.find(one->token);
    if (found == grants.end()) {
      // A grant whose answer nobody got is known by its token alone, and may end at any time.
      if (one->kind == Kind::kLook && one->answer == Answer::kDone && one->token != 0) {
        grants[one->token] = {0, one->end, 0, kOpen, nullptr};
      }
      continue;
    }
    Grant& grant = found->second;
    if (one->kind == Kind::kLook && one->answer == Answer::kDone && grant.safe_until == 0) {
      grant.end = std::min(grant.end, one->end);
    }
    if (one->kind == Kind::kHold) grant.safe_until = std::max(grant.safe_until, one->until);
    if (one->kind == Kind::kRelease) {
      grant.given_up = std::min(grant.given_up, one->call);
      if (one->answer == Answer::kDone) grant.released = one;
    }
  }
  return grants;
}

void check_queue(const std::string& lock, const std::vector<const Record*>& records, Judgement& judgement) {
  std::unordered_map<std::uint64_t, std::uint64_t> token_of;  // by lease
  std::vector<const Record*> by_call;
  for (const Record* one : records) {
    if (one->kind != Kind::kGrant || one->answer != Answer::kDone) continue;
    // A place in the queue ends with the wait; what is granted later was asked for anew.
    if (one->until == 0 || one->end <= one->until) token_of[one->lease] = one->token;
    by_call.push_back(one);
  }
  std::sort(by_call.begin(), by_call.end(), [](auto* a, auto* b) { return a->call < b->call; });
  std::vector<std::uint64_t> lowest_from(by_call.size() + 1, UINT64_MAX);  // token of those called no sooner
  for (std::size_t i = by_call.size(); i-- > 0;) {
    lowest_from[i] = std::min(lowest_from[i + 1], by_call[i]->token);
  }
  for (const Record* look : records) {
    if (look->kind != Kind::kLook || look->answer != Answer::kDone) continue;
    const auto later = std::upper_bound(by_call.begin(), by_call.end(), look->end,
                                        [](std::int64_t end, const Record* one) { return end < one->call; });
    std::uint64_t bound = lowest_from[static_cast<std::size_t>(later - by_call.begin())];
    for (auto lease = look->waiting.rbegin(); lease != look->waiting.rend(); ++lease) {
      const auto token = token_of.find(*lease);
      if (token == token_of.end()) continue;  // it gave up
      if (token->second > bound) {
        judgement.breaches.push_back("queue: lock " + lock + " granted token " + std::to_string(bound) +
                                     " before " + std::to_string(token->second) +
                                     ", which had stood in the queue before it; seen by " + show(*look));
      }
      bound = std::min(bound, token->second);
    }
  }
}

void check_locks(const std::vector<Record>& history, std::uint64_t most_steps, Judgement& judgement) {
  std::map<std::string, std::vector<const Record*>> by_lock;
  std::map<std::uint64_t, std::string> lock_of;  // by token
  for (const Record& one : history) {
    const bool of_a_lock = one.kind == Kind::kGrant || one.kind == Kind::kRelease ||
                           one.kind == Kind::kHold || one.kind == Kind::kLook;
    if (!of_a_lock) continue;
    by_lock[one.key].push_back(&one);
    if (one.kind != Kind::kGrant || one.answer != Answer::kDone) continue;
    ++judgement.grants;
    const auto [other, first] = lock_of.try_emplace(one.token, one.key);
    if (!first) {
      judgement.breaches.push_back("tokens: " + std::to_string(one.token) + " was granted for " + one.key +
                                   " and before for " + other->second);
    }
  }
  for (const auto& [lock, records] : by_lock) {
    std::vector<Interval<LockOperation>> operations;
    using LockKind = LockOperation::Kind;
    for (const auto& [token, grant] : grants_of(records)) {
      operations.push_back({grant.call, grant.end, {LockKind::kGrant, token}});
      if (grant.released != nullptr) {
        operations.push_back({grant.released->call, grant.released->end, {LockKind::kRelease, token}});
      } else {
        operations.push_back({std::min(grant.safe_until, grant.given_up), kOpen, {LockKind::kEnd, token}});
      }
    }
    for (const Record* one : records) {
      if (one->kind != Kind::kLook || one->answer != Answer::kDone) continue;
      operations.push_back({one->call, one->end, {LockKind::kLook, one->token}});
    }
    const Search search = check_lock(operations, most_steps);
    judgement.steps += search.steps;
    if (search.verdict != Verdict::kLinearizable) {
      const auto& stuck = operations[search.stuck_at];
      judgement.breaches.push_back(
          "lock: " + lock + (search.verdict == Verdict::kViolation ? " has no order" : " is undecided") +
          " beyond " + std::to_string(search.placed) + " operations; stuck at token " +
          std::to_string(stuck.operation.token) + ", operation " +
          std::to_string(static_cast<int>(stuck.operation.kind)) + " called at " + seconds(stuck.call));
    }
    check_queue(lock, records, judgement);
  }
}

// --- Real time
// -------------------------------------------------------------------------------------------------

/// A number of the service's that only grows, as an operation saw it.
struct Seen {
  const Record* record;
  std::uint64_t number;
  bool is_new;  // the operation made the number: everything that ended before it saw a smaller one
};

void check_real_time(const char* rule, std::vector<Seen> seen, Judgement& judgement) {
  std::vector<Seen> ended = seen;
  std::sort(seen.begin(), seen.end(), [](auto& a, auto& b) { return a.record->call < b.record->call; });
  std::sort(ended.begin(), ended.end(), [](auto& a, auto& b) { return a.record->end < b.record->end; });
  auto next = ended.begin();
  Seen highest{nullptr, 0, false};
  for (const Seen& one : seen) {
    for (; next != ended.end() && next->record->end < one.record->call; ++next) {
      if (next->number > highest.number) highest = *next;
    }
    if (highest.record == nullptr) continue;
    if (one.number < highest.number || (one.is_new && one.number == highest.number)) {
      judgement.breaches.push_back(std::string(rule) + ": " + std::to_string(one.number) + " was seen by " +
                                   show(*one.record) + " after " + std::to_string(highest.number) + " by " +
                                   show(*highest.record));
      return;
    }
  }
}

void check_real_time(const std::vector<Record>& history, Judgement& judgement) {
  std::vector<Seen> revisions;
  std::vector<Seen> tokens;
  for (const Record& one : history) {
    if (one.answer != Answer::kDone) continue;
    if (one.kind == Kind::kPut || (one.kind == Kind::kDelete && one.present)) {
      revisions.push_back({&one, one.revision, true});
    } else if (one.kind == Kind::kGet || one.kind == Kind::kDelete) {
      revisions.push_back({&one, one.kind == Kind::kGet ? one.store_revision : one.revision, false});
      if (one.revision > revisions.back().number) {
        judgement.breaches.push_back("revisions: newer than the store they were read from: " + show(one));
      }
    } else if (one.kind == Kind::kGrant) {
      tokens.push_back({&one, one.token, true});
    }
  }
  check_real_time("revisions in real time", std::move(revisions), judgement);
  check_real_time("tokens in real time", std::move(tokens), judgement);
}

}  // namespace

Judgement judge(const std::vector<Record>& history, std::uint64_t most_steps) {
  Judgement judgement;
  for (const Record& one : history) {
    if (one.kind == Kind::kBreach) judgement.breaches.push_back("told: " + show(one));
    if (one.kind == Kind::kEvent) ++judgement.events;
    if (!is_call(one)) continue;
    ++judgement.operations;
    if (one.answer == Answer::kUnknown) ++judgement.unknown;
  }
  check_keys(history, most_steps, judgement);
  check_locks(history, most_steps, judgement);
  check_real_time(history, judgement);
  check_watches(history, judgement);
  return judgement;
}

}  // namespace holdfast::chaos
