#include "tests/chaos/workload.h"

#include <map>
#include <optional>

namespace holdfast::chaos {

namespace {

using client::Errc;
using client::Error;

std::string key_name(std::uint64_t number) { return kPrefix + "k" + std::to_string(number); }
std::string lock_name(std::uint64_t number) { return "lock" + std::to_string(number); }

/// What a client's error says about the effect of its call. Whatever nobody may be told here becomes a
/// breach.
Answer judged(const Error& error, const Job& job, const std::string& what) {
  switch (error.code) {
    case Errc::kUnknown:
      return Answer::kUnknown;
    case Errc::kRevisionMismatch:
    case Errc::kNotHolder:
      return Answer::kMismatch;
    case Errc::kUnavailable:
    case Errc::kOverloaded:
    case Errc::kLockHeld:
    case Errc::kWaitTimedOut:
    case Errc::kCancelled:
    case Errc::kLeaseNotFound:
      return Answer::kFailed;
    default:
      break;
  }
  Record breach;
  breach.kind = Kind::kBreach;
  breach.client = job.client;
  breach.call = breach.end = clock_now();
  breach.value = what + ": " + std::string(client::name_of(error.code)) + ": " + error.message;
  job.history.add(breach);
  return Answer::kUnknown;
}

/// A client of its own for each job; some give up soon, some are patient, some have no session.
client::Options options_of(const Job& job, Random& random) {
  client::Options options;
  options.endpoints = job.endpoints;
  options.connect_timeout = milliseconds(500);
  options.call_timeout = milliseconds(random.between(600, 4000));
  options.session_ttl = random.chance(50) ? milliseconds(random.between(3000, 10'000)) : milliseconds(0);
  return options;
}

/// One client that works on keys.
class Writer {
 public:
  Writer(const Job& job, std::size_t keys)
      : job_(job), keys_(keys), random_(job.seed), client_(options_of(job, random_)) {}

  void work() {
    while (!job_.stop.wait_for(milliseconds(random_.between(1, 12)))) {
      const std::string key = key_name(random_.below(keys_));
      const std::uint64_t dice = random_.below(100);
      if (dice < 45) {
        get(key);
      } else if (dice < 65) {
        put(key, {});
      } else if (dice < 92) {
        put(key, known_[key]);
      } else {
        remove(key, random_.chance(50) ? known_[key] : std::nullopt);
      }
    }
  }

 private:
  Record begin(Kind kind, const std::string& key) const {
    Record record;
    record.kind = kind;
    record.client = job_.client;
    record.key = key;
    record.call = clock_now();
    return record;
  }

  void refused(Record& record, const Error& error) {
    record.answer = judged(error, job_, to_line(record));
    if (record.answer != Answer::kMismatch) return;
    record.revision = error.revision;
    known_[record.key] = error.revision;
  }

  void get(const std::string& key) {
    Record record = begin(Kind::kGet, key);
    const auto got = client_.get(key);
    record.end = clock_now();
    if (!got) {
      refused(record, got.error());
    } else {
      record.store_revision = got->revision;
      record.present = !got->entries.empty();
      if (record.present) {
        const auto& entry = got->entries.front();
        record.value = entry.value;
        record.revision = entry.mod_revision;
        record.create_revision = entry.create_revision;
        record.version = entry.version;
      }
      known_[key] = record.revision;
    }
    job_.history.add(record);
  }

  void put(const std::string& key, std::optional<std::uint64_t> expected) {
    Record record = begin(Kind::kPut, key);
    record.value = std::to_string(job_.client) + "." + std::to_string(++puts_);
    record.conditional = expected.has_value();
    record.expected = expected.value_or(0);
    const auto done = client_.put(key, record.value, {.if_revision = expected});
    record.end = clock_now();
    if (done) {
      record.revision = *done;
      known_[key] = *done;
    } else {
      refused(record, done.error());
    }
    job_.history.add(record);
  }

  void remove(const std::string& key, std::optional<std::uint64_t> expected) {
    Record record = begin(Kind::kDelete, key);
    record.conditional = expected.has_value();
    record.expected = expected.value_or(0);
    const auto done = client_.remove(key, {.if_revision = expected});
    record.end = clock_now();
    if (done) {
      record.revision = done->revision;
      record.present = done->deleted > 0;
      known_[key] = 0;
    } else {
      refused(record, done.error());
    }
    job_.history.add(record);
  }

  const Job& job_;
  const std::size_t keys_;
  Random random_;
  client::Client client_;
  std::uint64_t puts_ = 0;
  std::map<std::string, std::optional<std::uint64_t>> known_;  // the last revision of a key that it was told
};

/// One client that takes locks.
class Locker {
 public:
  Locker(const Job& job, std::size_t locks)
      : job_(job), locks_(locks), random_(job.seed), client_(options_of(job, random_)) {}

  void work() {
    while (!job_.stop.wait_for(milliseconds(random_.between(1, 60)))) take();
  }

 private:
  void take() {
    Record record;
    record.kind = Kind::kGrant;
    record.client = job_.client;
    record.key = lock_name(random_.below(locks_));
    client::LockOptions options;
    options.queue = random_.chance(80);
    options.wait = milliseconds(random_.between(500, 5000));
    options.ttl = kLockTtl;
    options.owner = "client " + std::to_string(job_.client);
    options.keep_waiting = [this] { return !job_.stop.is_set(); };
    record.call = clock_now();
    if (options.queue) record.until = record.call + Duration(*options.wait).count();
    auto lock = client_.lock(record.key, options);
    record.end = clock_now();
    if (!lock) {
      record.answer = judged(lock.error(), job_, "lock " + record.key);
      return job_.history.add(record);
    }
    record.token = lock->token();
    record.lease = lock->lease().value;
    job_.history.add(record);
    hold(*lock, record);
    release(*lock, record);
  }

  /// Writes down until when it is told that it is safe: at once, for it may be stopped or killed, and in the
  /// end.
  void hold(client::Lock& lock, const Record& grant) {
    Record hold = grant;
    hold.kind = Kind::kHold;
    note_safe(lock, hold);
    // Mostly short; sometimes over several keepalives.
    const auto time = milliseconds(random_.chance(10) ? random_.between(500, 3000) : random_.between(0, 40));
    job_.stop.wait_for(time);
    note_safe(lock, hold);
  }

  void note_safe(const client::Lock& lock, Record& hold) {
    // The clock is read first: the promise is at least as long as what is written down.
    hold.call = hold.end = clock_now();
    const milliseconds safe = lock.safe_for();
    if (safe.count() <= 0) return;
    hold.until = hold.call + Duration(safe).count();
    job_.history.add(hold);
  }

  void release(client::Lock& lock, const Record& grant) {
    Record release = grant;
    release.kind = Kind::kRelease;
    release.call = clock_now();
    const auto released = lock.release();
    release.end = clock_now();
    if (!released) {
      release.answer = judged(released.error(), job_, "release " + grant.key);
      // Of a release that reached nobody, too, nothing more is said than that the holder gave up.
      if (release.answer == Answer::kFailed) release.answer = Answer::kUnknown;
    }
    job_.history.add(release);
  }

  const Job& job_;
  const std::size_t locks_;
  Random random_;
  client::Client client_;
};

/// One client that keeps leases alive by hand, each with a key attached.
class Leaser {
 public:
  explicit Leaser(const Job& job) : job_(job), random_(job.seed), client_(options_of(job, random_)) {}

  void work() {
    while (!job_.stop.wait_for(milliseconds(random_.between(1, 100)))) live();
  }

 private:
  void live() {
    const std::int64_t sent = clock_now();
    const auto granted = client_.grant_lease(kLeaseTtl);
    if (!granted) return static_cast<void>(judged(granted.error(), job_, "grant of a lease"));
    lease_ = granted->lease;
    promise_.kind = Kind::kLease;
    promise_.client = job_.client;
    promise_.key = kPrefix + "lease/" + std::to_string(job_.client) + "." + std::to_string(++leases_);
    promise_.lease = lease_.value;
    promised(sent, granted->ttl);
    const bool attached = attach();
    const std::int64_t give_up = clock_now() + Duration(milliseconds(random_.between(100, 6000))).count();
    while (clock_now() < give_up && !job_.stop.wait_for(kLeaseTtl / 5)) {
      if (!keep_alive()) return;
      if (attached) check_attached();
    }
    if (random_.chance(50)) revoke();
  }

  void promised(std::int64_t sent, milliseconds ttl) {
    promise_.call = sent;
    promise_.end = clock_now();
    promise_.until = sent + Duration(ttl).count();
    job_.history.add(promise_);
  }

  bool attach() {
    Record record;
    record.kind = Kind::kPut;
    record.client = job_.client;
    record.key = promise_.key;
    record.value = "attached";
    record.call = clock_now();
    const auto done = client_.put(record.key, record.value, {.lease = lease_});
    record.end = clock_now();
    if (done) {
      record.revision = *done;
    } else {
      record.answer = judged(done.error(), job_, to_line(record));
    }
    job_.history.add(record);
    return done.has_value();
  }

  bool keep_alive() {
    const std::int64_t sent = clock_now();
    const auto kept = client_.keep_alive({lease_});
    if (!kept) return judged(kept.error(), job_, "keepalive") != Answer::kMismatch;
    if (kept->front().count() > 0) return promised(sent, kept->front()), true;
    if (clock_now() < promise_.until)
      breach("the lease ended " + std::to_string(promise_.until - clock_now()) + " us early");
    return false;
  }

  /// While its lease is sure to live the key must be there.
  void check_attached() {
    const auto got = client_.get(promise_.key);
    if (!got || !got->entries.empty()) return;
    if (clock_now() < promise_.until) breach("its lease lives, but " + promise_.key + " is gone");
  }

  void revoke() {
    promise_.call = promise_.end = clock_now();
    promise_.until = 0;
    job_.history.add(promise_);
    if (const auto revoked = client_.revoke_lease(lease_); !revoked) {
      static_cast<void>(judged(revoked.error(), job_, "revocation"));
    }
  }

  void breach(const std::string& what) {
    Record breach = promise_;
    breach.kind = Kind::kBreach;
    breach.call = breach.end = clock_now();
    breach.value = what;
    job_.history.add(breach);
  }

  const Job& job_;
  Random random_;
  client::Client client_;
  client::LeaseId lease_;
  Record promise_;
  std::uint64_t leases_ = 0;
};

}  // namespace

void write_keys(const Job& job, std::size_t keys) { Writer(job, keys).work(); }
void take_locks(const Job& job, std::size_t locks) { Locker(job, locks).work(); }
void keep_leases(const Job& job) { Leaser(job).work(); }

void look_at_locks(const Job& job, std::size_t locks) {
  Random random(job.seed);
  client::Client client(options_of(job, random));
  while (!job.stop.wait_for(milliseconds(random.between(5, 40)))) {
    Record record;
    record.kind = Kind::kLook;
    record.client = job.client;
    record.key = lock_name(random.below(locks));
    record.call = clock_now();
    const auto found = client.locks(record.key);
    record.end = clock_now();
    if (!found) {
      record.answer = judged(found.error(), job, "look at " + record.key);
      if (record.answer == Answer::kUnknown) record.answer = Answer::kFailed;  // it changes nothing
    } else if (!found->empty()) {
      const auto& lock = found->front();
      if (!lock.holders.empty()) record.token = lock.holders.front().token;
      for (const auto& waiter : lock.queue) record.waiting.push_back(waiter.lease.value);
    }
    job.history.add(record);
  }
}

void watch_changes(const Job& job) {
  Random random(job.seed);
  client::Client client(options_of(job, random));
  Record record;
  record.kind = Kind::kBreach;
  record.client = job.client;
  auto watch = client.watch(kPrefix, {.prefix = true, .from_revision = 1});
  while (watch && !job.stop.is_set()) {
    const auto next = watch->next(milliseconds(100));
    record.call = record.end = clock_now();
    if (!next) {
      record.value = "watch ended: " + next.error().message;
      return job.history.add(record);
    }
    if (!next->has_value()) continue;
    const auto& [type, entry] = **next;
    Record event = record;
    event.kind = Kind::kEvent;
    event.key = entry.key;
    event.value = entry.value;
    event.present = type == client::WatchEvent::Type::kPut;
    event.revision = entry.mod_revision;
    event.create_revision = entry.create_revision;
    event.version = entry.version;
    job.history.add(event);
    if (entry.key == kEndKey) return;
  }
  record.call = record.end = clock_now();
  record.value = watch ? "the watch never saw the last change" : "no watch: " + watch.error().message;
  job.history.add(record);
}

}  // namespace holdfast::chaos
