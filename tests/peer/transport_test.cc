#include "peer/transport.h"

#include "net/framed_stream.h"
#include "net/listener.h"
#include "tests/peer/cluster.h"

namespace holdfast::peer::test {
namespace {

TEST_CASE("members connect all to all and tell where clients reach them") {
  Cluster cluster(3);
  CHECK(cluster[1].connected[MemberId(2)] == "10.0.0.2:2379");
  CHECK(cluster[1].connected[MemberId(3)] == "10.0.0.3:2379");
  CHECK(cluster[3].connected[MemberId(1)] == "10.0.0.1:2379");
  CHECK(cluster[1].transport->connected(MemberId(2)));
  CHECK(!cluster[1].transport->connected(MemberId(9)));
}

TEST_CASE("messages arrive at the member they are for, in order") {
  Cluster cluster(3);
  for (std::uint64_t term = 1; term <= 500; ++term) {
    cluster[1].transport->send(vote(cluster[1], cluster[2], term));
  }
  cluster[2].transport->send(vote(cluster[2], cluster[1], 9));
  run_until(cluster.loop,
            [&] { return cluster[2].received.size() == 500 && cluster[1].received.size() == 1; });
  for (std::uint64_t term = 1; term <= 500; ++term) {
    CHECK(cluster[2].received[term - 1] == vote(cluster[1], cluster[2], term));
  }
  CHECK(cluster[3].received.empty());
}

TEST_CASE("an append with megabytes of entries arrives whole") {
  Cluster cluster(2);
  raft::AppendEntries append{Index(1), Term(1), Index(1), 1, Index(1), {}};
  for (std::uint64_t i = 2; i < 5; ++i) {
    append.entries.push_back({Term(1), Index(i), raft::EntryKind::kCommand, Blob(std::string(1 << 20, 'e'))});
  }
  const raft::Message message{MemberId(1), MemberId(2), Term(1), append};
  cluster[1].transport->send(message);
  run_until(cluster.loop, [&] { return !cluster[2].received.empty(); });
  CHECK(cluster[2].received.front() == message);
}

TEST_CASE("a message to nobody or to a member that is away is dropped") {
  Cluster cluster(2);
  Member stranger;
  stranger.self = identity(9);
  cluster[1].transport->send(vote(cluster[1], stranger, 1));
  cluster[2].transport.reset();
  run_until(cluster.loop, [&] { return cluster[1].lost == 1; });
  cluster[1].transport->send(vote(cluster[1], cluster[2], 1));
  CHECK(!cluster[1].transport->connected(MemberId(2)));
}

TEST_CASE("a member that restarts is found again") {
  Cluster cluster(3);
  const Endpoint endpoint = cluster[2].transport->endpoint();
  cluster[2].transport.reset();
  cluster[2].connected.clear();
  run_until(cluster.loop, [&] { return cluster[1].lost == 1 && cluster[3].lost == 1; });
  cluster[2].open(cluster.loop, endpoint);
  cluster[2].start(cluster.peers_of(cluster[2]));
  run_until(cluster.loop, [&] { return cluster.all_connected(); });
  cluster[1].transport->send(vote(cluster[1], cluster[2], 4));
  run_until(cluster.loop, [&] { return cluster[2].received.size() == 1; });
  CHECK(cluster[1].lines.count({"peer_lost", "peer=n2"}) == 1);
}

TEST_CASE("a member whose endpoint changes is dialled at the new one") {
  Cluster cluster(2);
  cluster[2].transport.reset();
  cluster[2].open(cluster.loop);  // elsewhere
  cluster[2].start({cluster[1].as_peer()});
  cluster[1].transport->set_peers({cluster[2].as_peer()});
  run_until(cluster.loop, [&] { return cluster[1].transport->connected(MemberId(2)); });
  CHECK(cluster[1].transport->connected(MemberId(2)));
}

TEST_CASE("a member that is removed is neither heard nor dialled any more") {
  Cluster cluster(3);
  cluster[1].transport->set_peers({cluster[2].as_peer()});
  run_until(cluster.loop, [&] { return cluster[3].refused.count(MemberId(1)) == 1; });
  CHECK(!cluster[1].transport->connected(MemberId(3)));
  CHECK(cluster[3].refused[MemberId(1)].find("unknown_member") == 0);
}

TEST_CASE("the first connection tells a member's data id, and any is taken while none is on record") {
  Cluster cluster(2);
  CHECK(cluster[1].data_ids[MemberId(2)] == "data-2");
  CHECK(cluster[2].data_ids[MemberId(1)] == "data-1");
}

TEST_CASE("a member with another data directory than the one on record is refused by both sides") {
  net::EventLoop loop;
  Member one(loop, identity(1));
  Member wiped(loop, identity(2));
  wiped.self.data_id = "data-after-the-disk-was-wiped";
  Peer on_record = wiped.as_peer();
  on_record.data_id = "data-2";
  one.start({on_record});
  wiped.start({one.as_peer()});
  run_until(loop, [&] { return wiped.refused.size() == 1; });
  CHECK(wiped.refused[MemberId(1)].find("other_data") == 0);
  CHECK(wiped.refused[MemberId(1)].find("--rejoin") != std::string::npos);
  run_until(loop, [&] { return one.lines.count({"peer_unreachable", "data-after-the-disk"}) == 1; });
  CHECK(one.connected.empty());
  CHECK(wiped.connected.empty());
}

TEST_CASE("connections end when another data id comes on record than the one they showed") {
  Cluster cluster(2);
  Peer record = cluster[2].as_peer();
  record.data_id = "data-2";
  cluster[1].transport->set_peers({record});
  cluster[1].transport->send(vote(cluster[1], cluster[2], 1));
  run_until(cluster.loop, [&] { return cluster[2].received.size() == 1; });
  CHECK(cluster[1].lost == 0);
  record.data_id = "data-of-another-process";
  cluster[1].transport->set_peers({record});
  run_until(cluster.loop, [&] { return cluster[1].lost == 1 && cluster[2].lost == 1; });
  run_until(cluster.loop, [&] { return cluster[2].refused.size() == 1; });
  CHECK(!cluster[1].transport->connected(MemberId(2)));
}

TEST_CASE("whoever knows a later membership is heard by one that lags, and dialled back") {
  net::EventLoop loop;
  Member lags(loop, identity(1));
  const Endpoint where = Member(loop, identity(9)).transport->endpoint();  // free again
  Member leads;
  leads.self = identity(4);
  leads.self.peer_address = where.to_string();
  leads.open(loop, where);
  lags.start({});
  leads.start({lags.as_peer()});
  leads.transport->set_peers({lags.as_peer()}, Index(50));
  run_until(loop, [&] { return lags.connected.size() == 1 && leads.connected.size() == 1; });
  leads.transport->send(vote(leads, lags, 3));
  lags.transport->send(vote(lags, leads, 4));
  run_until(loop, [&] { return lags.received.size() == 1 && leads.received.size() == 1; });

  // With a membership as new as that, it is a stranger or a member like all others.
  lags.transport->set_peers({}, Index(50));
  run_until(loop, [&] { return leads.refused.size() == 1; });
  CHECK(lags.lost == 1);
}

TEST_CASE("a member that was taken in again with another disk is heard by one that lags") {
  net::EventLoop loop;
  Member lags(loop, identity(1));
  Member again(loop, identity(2));
  again.self.data_id = "data-of-the-new-disk";
  Peer on_record = again.as_peer();
  on_record.data_id = "data-2";
  lags.start({});
  lags.transport->set_peers({on_record}, Index(10));
  again.start({});
  again.transport->set_peers({lags.as_peer()}, Index(50));
  run_until(loop, [&] { return lags.connected.size() == 1 && again.connected.size() == 1; });
  CHECK(lags.data_ids[MemberId(2)] == "data-of-the-new-disk");
}

TEST_CASE("a membership names everybody once, whatever parts they have in it") {
  raft::Membership membership;
  membership.voters = {{MemberId(1), "n1", "h:1", "d1"}, {MemberId(2), "n2", "h:2", "d2"}};
  membership.outgoing_voters = {{MemberId(2), "n2", "h:2", "d2"}, {MemberId(3), "n3", "h:3", ""}};
  membership.learners = {{MemberId(4), "n4", "nowhere", ""}};
  const std::vector<Peer> peers = peers_of(membership, MemberId(1));
  REQUIRE(peers.size() == 2);
  CHECK(peers[0].id == MemberId(2));
  CHECK(peers[0].data_id == "d2");
  CHECK(peers[1].name == "n3");
}

TEST_CASE("members of two clusters refuse each other, and both sides say why") {
  net::EventLoop loop;
  Member ours(loop, identity(1, 7));
  Member theirs(loop, identity(2, 8));
  ours.start({theirs.as_peer()});
  theirs.start({ours.as_peer()});
  run_until(loop, [&] { return ours.refused.size() == 1 && theirs.refused.size() == 1; });
  CHECK(ours.refused[MemberId(2)].find("wrong_cluster") == 0);
  CHECK(ours.connected.empty());
  CHECK(theirs.connected.empty());
  CHECK(ours.lines.count({"warn peer_refused", "peer=n2", "address=127.0.0.1:", "reason=wrong_cluster",
                          "0000000000000008"}) == 1);
  CHECK(ours.lines.count({"warn refused_by_peer", "peer=n2", "reason=wrong_cluster"}) == 1);

  // They try again and again; the line is not written again and again.
  const std::size_t lines = ours.lines.lines.size();
  int told = 0;
  for (int i = 0; i < 5; ++i) {
    ours.refused.clear();
    run_until(loop, [&] { return ours.refused.size() == 1; });
    ++told;
  }
  CHECK(told == 5);
  CHECK(ours.lines.lines.size() == lines);
}

TEST_CASE("who listens at a member's address but is another member is refused") {
  net::EventLoop loop;
  Member one(loop, identity(1));
  Member two(loop, identity(2));
  Member three(loop, identity(3));
  Peer mixed_up = three.as_peer();
  mixed_up.endpoint = two.as_peer().endpoint;
  one.start({two.as_peer(), mixed_up});
  two.start({one.as_peer(), three.as_peer()});
  three.start({one.as_peer(), two.as_peer()});
  run_until(loop,
            [&] { return one.refused.count(MemberId(3)) == 1 && one.connected.count(MemberId(2)) == 1; });
  CHECK(one.refused[MemberId(3)].find("wrong_member") == 0);
}

TEST_CASE("a full queue drops messages and keeps memory bounded") {
  net::EventLoop loop;
  Member sender;
  sender.self = identity(1);
  sender.max_queue_bytes = 256 * 1024;
  sender.open(loop);
  // A member that greets and then reads no more.
  std::unique_ptr<net::FramedStream> deaf;
  auto listener = net::Listener::open(loop, kAnyPort, {}, [&](net::Socket socket) {
    deaf = std::make_unique<net::FramedStream>(std::move(socket), net::FramedStreamOptions{});
    deaf->when_readable([&] {
      REQUIRE(deaf->take());
      REQUIRE(deaf->send(encode(hello_of(identity(2), MemberId(1)))));
    });
  });
  REQUIRE(listener);
  sender.start({Peer{MemberId(2), "n2", (*listener)->endpoint()}});
  run_until(loop, [&] { return sender.connected.size() == 1; });
  raft::AppendEntries append{Index(1), Term(1), Index(1), 1, Index(1), {}};
  append.entries.push_back({Term(1), Index(2), raft::EntryKind::kCommand, Blob(std::string(64 * 1024, 'e'))});
  for (int i = 0; i < 10'000 && sender.transport->dropped(MemberId(2)) < 10; ++i) {
    sender.transport->send(raft::Message{MemberId(1), MemberId(2), Term(1), append});
    bool turned = false;
    loop.post([&] { turned = true; });
    run_until(loop, [&] { return turned; });
  }
  CHECK(sender.transport->dropped(MemberId(2)) == 10);
  CHECK(sender.lines.count({"peer_queue_full"}) == 1);
  CHECK(sender.connected.size() == 1);
}

TEST_CASE("a port in use is told before anything starts") {
  net::EventLoop loop;
  Member first(loop, identity(1));
  Options options;
  options.self = identity(2);
  options.listen = first.transport->endpoint();
  const auto second = Transport::open(loop, std::move(options), first.lines);
  REQUIRE(!second);
  CHECK(second.error().message ==
        "cannot listen on " + first.transport->endpoint().to_string() + ": address already in use");
}

TEST_CASE("peers may be changed from inside a callback") {
  net::EventLoop loop;
  Member one(loop, identity(1));
  Member two(loop, identity(2));
  one.start({two.as_peer()});
  two.transport->set_peers({one.as_peer()});
  int received = 0;
  Events events;
  events.received = [&](raft::Message) {
    ++received;
    two.transport->set_peers({});  // the sender is a member no more
  };
  events.connected = [](MemberId, std::string, std::string, std::uint16_t) {};
  events.lost = [](MemberId) {};
  events.refused = [](MemberId, std::string) {};
  two.transport->start(std::move(events), two.self.data_id);
  run_until(loop, [&] { return one.connected.size() == 1; });
  one.transport->send(vote(one, two, 1));
  one.transport->send(vote(one, two, 2));
  run_until(loop, [&] { return one.refused.size() == 1; });
  CHECK(received >= 1);
}

}  // namespace
}  // namespace holdfast::peer::test
