#include "state/machine.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/state/cluster_of_one.h"

using namespace holdfast;
using namespace holdfast::state;

TEST_CASE("a command that changes config, registry or locks raises the revision by one; others do not") {
  ClusterOfOne cluster;
  CHECK(cluster.machine.revision() == Revision(0));
  const LeaseId lease = cluster.grant();
  CHECK(lease == LeaseId(1));
  CHECK(cluster.machine.revision() == Revision(0));
  CHECK(revision_of(cluster.put("/a", "1")) == Revision(1));
  CHECK(revision_of(cluster.register_instance("web", "web-1", lease)) == Revision(2));
  CHECK(acquired_of(cluster.acquire("deploy", lease)) == lock::Acquired{Token(1), 0});
  CHECK(cluster.machine.revision() == Revision(3));
  CHECK(code_of(cluster.apply(ReleaseLock{"deploy", Token(7)})) == Errc::kNotHolder);
  CHECK(cluster.apply(config::Delete{config::KeyRange::one("/none"), {}}).events.empty());
  cluster.apply(AnnounceMember{MemberId(5), "n1", "127.0.0.1:2379"});
  CHECK(cluster.machine.revision() == Revision(3));
  CHECK(cluster.machine.applied() == Index(7));
  CHECK(cluster.machine.members().at(MemberId(5)).client_endpoint == "127.0.0.1:2379");
}

TEST_CASE("everything attached to a lease goes with it, in one revision") {
  ClusterOfOne cluster;
  const LeaseId lease = cluster.grant();
  const LeaseId other = cluster.grant();
  cluster.put("/a", "1", lease);
  cluster.register_instance("web", "web-1", lease);
  cluster.acquire("held", lease);
  cluster.acquire("waited-for", other);
  cluster.acquire("waited-for", lease);
  CHECK(cluster.machine.attachments(lease, 10) ==
        std::vector<std::string>{"key:/a", "instance:web/web-1", "lock:held", "queue:waited-for"});
  CHECK(cluster.machine.attachments(lease, 2).size() == 2);
  const Revision before = cluster.machine.revision();
  const Applied ended = cluster.apply(EndLeases{{lease}});
  CHECK(revision_of(ended) == before.next());
  CHECK(ended.events.size() == 4);
  CHECK(cluster.machine.leases().find(lease) == nullptr);
  CHECK(cluster.machine.config().find("/a") == nullptr);
  CHECK(cluster.machine.registry().find("web", "web-1") == nullptr);
  CHECK(cluster.machine.locks().find("held") == nullptr);
  CHECK(cluster.machine.locks().find("waited-for")->queue.empty());
}
