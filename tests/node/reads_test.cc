#include "node/reads.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace holdfast::node {
namespace {

struct Fixture {
  Reads reads;
  std::vector<std::string> answers;
  Instant now{milliseconds(50)};

  Reads::Ready noting(const std::string& name) {
    return [this, name](const Result<void>& ready) {
      answers.push_back(name + (ready ? " ready" : " " + std::string(name_of(ready.error().code))));
    };
  }
  void add(const std::string& name, int deadline_ms = 1000) {
    reads.add(Instant(milliseconds(deadline_ms)), noting(name));
  }
  void add_patient(const std::string& name, std::size_t weight = 1) {
    reads.add_patient(Instant(milliseconds(1000)), weight, noting(name));
  }
  /// Asks and is confirmed.
  void ask() {
    REQUIRE(reads.can_ask(now));
    reads.confirmed(reads.ask(now), Index(1));
    reads.applied(Index(1));
  }
};

using Answers = std::vector<std::string>;

TEST_CASE_METHOD(Fixture, "all that wait share one question, and wait until what it names is applied") {
  add("a");
  add("b");
  REQUIRE(reads.can_ask(now));
  auto id = reads.ask(now);
  CHECK_FALSE(reads.can_ask(now));
  reads.confirmed(id, Index(5));
  reads.applied(Index(4));
  CHECK(answers.empty());
  reads.applied(Index(5));
  CHECK(answers == Answers{"a ready", "b ready"});
}

TEST_CASE_METHOD(Fixture,
                 "the first call that is in no hurry is due at a moment that a timer can be set to") {
  add_patient("a");
  CHECK(reads.due() >= Instant());
  CHECK(reads.can_ask(now));
}

TEST_CASE_METHOD(Fixture, "a read that comes after the question waits for the next one") {
  add("a");
  auto first = reads.ask(now);
  add("b");
  CHECK_FALSE(reads.can_ask(now));
  reads.confirmed(first, Index(1));
  reads.applied(Index(9));
  CHECK(answers == Answers{"a ready"});
  REQUIRE(reads.can_ask(now));
  auto second = reads.ask(now);
  CHECK(second > first);
  reads.confirmed(first, Index(9));  // an answer that comes twice
  reads.applied(Index(9));
  CHECK(answers == Answers{"a ready"});
  reads.confirmed(second, Index(9));
  reads.applied(Index(9));
  CHECK(answers == Answers{"a ready", "b ready"});
}

TEST_CASE_METHOD(Fixture, "a question that is refused fails those who asked") {
  add("a");
  auto id = reads.ask(now);
  add("b");
  reads.unconfirmed(id, {Errc::kNotLeader, "", {}});
  CHECK(answers == Answers{"a not_leader"});
  CHECK(reads.can_ask(now));
}

TEST_CASE_METHOD(Fixture, "a read whose time is over is told so wherever it waits") {
  add("confirmed", 100);
  reads.confirmed(reads.ask(now), Index(5));
  add("asked", 100);
  add("patient", 900);
  auto id = reads.ask(now);
  add("waiting", 100);
  reads.expire(Instant(milliseconds(100)) + Earliest::kSlack);
  CHECK(answers == Answers{"asked unavailable", "waiting unavailable", "confirmed unavailable"});
  reads.confirmed(id, Index(5));
  reads.applied(Index(5));
  CHECK(answers.back() == "patient ready");
}

TEST_CASE_METHOD(Fixture, "a deposed leader answers nobody") {
  add("a");
  auto id = reads.ask(now);
  add("b");
  reads.fail_all({Errc::kNotLeader, "", {}});
  CHECK(answers == Answers{"a not_leader", "b not_leader"});
  reads.confirmed(id, Index(1));
  reads.applied(Index(1));
  CHECK(answers.size() == 2);
}

TEST_CASE_METHOD(
    Fixture, "whoever is in no hurry asks at once if nobody has asked lately, and then waits for others") {
  add_patient("first");
  ask();
  CHECK(answers == Answers{"first ready"});
  now += milliseconds(1);
  add_patient("second");
  CHECK_FALSE(reads.can_ask(now));
  CHECK(reads.due() == Instant(milliseconds(50)) + Reads::kGather);
  now = reads.due();
  add_patient("third");
  ask();
  CHECK(answers == Answers{"first ready", "second ready", "third ready"});
}

TEST_CASE_METHOD(Fixture, "whoever is in no hurry goes with the next question that is asked anyway") {
  add_patient("first");
  ask();
  add_patient("patient");
  CHECK_FALSE(reads.can_ask(now));
  add("hurried");
  ask();
  CHECK(answers == Answers{"first ready", "patient ready", "hurried ready"});
  add_patient("the next one gathers again");
  CHECK_FALSE(reads.can_ask(now));
}

TEST_CASE_METHOD(Fixture, "those in no hurry ask at once when together they are worth a question") {
  add_patient("first");
  ask();
  add_patient("half", Reads::kGatheredWeight / 2);
  CHECK_FALSE(reads.can_ask(now));
  add_patient("the other half", Reads::kGatheredWeight / 2);
  ask();
  CHECK(answers.size() == 3);
  CHECK(reads.due() > now + Reads::kGather);
}

TEST_CASE_METHOD(Fixture, "nothing is due for those that gather while a question is out") {
  add("hurried");
  const auto id = reads.ask(now);
  add_patient("patient");
  CHECK(reads.due() > now + Reads::kGather);
  reads.confirmed(id, Index(1));
  CHECK(reads.due() == now + Reads::kGather);
}

}  // namespace
}  // namespace holdfast::node
