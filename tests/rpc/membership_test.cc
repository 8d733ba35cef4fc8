#include "tests/rpc/calls.h"

#include "rpc/membership_edits.h"

/// Who takes part, as the door tells and changes it.
namespace holdfast::test {
namespace {

using rpc::Standing;

constexpr ClusterId kCluster{7};

raft::Membership three() {
  raft::Membership membership;
  for (int i = 1; i <= 3; ++i) {
    raft::Member member;
    member.id = MemberId(static_cast<std::uint64_t>(i));
    member.name = "n" + std::to_string(i);
    member.peer_address = "host:" + std::to_string(i);
    membership.voters.push_back(member);
  }
  return membership;
}

template <typename T>
Errc code(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

bool names(const Error& error, const std::string& word) {
  return error.message.find(word) != std::string::npos;
}

TEST_CASE("a new member begins as a learner, under an id of its name") {
  const auto target = rpc::with_learner(three(), kCluster, "n4", "host:4");
  REQUIRE(target);
  CHECK(target->voters.size() == 3);
  REQUIRE(target->learners.size() == 1);
  CHECK(target->learners[0].name == "n4");
  CHECK(target->learners[0].id);
  CHECK(target->learners[0].id == rpc::with_learner(three(), kCluster, "n4", "host:9")->learners[0].id);
  CHECK(target->learners[0].data_id.empty());
}

TEST_CASE("a name or an address that is taken, or is none, is refused") {
  const auto learner = rpc::with_learner(three(), kCluster, "n4", "host:4").value();
  CHECK(code(rpc::with_learner(three(), kCluster, "n3", "host:4")) == Errc::kMemberExists);
  CHECK(code(rpc::with_learner(three(), kCluster, "n4", "host:3")) == Errc::kMemberExists);
  const auto again = rpc::with_learner(learner, kCluster, "n4", "host:4");
  CHECK(code(again) == Errc::kMemberExists);
  CHECK(names(again.error(), "promote"));
  CHECK(code(rpc::with_learner(three(), kCluster, "", "host:4")) == Errc::kInvalidArgument);
  CHECK(code(rpc::with_learner(three(), kCluster, "a b", "host:4")) == Errc::kInvalidArgument);
  CHECK(code(rpc::with_learner(three(), kCluster, "n4", "host")) == Errc::kInvalidArgument);
  CHECK(code(rpc::with_learner(three(), kCluster, "n4", "host:0")) == Errc::kInvalidArgument);
}

TEST_CASE("a learner becomes a voter, a voter cannot be promoted, and nobody unknown can") {
  const auto with_learner = rpc::with_learner(three(), kCluster, "n4", "host:4").value();
  const auto target = rpc::with_promoted(with_learner, "n4");
  REQUIRE(target);
  CHECK(target->learners.empty());
  CHECK(rpc::standing_of(*target, "n4") == Standing::kVoter);
  CHECK(code(rpc::with_promoted(three(), "n1")) == Errc::kInvalidArgument);
  const auto unknown = rpc::with_promoted(three(), "n9");
  CHECK(code(unknown) == Errc::kMemberNotFound);
  CHECK(names(unknown.error(), "n1, n2, n3"));
}

TEST_CASE("any member can be removed but the last voter") {
  CHECK(rpc::without(three(), "n1")->voters.size() == 2);
  CHECK(code(rpc::without(three(), "n9")) == Errc::kMemberNotFound);
  raft::Membership one = three();
  one.voters.resize(1);
  CHECK(code(rpc::without(one, "n1")) == Errc::kWouldLoseQuorum);
}

TEST_CASE("a learner takes over another member's part in one change") {
  const auto with_learner = rpc::with_learner(three(), kCluster, "n4", "host:4").value();
  const auto target = rpc::with_heir(with_learner, "n2", "n4");
  REQUIRE(target);
  CHECK(target->voters.size() == 3);
  CHECK(target->learners.empty());
  CHECK(rpc::standing_of(*target, "n2") == Standing::kNone);
  CHECK(rpc::standing_of(*target, "n4") == Standing::kVoter);
  CHECK(code(rpc::with_heir(with_learner, "n9", "n4")) == Errc::kMemberNotFound);
  CHECK(code(rpc::with_heir(with_learner, "n2", "n9")) == Errc::kMemberNotFound);
  CHECK(code(rpc::with_heir(with_learner, "n2", "n3")) == Errc::kMemberExists);

  const auto two_learners = rpc::with_learner(with_learner, kCluster, "n5", "host:5").value();
  const auto learner = rpc::with_heir(two_learners, "n4", "n5");
  REQUIRE(learner);
  CHECK(learner->voters.size() == 3);
  CHECK(rpc::standing_of(*learner, "n5") == Standing::kLearner);
}

TEST_CASE("any member lists the members, with how far the leader knows each to be") {
  Cluster cluster(3);
  auto service = cluster.connect(cluster.follower()).clusterRequest().send().getCluster();
  REQUIRE(cluster.run_until([&] {
    const auto results = cluster.call(service.membersRequest());
    REQUIRE(error_of(results));
    const auto list = results.getOutcome().getOk();
    REQUIRE(list.getMembers().size() == 3);
    bool level = list.getLastIndex() > 0;
    for (auto member : list.getMembers()) level = level && member.getMatchIndex() == list.getLastIndex();
    CHECK(rpc::to_string(list.getLeader()) == cluster.leader().name);
    CHECK_FALSE(list.getChanging());
    return level;
  }));
  auto own = service.membersRequest();
  own.setSerializable(true);
  const auto results = cluster.call(own);
  REQUIRE(error_of(results));
  CHECK(results.getOutcome().getOk().getMembers().size() == 3);
}

TEST_CASE("leadership goes to the member that is named, and to nobody else") {
  Cluster cluster(3);
  Member& heir = cluster.follower();
  auto service = cluster.connect(cluster.leader()).clusterRequest().send().getCluster();
  const auto transfer = [&](const std::string& name) {
    auto request = service.transferLeadershipRequest();
    request.initCall().setTimeoutMs(3000);
    request.setName(rpc::as_text(name));
    return cluster.call(request);
  };
  const auto nobody = transfer("n9");
  CHECK(code(error_of(nobody)) == Errc::kMemberNotFound);
  for (int i = 0; i < 2; ++i) {  // the second time it leads already, and the call is passed on to it
    const auto done = transfer(heir.name);
    CHECK(error_of(done));
    CHECK(rpc::to_string(done.getOutcome().getOk().getLeader()) == heir.name);
  }
  CHECK(heir.node->is_leader());
}

TEST_CASE("a cluster of one version reaches the level that it supports") {
  Cluster cluster(3);
  REQUIRE(cluster.run_until([&] {
    bool all = true;
    for (auto& member : cluster.members) {
      all = all && member->node->machine().feature_level() == state::kSupportedLevel;
    }
    return all;
  }));
}

}  // namespace
}  // namespace holdfast::test
