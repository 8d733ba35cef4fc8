#include <catch2/catch.hpp>

#include "server/identity.h"

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

}  // namespace holdfast::server
