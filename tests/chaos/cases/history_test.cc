#include <catch2/catch.hpp>

#include "tests/chaos/audit.h"
#include "tests/chaos/history.h"

namespace holdfast::chaos {

namespace {

Record event(std::uint32_t watcher, std::uint64_t revision, const std::string& value, std::uint64_t version) {
  Record one;
  one.kind = Kind::kEvent;
  one.client = watcher;
  one.call = one.end = static_cast<std::int64_t>(revision) * 100 + 50;
  one.key = "k";
  one.value = value;
  one.present = true;
  one.revision = revision;
  one.version = version;
  one.create_revision = revision + 1 - version;
  return one;
}

Record put(std::uint64_t revision, const std::string& value) {
  Record one;
  one.kind = Kind::kPut;
  one.client = 1;
  one.call = static_cast<std::int64_t>(revision) * 100;
  one.end = one.call + 10;
  one.key = "k";
  one.value = value;
  one.revision = revision;
  return one;
}

Record final_state(std::uint64_t revision, const std::string& value, std::uint64_t version) {
  Record one = event(0, revision, value, version);
  one.kind = Kind::kFinal;
  one.client = 90;
  return one;
}

/// Three puts that were all acknowledged, two watchers that saw them, and what is left.
std::vector<Record> whole() {
  std::vector<Record> history;
  for (std::uint64_t revision = 1; revision <= 3; ++revision) {
    const std::string value = "v" + std::to_string(revision);
    history.push_back(put(revision, value));
    history.push_back(event(10, revision, value, revision));
    history.push_back(event(11, revision, value, revision));
  }
  history.push_back(final_state(3, "v3", 3));
  return history;
}

bool has_breach(const std::vector<Record>& history, const std::string& rule) {
  const Judgement judgement = judge(history);
  for (const std::string& breach : judgement.breaches) {
    if (breach.starts_with(rule)) return true;
  }
  UNSCOPED_INFO("no breach of " << rule << " among " << judgement.breaches.size());
  return false;
}

Record grant(const std::string& lock, std::uint64_t token, std::uint64_t lease, std::int64_t call) {
  Record one;
  one.kind = Kind::kGrant;
  one.key = lock;
  one.token = token;
  one.lease = lease;
  one.call = call;
  one.end = call + 10;
  return one;
}
Record release(const Record& grant, std::int64_t call) {
  Record one = grant;
  one.kind = Kind::kRelease;
  one.call = call;
  one.end = call + 10;
  return one;
}
Record hold(const Record& grant, std::int64_t until) {
  Record one = grant;
  one.kind = Kind::kHold;
  one.until = until;
  return one;
}

}  // namespace

TEST_CASE("a record survives its way through a line") {
  Record one = put(7, "a \"value\"\n");
  one.answer = Answer::kUnknown;
  one.conditional = true;
  one.expected = 6;
  one.token = 5;
  one.lease = 0xffffffffffffffff;
  one.until = 12;
  one.waiting = {1, 2};
  const auto back = from_line(to_line(one));
  REQUIRE(back);
  CHECK(to_line(*back) == to_line(one));
  CHECK(back->lease == one.lease);
  CHECK(back->waiting == one.waiting);
  CHECK(back->answer == Answer::kUnknown);
  CHECK_FALSE(from_line("{}"));
  CHECK_FALSE(from_line("{\"kind\":\"put\""));
  CHECK_FALSE(from_line(R"({"kind":"putt","client":1,"call":1,"end":1})"));
}

TEST_CASE("a whole history is good") {
  const Judgement judgement = judge(whole());
  CHECK(judgement.breaches == std::vector<std::string>{});
  CHECK(judgement.operations == 3);
  CHECK(judgement.events == 6);
}

TEST_CASE("an acknowledged write that no watcher saw is lost") {
  auto history = whole();
  history.push_back(put(4, "v4"));
  CHECK(has_breach(history, "acknowledged write is lost"));
}

TEST_CASE("an unknown write may be seen or not, but only once") {
  auto history = whole();
  Record unknown = put(4, "v4");
  unknown.answer = Answer::kUnknown;
  unknown.revision = 0;
  history.push_back(unknown);
  CHECK(judge(history).good());
  history.pop_back();
  history.insert(history.begin(), unknown);
  history.front().call = 0;
  for (const std::uint32_t watcher : {10, 11}) history.push_back(event(watcher, 4, "v4", 4));
  history.push_back(final_state(4, "v4", 4));
  history.erase(history.end() - 4);
  CHECK(judge(history).breaches == std::vector<std::string>{});
  for (const std::uint32_t watcher : {10, 11}) history.push_back(event(watcher, 5, "v4", 5));
  CHECK(has_breach(history, "a write took effect twice"));
}

TEST_CASE("a write that was said to have failed must not take effect") {
  auto history = whole();
  history[6].answer = Answer::kFailed;  // the third put
  CHECK(has_breach(history, "a refused write took effect"));
}

TEST_CASE("a watcher that missed a change, or saw one twice, is noticed") {
  auto history = whole();
  history.erase(history.begin() + 4);
  CHECK(has_breach(history, "watch gap"));
  CHECK(has_breach(history, "watchers differ"));
  history = whole();
  history.insert(history.begin() + 4, history[4]);
  CHECK(has_breach(history, "watch duplicate"));
  history = whole();
  std::swap(history[1], history[4]);
  CHECK(has_breach(history, "watch order"));
}

TEST_CASE("a value that nobody wrote, and a final state that the changes do not add up to, are noticed") {
  auto history = whole();
  history.erase(history.begin() + 3);
  CHECK(has_breach(history, "written by nobody"));
  history = whole();
  history.back().revision = 2;
  CHECK(has_breach(history, "final state"));
  history = whole();
  history.back().key.clear();  // the member was asked, and had nothing
  CHECK(has_breach(history, "final state"));
}

TEST_CASE("a read at a revision older than what was acknowledged before is stale, also of another key") {
  auto history = whole();
  Record get;
  get.kind = Kind::kGet;
  get.key = "another";
  get.call = 1000;
  get.end = 1001;
  get.store_revision = 3;
  history.push_back(get);
  CHECK(judge(history).good());
  history.back().store_revision = 2;
  CHECK(has_breach(history, "revisions in real time"));
}

TEST_CASE("a lease whose key went before its time is noticed, and one whose key stayed") {
  auto history = whole();
  Record lease;
  lease.kind = Kind::kLease;
  lease.key = "k";
  lease.until = 440;
  history.push_back(lease);
  CHECK(has_breach(history, "key outlived its lease"));
  history.erase(history.end() - 2);
  for (const std::uint32_t watcher : {10, 11}) {
    history.push_back(event(watcher, 4, "", 0));
    history.back().present = false;
  }
  CHECK(judge(history).good());
  history[history.size() - 3].until = 460;
  CHECK(has_breach(history, "lease ended early"));
}

TEST_CASE("two holders at once are noticed, also if one was only told that it is safe") {
  const Record first = grant("l", 1, 11, 0);
  const Record second = grant("l", 2, 12, 100);
  CHECK(judge({first, release(first, 50), second}).good());
  CHECK(has_breach({first, second, release(first, 150)}, "lock:"));
  CHECK(judge({first, hold(first, 90), second}).good());
  CHECK(has_breach({first, hold(first, 120), second}, "lock:"));
  // It began to release before the second grant, and was safe only until then.
  Record unknown = release(first, 90);
  unknown.answer = Answer::kUnknown;
  CHECK(judge({first, hold(first, 120), unknown, second}).good());
}

TEST_CASE("tokens are never used twice and follow real time over all locks") {
  CHECK(has_breach({grant("l", 1, 11, 0), grant("m", 1, 12, 100)}, "tokens:"));
  CHECK(has_breach({grant("l", 2, 11, 0), grant("m", 1, 12, 100)}, "tokens in real time"));
}

TEST_CASE("who stands in the queue is served before those behind him and those that come later") {
  const Record held = grant("l", 1, 10, 0);
  Record look = grant("l", 1, 0, 20);
  look.kind = Kind::kLook;
  look.waiting = {11, 12};
  const Record early = grant("l", 2, 11, 5);
  const Record middle = grant("l", 3, 12, 6);
  const auto in_turn = [&](const Record& first, const Record& then) {
    Record a = first, b = then;
    a.end = 120;
    b.end = 220;
    return std::vector<Record>{held, look, release(held, 90), a, release(a, 150), b};
  };
  CHECK(judge(in_turn(early, middle)).breaches == std::vector<std::string>{});
  CHECK(has_breach(in_turn(grant("l", 2, 12, 6), grant("l", 3, 11, 5)), "queue:"));
  // It asked when the other one stood in the queue already.
  CHECK(has_breach(in_turn(grant("l", 2, 99, 40), grant("l", 3, 11, 5)), "queue:"));
  // It wanted to wait until 150 and was granted the lock at 220: its place had ended, and it asked anew.
  Record late = grant("l", 3, 11, 5);
  late.until = 150;
  CHECK(judge(in_turn(grant("l", 2, 99, 40), late)).breaches == std::vector<std::string>{});
  late.until = 300;
  CHECK(has_breach(in_turn(grant("l", 2, 99, 40), late), "queue:"));
}

TEST_CASE("a grant that nobody was told of is known by the look that saw it") {
  Record look = grant("l", 1, 0, 20);
  look.kind = Kind::kLook;
  CHECK(judge({look, grant("l", 2, 12, 100)}).good());
  CHECK(has_breach({grant("l", 2, 12, 0), hold(grant("l", 2, 12, 0), 500), look}, "lock:"));
}

}  // namespace holdfast::chaos
