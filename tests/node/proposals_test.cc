#include "node/proposals.h"

#include <catch2/catch.hpp>
#include <map>

#include "base/limits.h"

namespace holdfast::node {
namespace {

struct Fixture {
  std::vector<LeaseId> decided;
  Proposals proposals{[this](const std::vector<LeaseId>& leases) {
    decided.insert(decided.end(), leases.begin(), leases.end());
  }};
  std::map<int, std::string> answers;

  void add(int number, int deadline_ms = 1000, std::vector<LeaseId> ends = {}) {
    proposals.add(Blob("x"), Instant(milliseconds(deadline_ms)), std::move(ends),
                  [this, number](const state::Reply& reply) {
                    answers[number] = reply ? "ok" : std::string(name_of(reply.error().code));
                  });
  }
  void accept(std::uint64_t first, std::uint64_t term) {
    REQUIRE(proposals.take_waiting().size() > 0);
    proposals.accepted({Index(first), Term(term)});
  }
  void resolve(std::uint64_t index, std::uint64_t term) {
    proposals.resolve(Index(index), Term(term), state::Done{});
  }
  void expire(int ms) { proposals.expire(Instant(milliseconds(ms)) + Earliest::kSlack); }
};

TEST_CASE_METHOD(Fixture, "a proposal is answered when its own entry is applied") {
  add(1);
  add(2);
  accept(5, 3);
  resolve(4, 2);
  CHECK(answers.empty());
  resolve(5, 3);
  CHECK(answers == std::map<int, std::string>{{1, "ok"}});
  resolve(6, 3);
  CHECK(answers[2] == "ok");
  CHECK(proposals.size() == 0);
}

TEST_CASE_METHOD(Fixture, "another leader's entry in its place means it certainly had no effect") {
  add(1);
  add(2);
  accept(5, 3);
  resolve(5, 4);
  CHECK(answers == std::map<int, std::string>{{1, "not_committed"}, {2, "not_committed"}});
}

TEST_CASE_METHOD(Fixture, "a newer term below its place replaces it as well") {
  add(1);
  accept(9, 3);
  resolve(7, 4);
  CHECK(answers[1] == "not_committed");
}

TEST_CASE_METHOD(Fixture, "an older leader's proposal does not shadow the newer one behind it") {
  add(1);
  accept(10, 1);
  add(2);
  accept(10, 3);
  resolve(9, 3);
  CHECK(answers == std::map<int, std::string>{{1, "not_committed"}});
  resolve(10, 3);
  CHECK(answers[2] == "ok");
}

TEST_CASE_METHOD(Fixture, "what is in the log is unknown when its time is over, what is not had no effect") {
  add(1, 100);
  add(2, 900);
  accept(5, 3);
  add(3, 100);
  add(4, 900);
  expire(100);
  CHECK(answers == std::map<int, std::string>{{1, "unknown"}, {3, "unavailable"}});
  // What a caller was told is never proposed has gone; the others go on.
  CHECK(proposals.take_waiting().size() == 1);
  proposals.accepted({Index(7), Term(3)});
  resolve(5, 3);
  CHECK(answers[1] == "unknown");
  resolve(6, 3);
  resolve(7, 3);
  CHECK(answers[2] == "ok");
  CHECK(answers[4] == "ok");
}

TEST_CASE_METHOD(Fixture,
                 "a lease's end stays undecided although its caller was told that the time is over") {
  add(1, 100, {LeaseId(7)});
  accept(5, 3);
  expire(100);
  CHECK(answers[1] == "unknown");
  CHECK(decided.empty());
  resolve(5, 3);
  CHECK(decided == std::vector{LeaseId(7)});
}

TEST_CASE_METHOD(Fixture, "what was refused is decided and answered, and its caller may add anew") {
  proposals.add(Blob("x"), kNever, {LeaseId(7)}, [this](const state::Reply& reply) {
    CHECK(reply.error().code == Errc::kNotLeader);
    add(2);
  });
  add(1);
  CHECK(proposals.take_waiting().size() == 2);
  proposals.refused({Errc::kNotLeader, "deposed", {}});
  CHECK(decided == std::vector{LeaseId(7)});
  CHECK(answers == std::map<int, std::string>{{1, "not_leader"}});
  CHECK(proposals.take_waiting().size() == 1);
}

TEST_CASE_METHOD(Fixture, "what came with another member's state instead of being applied is unknown") {
  add(1, 1000, {LeaseId(7)});
  add(2);
  accept(5, 3);
  add(3);
  proposals.passed_over(Index(5));
  CHECK(decided == std::vector{LeaseId(7)});
  CHECK(answers == std::map<int, std::string>{{1, "unknown"}});
  resolve(6, 3);
  CHECK(answers[2] == "ok");
  CHECK(proposals.any_waiting());
}

TEST_CASE_METHOD(Fixture, "the number of commands under way is bounded") {
  for (std::size_t i = 0; i < limits::kMaxPendingProposals; ++i) {
    proposals.add(Blob("x"), kNever, {}, [](const state::Reply&) {});
  }
  CHECK(proposals.has_room(1).error().code == Errc::kOverloaded);
}

TEST_CASE_METHOD(Fixture, "the bytes under way are bounded, and freed with the answer") {
  proposals.add(Blob(std::string(limits::kMaxPendingProposalBytes, 'x')), kNever, {},
                [](const state::Reply&) {});
  CHECK(proposals.has_room(1).error().code == Errc::kOverloaded);
  Held held;
  proposals.count(held);
  CHECK(held.proposals == 1);
  CHECK(held.proposal_bytes == limits::kMaxPendingProposalBytes);
  accept(1, 1);
  resolve(1, 1);
  CHECK(proposals.has_room(1));
}

TEST_CASE_METHOD(Fixture, "what the leader proposes itself takes no caller's room") {
  proposals.add(
      Blob(std::string(limits::kMaxPendingProposalBytes, 'x')), kNever, {}, [](const state::Reply&) {},
      false);
  CHECK(proposals.has_room(1));
  Held held;
  proposals.count(held);
  CHECK(held.proposals == 0);
  CHECK(held.proposals_taken == 0);
}

}  // namespace
}  // namespace holdfast::node
