#include <catch2/catch.hpp>

#include "tests/rpc/calls.h"

namespace holdfast::test {

TEST_CASE("a follower passes writes and reads on to the leader") {
  Cluster cluster(3);
  auto config = cluster.connect(cluster.follower()).configRequest().send().getConfig();
  const auto revision = put(cluster, config, "a", "1");
  auto results = cluster.call(get_request(config, "a", "b"));
  REQUIRE(error_of(results));
  REQUIRE(results.getOutcome().getOk().getEntries().size() == 1);
  CHECK(results.getOutcome().getOk().getEntries()[0].getModRevision() == revision);
}

TEST_CASE("a refusal by the state comes through a follower as it is") {
  Cluster cluster(3);
  auto config = cluster.connect(cluster.follower()).configRequest().send().getConfig();
  const auto revision = put(cluster, config, "a", "1");
  auto request = put_request(config, "a", "2");
  request.getPut().setConditional(true);
  request.getPut().setExpected(revision + 5);
  auto results = cluster.call(request);
  const auto refused = error_of(results);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kRevisionMismatch);
  CHECK(refused.error().revision == Revision(revision));
}

TEST_CASE("what a member answers by itself alone is never passed on") {
  Cluster cluster(3);
  auto here = cluster.connect(cluster.follower()).hereRequest().send().getHoldfast();
  auto config = here.configRequest().send().getConfig();
  auto results = cluster.call(put_request(config, "a", "1"));
  REQUIRE_FALSE(error_of(results));
  CHECK(error_of(results).error().code == Errc::kNotLeader);
  auto leader_here = cluster.connect(cluster.leader()).hereRequest().send().getHoldfast();
  put(cluster, leader_here.configRequest().send().getConfig(), "a", "1");
}

TEST_CASE("a serializable read is answered without the leader") {
  Cluster cluster(3);
  Member& follower = cluster.follower();
  auto config = cluster.connect(follower).configRequest().send().getConfig();
  put(cluster, config, "a", "1");
  REQUIRE(cluster.run_until([&] { return follower.node->machine().config().find("a") != nullptr; }));
  for (auto& member : cluster.members) {
    if (member.get() != &follower) member->kill();
  }
  auto request = get_request(config, "a", "b");
  request.getGet().setSerializable(true);
  auto results = cluster.call(request);
  REQUIRE(error_of(results));
  CHECK(results.getOutcome().getOk().getEntries().size() == 1);
}

TEST_CASE("without a quorum a read is unavailable within its time, and a write is not reported as refused") {
  Cluster cluster(3);
  Member& follower = cluster.follower();
  auto config = cluster.connect(follower).configRequest().send().getConfig();
  put(cluster, config, "a", "1");
  for (auto& member : cluster.members) {
    if (member.get() != &follower) member->kill();
  }
  auto read = get_request(config, "a", "b");
  read.initCall().setTimeoutMs(300);
  auto unread = cluster.call(read);
  REQUIRE_FALSE(error_of(unread));
  CHECK(error_of(unread).error().code == Errc::kUnavailable);
  auto write = put_request(config, "a", "2");
  write.initCall().setTimeoutMs(300);
  auto unwritten = cluster.call(write);
  REQUIRE_FALSE(error_of(unwritten));
  const Errc code = error_of(unwritten).error().code;
  CHECK((code == Errc::kUnavailable || code == Errc::kUnknown));
}

TEST_CASE("calls go on through a follower when the leader dies") {
  Cluster cluster(3);
  Member& old_leader = cluster.leader();
  auto config = cluster.connect(cluster.follower()).configRequest().send().getConfig();
  put(cluster, config, "a", "1");
  old_leader.kill();
  // The first write may meet the broken connection, and then nobody can know its fate.
  auto write = put_request(config, "a", "2");
  auto written = cluster.call(write);
  if (auto error = error_of(written); !error) CHECK(error.error().code == Errc::kUnknown);
  put(cluster, config, "a", "3");
  auto results = cluster.call(get_request(config, "a", "b"));
  REQUIRE(error_of(results));
  CHECK(rpc::to_string(results.getOutcome().getOk().getEntries()[0].getValue()) == "3");
}

