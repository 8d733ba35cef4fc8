#include <catch2/catch.hpp>

#include "server/identity.h"
#include "server/join.h"

namespace holdfast::server {

namespace {

Options member_of_three(const std::string& name, const std::string& token, const std::string& cluster) {
  Options options;
  options.name = name;
  options.cluster_token = token;
  options.cluster = *parse_cluster(cluster);
  return options;
}

}  // namespace

TEST_CASE("members that read the same list work out the same ids, in whatever order they read it") {
  const auto first = found_identity(member_of_three("n1", "T", "n1=h:1,n2=h:2,n3=h:3"));
  const auto second = found_identity(member_of_three("n2", "T", "n3=h:3,n2=h:2,n1=h:1"));
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->cluster == second->cluster);
  CHECK(first->member != second->member);
  CHECK(first->membership.voters.size() == 3);
  for (const raft::Member& member : first->membership.voters) {
    if (member.name == "n2") CHECK(member.id == second->member);
  }
}

TEST_CASE("another token, name or address is another cluster") {
  const auto cluster = [](const std::string& token, const std::string& members) {
    return found_identity(member_of_three("n1", token, members))->cluster;
  };
  const ClusterId base = cluster("T", "n1=h:1,n2=h:2");
  CHECK(cluster("U", "n1=h:1,n2=h:2") != base);
  CHECK(cluster("T", "n1=h:1,n3=h:2") != base);
  CHECK(cluster("T", "n1=h:1,n2=h:3") != base);
  CHECK(cluster("T", "n1=h:1") != base);
}

TEST_CASE("the ids of a known cluster never change, or its directories would be strangers to each other") {
  const auto identity = found_identity(member_of_three("n1", "T", "n1=127.0.0.1:1,n2=127.0.0.1:2"));
  REQUIRE(identity);
  CHECK(identity->cluster.value() == 0xf0810784320c2b78);
  CHECK(identity->member.value() == 0xdea84b42c54d78d9);
}

TEST_CASE("a cluster that does not name this member is refused") {
  const auto stranger = found_identity(member_of_three("n9", "T", "n1=h:1,n2=h:2"));
  REQUIRE_FALSE(stranger);
  CHECK_THAT(stranger.error().message, Catch::Contains("n9") && Catch::Contains("--cluster"));
  Options options = member_of_three("n1", "T", "n1=h:1,n2=h:2");
  options.peer_advertise = Endpoint{"h", 9};
  const auto moved = found_identity(options);
  REQUIRE_FALSE(moved);
  CHECK_THAT(moved.error().message, Catch::Contains("--peer-advertise"));
}

TEST_CASE("a data directory keeps its name and its token") {
  Options options = member_of_three("n1", "T", "n1=h:1,n2=h:2");
  const auto identity = found_identity(options);
  REQUIRE(identity);
  CHECK(check_identity(*identity, options));
  // --cluster counts at the first boot only, and what is not given is not compared.
  CHECK(check_identity(*identity, member_of_three("n1", "T", "n1=other:7")));
  CHECK(check_identity(*identity, Options{}));
  options.name = "n2";
  CHECK_THAT(check_identity(*identity, options).error().message, Catch::Contains("--name"));
  options.name = "n1";
  options.cluster_token = "U";
  CHECK_THAT(check_identity(*identity, options).error().message, Catch::Contains("--cluster-token"));
}

namespace {

/// The cluster of n1 and n2, founded with token T, which awaits n3.
ClusterView awaiting_third() {
  const auto founder = found_identity(member_of_three("n1", "T", "n1=h:1,n2=h:2"));
  REQUIRE(founder);
  ClusterView view{founder->cluster, founder->membership, founders_of(*founder)};
  view.membership.voters[0].data_id = "seen";
  view.membership.learners.push_back({MemberId(33), "n3", "h:3"});
  return view;
}

Options third(std::optional<std::string> token) {
  Options options;
  options.name = "n3";
  options.peer_listen = Endpoint{"h", 3};
  options.cluster_token = std::move(token);
  return options;
}

}  // namespace

TEST_CASE("who joins with another token than the cluster's is refused, before anything else is compared") {
  ClusterView cluster = awaiting_third();
  CHECK(joining_identity(third("T"), cluster));
  CHECK(joining_identity(third(std::nullopt), cluster));
  for (const char* name : {"n3", "nobody"}) {
    Options other = third("U");
    other.name = name;
    const auto refused = joining_identity(other, cluster);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::kInvalidArgument);
    CHECK_THAT(refused.error().message, Catch::Contains("--cluster-token") && Catch::Contains("--join"));
  }
  // One that joined under a version that did not ask cannot tell.
  cluster.founders.clear();
  CHECK(joining_identity(third("U"), cluster));
}

TEST_CASE("who joined keeps who founded the cluster, for its own next start and for whoever joins after it") {
  const ClusterView cluster = awaiting_third();
  const auto joined = joining_identity(third("T"), cluster);
  REQUIRE(joined);
  CHECK(founders_of(*joined) == cluster.founders);
  CHECK(check_identity(*joined, third("T")));
  CHECK_THAT(check_identity(*joined, third("U")).error().message, Catch::Contains("--cluster-token"));
}

}  // namespace holdfast::server
