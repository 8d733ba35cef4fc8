#include "node/reads.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace holdfast::node {
namespace {

struct Fixture {
  Reads reads;
  std::vector<std::string> answers;

  void add(const std::string& name, int deadline_ms = 1000) {
    reads.add(Instant(milliseconds(deadline_ms)), [this, name](const Result<void>& ready) {
      answers.push_back(name + (ready ? " ready" : " " + std::string(name_of(ready.error().code))));
    });
  }
};

using Answers = std::vector<std::string>;

TEST_CASE_METHOD(Fixture, "all that wait share one question, and wait until what it names is applied") {
  add("a");
  add("b");
  REQUIRE(reads.can_ask());
  auto id = reads.ask();
  CHECK_FALSE(reads.can_ask());
  reads.confirmed(id, Index(5));
  reads.applied(Index(4));
  CHECK(answers.empty());
  reads.applied(Index(5));
  CHECK(answers == Answers{"a ready", "b ready"});
}

TEST_CASE_METHOD(Fixture, "a read that comes after the question waits for the next one") {
  add("a");
  auto first = reads.ask();
  add("b");
  CHECK_FALSE(reads.can_ask());
  reads.confirmed(first, Index(1));
  reads.applied(Index(9));
  CHECK(answers == Answers{"a ready"});
  REQUIRE(reads.can_ask());
  auto second = reads.ask();
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
  auto id = reads.ask();
  add("b");
  reads.unconfirmed(id, {Errc::kNotLeader, "", {}});
  CHECK(answers == Answers{"a not_leader"});
  CHECK(reads.can_ask());
}

TEST_CASE_METHOD(Fixture, "a read whose time is over is told so wherever it waits") {
  add("confirmed", 100);
  reads.confirmed(reads.ask(), Index(5));
  add("asked", 100);
  add("patient", 900);
  auto id = reads.ask();
  add("waiting", 100);
  reads.expire(Instant(milliseconds(100)) + Earliest::kSlack);
  CHECK(answers == Answers{"asked unavailable", "waiting unavailable", "confirmed unavailable"});
  reads.confirmed(id, Index(5));
  reads.applied(Index(5));
  CHECK(answers.back() == "patient ready");
}

TEST_CASE_METHOD(Fixture, "a deposed leader answers nobody") {
  add("a");
  auto id = reads.ask();
  add("b");
  reads.fail_all({Errc::kNotLeader, "", {}});
  CHECK(answers == Answers{"a not_leader", "b not_leader"});
  reads.confirmed(id, Index(1));
  reads.applied(Index(1));
  CHECK(answers.size() == 2);
}

}  // namespace
}  // namespace holdfast::node