TEST_CASE("the status comes from any member, with those that are silent as not healthy") {
  Cluster cluster(3);
  Member& follower = cluster.follower();
  Member& leader = cluster.leader();
  auto api = cluster.connect(follower).clusterRequest().send().getCluster();
  auto request = api.statusRequest();
  request.initCall().setTimeoutMs(2000);
  {
    auto results = cluster.call(request);
    auto status = results.getStatus();
    CHECK(status.getClusterId() == 7);
    CHECK(rpc::to_string(status.getLeader()) == leader.name);
    REQUIRE(status.getMembers().size() == 3);
    for (auto member : status.getMembers()) {
      CHECK(member.getHealthy());
      CHECK((member.getRole() == schema::Cluster::Role::LEADER) ==
            (rpc::to_string(member.getName()) == leader.name));
    }
  }
  for (auto& member : cluster.members) {
    if (member.get() != &follower) member->kill();
  }
  REQUIRE(cluster.run_until([&] { return !follower.node->leader(); }));
  auto again = api.statusRequest();
  again.initCall().setTimeoutMs(1000);
  auto results = cluster.call(again);
  auto status = results.getStatus();
  CHECK(rpc::to_string(status.getLeader()).empty());
  REQUIRE(status.getMembers().size() == 3);
  for (auto member : status.getMembers()) {
    const bool self = rpc::to_string(member.getName()) == follower.name;
    CHECK(member.getHealthy() == self);
    if (!self) CHECK(member.getRole() == schema::Cluster::Role::UNKNOWN);
  }
}

TEST_CASE("a client hears where it comes from") {
  Cluster cluster;
  auto api = cluster.connect(cluster.leader()).clusterRequest().send().getCluster();
  auto results = cluster.call(api.whoAmIRequest());
  const auto address = parse_endpoint(rpc::to_string(results.getAddress()));
  REQUIRE(address);
  CHECK(address->host == "127.0.0.1");
  CHECK(address->port != 0);
}

TEST_CASE("a leader that stops answers what it has taken, and refuses what comes later") {
  Cluster cluster(3);
  Member& leader = cluster.leader();
  Member& follower = cluster.follower();
  auto config = cluster.connect(leader).configRequest().send().getConfig();
  put(cluster, config, "a", "0");
  const std::uint64_t before = leader.node->held().proposals_taken;
  auto taken = put_request(config, "a", "1").send();
  REQUIRE(cluster.run_until([&] { return leader.node->held().proposals_taken > before; }));
  bool stopped = false;
  leader.node->stop([&] { stopped = true; });
  auto late = put_request(config, "a", "2").send();
  CHECK(error_of(cluster.wait(kj::mv(taken))));
  const auto refused = error_of(cluster.wait(kj::mv(late)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kStopping);
  // Who goes to another member meets the next leader there, within the same call.
  put(cluster, cluster.connect(follower).configRequest().send().getConfig(), "a", "3");
  CHECK(cluster.run_until([&] { return stopped; }));
  // It follows now, and could pass calls on; but then they would be under way when it closes.
  const auto too_late = error_of(cluster.call(put_request(config, "a", "4")));
  REQUIRE_FALSE(too_late);
  CHECK(too_late.error().code == Errc::kStopping);
}

TEST_CASE("a member that stops refuses a call that waits at the leader without a bound") {
  Cluster cluster(3);
  Member& follower = cluster.follower();
  auto holders = cluster.connect(cluster.leader());
  auto leases = holders.leasesRequest().send().getLeases();
  const LeaseId holder = grant(cluster, leases, milliseconds(60'000));
  const LeaseId waiter = grant(cluster, leases, milliseconds(60'000));
  auto locks = holders.locksRequest().send().getLocks();
  REQUIRE(error_of(cluster.call(acquire_request(locks, "l", holder, true))));
  auto through = cluster.connect(follower).locksRequest().send().getLocks();
  auto waiting = acquire_request(through, "l", waiter, true).send();
  auto& machine = cluster.leader().node->machine();
  REQUIRE(cluster.run_until([&] { return !machine.locks().find("l")->queue.empty(); }));
  cluster.run_for(milliseconds(20));
  follower.node->stop([] {});
  follower.door->stop();
  const auto refused = error_of(cluster.wait(kj::mv(waiting)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kStopping);
  CHECK_FALSE(machine.locks().find("l")->queue.empty());  // its place is kept for the next attempt
}

TEST_CASE("what a follower is asked while its leader is silent waits for the next leader") {
  Cluster cluster(3);
  Member& silent = cluster.leader();
  auto config = cluster.connect(cluster.follower()).configRequest().send().getConfig();
  put(cluster, config, "a", "1");
  // Nothing comes from it any more, and nobody is told so: as when its process is stopped.
  silent.alive = false;
  cluster.run_for(milliseconds(80));
  // Passed on, it would have been taken by a leader that can commit nothing, and its fate unknown.
  put(cluster, config, "a", "2");
}

}  // namespace holdfast::test
