#include "node/grants.h"

#include <catch2/catch.hpp>
#include <string>

namespace holdfast::node {
namespace {

constexpr LeaseId kLease(3);

struct Fixture {
  Grants grants;
  std::map<std::string, std::string> answers;

  std::uint64_t await(const std::string& name, std::uint64_t attempt) {
    return grants.await("deploy", kLease, attempt, [this, name](const Result<Grant>& grant) {
      answers[name] =
          grant ? "token " + std::to_string(grant->token.value()) : std::string(name_of(grant.error().code));
    });
  }
  void change(lock::ChangeType type, std::uint64_t attempt) {
    lock::Change change;
    change.type = type;
    change.lock = "deploy";
    change.lease = kLease;
    change.attempt = attempt;
    if (type == lock::ChangeType::kGranted) change.token = Token(12);
    grants.on_change(change);
  }
};

TEST_CASE_METHOD(Fixture, "everybody who waits for a claim hears of its grant") {
  await("a", 1);
  await("b", 1);
  change(lock::ChangeType::kGranted, 1);
  CHECK(answers["a"] == "token 12");
  CHECK(answers["b"] == "token 12");
}

TEST_CASE_METHOD(Fixture, "a wait ends with what became of the claim") {
  await("a", 1);
  SECTION("cancelled") {
    change(lock::ChangeType::kCancelled, 1);
    CHECK(answers["a"] == "cancelled");
  }
  SECTION("timed out") {
    change(lock::ChangeType::kWaitTimedOut, 1);
    CHECK(answers["a"] == "wait_timed_out");
  }
  SECTION("its lease ended") {
    change(lock::ChangeType::kLeaseEnded, 1);
    CHECK(answers["a"] == "lease_not_found");
  }
  SECTION("the leader was deposed") {
    grants.fail_all({Errc::kNotLeader, "", {}});
    CHECK(answers["a"] == "not_leader");
  }
}

TEST_CASE_METHOD(Fixture, "a newer attempt takes the older one's place, not the other way round") {
  await("old", 1);
  await("new", 2);
  CHECK(answers["old"] == "cancelled");
  change(lock::ChangeType::kCancelled, 1);
  CHECK(answers.count("new") == 0);
  change(lock::ChangeType::kGranted, 2);
  CHECK(answers["new"] == "token 12");
}

TEST_CASE_METHOD(Fixture, "who has gone is not told") {
  auto id = await("a", 1);
  await("b", 1);
  grants.forget(id);
  grants.forget(id);
  change(lock::ChangeType::kGranted, 1);
  CHECK(answers.count("a") == 0);
  CHECK(answers["b"] == "token 12");
}

}  // namespace
}  // namespace holdfast::node
