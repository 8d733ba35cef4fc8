#include <holdfast/client.h>

#include <catch2/catch.hpp>

#include "tests/chaos/cases/ready_servers.h"
#include "tests/chaos/direct_reader.h"

namespace holdfast::chaos {

namespace {

const std::string kKey = kPrefix + "k";

struct Cluster : ReadyServers {
  Cluster() : ReadyServers(options()) {}

  static MembersOptions options() {
    MembersOptions all;
    all.election_timeout = milliseconds(500);
    all.heartbeat_interval = milliseconds(50);
    return all;
  }

  /// A client that knows the other members only.
  client::Client client_without(std::size_t excluded) const {
    client::Options all;
    all.call_timeout = milliseconds(20'000);
    all.endpoints.clear();
    for (std::size_t i = 0; i < members.count(); ++i) {
      if (i != excluded) all.endpoints.push_back(members.own_endpoint(i));
    }
    return client::Client(all);
  }
};

}  // namespace

// The questions lie in the stopped leader's socket while the others have elected another one and gone on.
// When it goes on itself it must not answer from what it knew.
TEST_CASE("a leader that was stopped past its office does not answer a read with what it knew") {
  Cluster cluster;
  const std::size_t leader = cluster.find_leader();
  auto client = cluster.client_without(leader);
  REQUIRE(client.put(kKey, "old"));
  DirectClient direct(cluster.members.own_endpoint(leader));
  REQUIRE(direct.get(kKey, milliseconds(5000)));

  cluster.members.pause(leader);
  const auto written = client.put(kKey, "new");
  REQUIRE(written);
  const auto answer = direct.get(kKey, milliseconds(10'000), [&] { cluster.members.go_on(leader); });
  // An error would do as well.
  if (answer) {
    CHECK(answer->value == "new");
    CHECK(answer->store_revision >= *written);
  }
  const auto later = direct.get(kKey, milliseconds(10'000));
  REQUIRE(later);
  CHECK(later->value == "new");
}

// Else a holder believes itself safe while what its lease guarded is gone.
TEST_CASE(
    "a leader that was stopped past the leases it serves does not prolong what its successor has ended") {
  Cluster cluster;
  const std::size_t leader = cluster.find_leader();
  auto client = cluster.client_without(leader);
  const auto lease = client.grant_lease(milliseconds(1000));
  REQUIRE(lease);
  REQUIRE(client.put(kKey, "attached", {.lease = lease->lease}));
  DirectClient direct(cluster.members.own_endpoint(leader));
  REQUIRE(direct.keep_alive(lease->lease.value, milliseconds(5000)));

  cluster.members.pause(leader);
  const bool ended = wait_until(
      [&] {
        const auto got = client.get(kKey);
        return got && got->entries.empty();
      },
      milliseconds(20'000));
  REQUIRE(ended);
  const auto kept =
      direct.keep_alive(lease->lease.value, milliseconds(10'000), [&] { cluster.members.go_on(leader); });
  if (kept) CHECK(kept->count() == 0);
}

// A member keeps a connection to the leader for the calls that it passes on. If what lies between them
// forgets that connection nobody is told, and every call that came to this member got no answer until the
// kernel gave up, after minutes under a light load.
TEST_CASE("a member notices that its connection to the leader has gone silent, and takes another one") {
  Cluster cluster;
  const std::size_t leader = cluster.find_leader();
  const std::size_t follower = (leader + 1) % cluster.members.count();
  DirectClient direct(cluster.members.own_endpoint(follower));
  REQUIRE(direct.get(kKey, milliseconds(5000)));  // passed on
  cluster.members.proxy().forget(Members::kClients, cluster.members.name(leader));
  CHECK(wait_until([&] { return direct.get(kKey, milliseconds(1000)).has_value(); }, milliseconds(12'000)));
}

// What lies between the members forgets all their connections, and tells nobody: every byte is acknowledged,
// none arrives. The members have nothing to say to each other over most of them, and notice all the same.
TEST_CASE("members notice that their connections to each other have gone silent, and take others") {
  Cluster cluster;
  const std::size_t leader = cluster.find_leader();
  auto client = cluster.client_without(leader);
  REQUIRE(client.put(kKey, "before"));
  for (std::size_t i = 0; i < cluster.members.count(); ++i) {
    for (std::size_t k = 0; k < cluster.members.count(); ++k) {
      if (i != k) cluster.members.proxy().forget(cluster.members.name(i), cluster.members.name(k));
    }
  }
  const auto written = client.put(kKey, "after");
  REQUIRE(written);
  for (std::size_t i = 0; i < cluster.members.count(); ++i) {
    CHECK(read_state(cluster.members.own_endpoint(i), 0, *written, milliseconds(15'000)));
  }
  for (std::size_t i = 0; i < cluster.members.count(); ++i) {
    // Of its two connections to the others one may be needed, and noticed, later than the other.
    CHECK(wait_until([&] { return cluster.members.log_count(i, "it gave no sign of life") >= 2; },
                     milliseconds(15'000)));
  }
}

}  // namespace holdfast::chaos
