#include "tests/rpc/cluster.h"

#include <catch2/catch.hpp>

#include "net/connect.h"
#include "rpc/terms.h"

namespace holdfast::test {

Member::Member(Cluster& cluster_in, std::size_t number)
    : id(number),
      name("n" + std::to_string(number)),
      cluster(cluster_in),
      loop(cluster_in.loop),
      log(loop),
      image(loop) {
  auto opened = net::Listener::open(cluster.loop, Endpoint{"127.0.0.1", 0}, {}, [this](net::Socket socket) {
    auto stream = kj::heap<net::MessageStream>(std::move(socket));
    auto address = stream->remote().to_string();
    connections.push_back(std::make_unique<net::RpcConnection>(kj::mv(stream), door->visit(address)));
  });
  REQUIRE(opened);
  listener = std::move(*opened);
  endpoint = listener->endpoint().to_string();
}

void Member::send(raft::Message message) {
  cluster.loop.post([this, message = std::move(message)]() mutable {
    Member& to = *cluster.members[message.to.value() - 1];
    if (alive && to.alive) to.node->receive(std::move(message));
  });
}

void Member::kill() {
  alive = false;
  listener.reset();
  connections.clear();
  for (auto& other : cluster.members) {
    if (other.get() != this && other->alive) other->node->peer_lost(id);
  }
}

Cluster::Cluster(std::size_t count) {
  raft::Restored restored;
  for (std::size_t number = 1; number <= count; ++number) {
    members.push_back(std::make_unique<Member>(*this, number));
    restored.membership.voters.push_back(
        {MemberId(number), members.back()->name, members.back()->name + ":2380"});
  }
  for (auto& member : members) {
    node::Options options;
    options.raft.self = member->id;
    options.raft.election_timeout = milliseconds(100);
    options.raft.heartbeat_interval = milliseconds(20);
    options.raft.seed = member->id.value();
    options.raft.data_id = "data-" + member->name;
    options.cluster = ClusterId(7);
    options.name = member->name;
    options.client_endpoint = member->endpoint;
    member->node = std::make_unique<node::Node>(
        options, node::Ports{member->loop, member->log, member->image, member->snapshots, *member, logging},
        restored, std::make_unique<state::Machine>());
    member->loop.on_alarm([node = member->node.get()] { node->on_alarm(); });
    rpc::Identity identity{options.cluster, member->id, member->name, member->endpoint};
    member->door = std::make_unique<rpc::Door>(loop, *member->node, identity, logging);
  }
  for (auto& member : members) member->node->start();
  for (auto& member : members) {
    for (auto& other : members) {
      if (member != other) member->node->peer_connected(other->id, other->endpoint, "data-" + other->name);
    }
  }
  for (auto& member : members) {
    REQUIRE(run_until([&] {
      const auto leader = member->node->leader();
      return leader && !leader->client_endpoint.empty();
    }));
  }
}

Cluster::~Cluster() noexcept(false) {
  clients_.clear();
  for (auto& member : members) member->connections.clear();
  loop.wait_scope().poll();
}

schema::Holdfast::Client Cluster::connect(Member& member) {
  const auto endpoint = parse_endpoint(member.endpoint);
  REQUIRE(endpoint);
  auto stream = wait(net::connect(loop, *endpoint, milliseconds(1000)));
  clients_.push_back(std::make_unique<net::RpcConnection>(kj::mv(stream)));
  return clients_.back()->bootstrap().castAs<schema::Holdfast>();
}

void Cluster::run_for(milliseconds time) { loop.run_until(loop.timer().afterDelay(rpc::to_kj(time))); }

bool Cluster::run_until(const std::function<bool()>& condition) {
  for (int turn = 0; turn < 2000; ++turn) {
    if (condition()) return true;
    run_for(milliseconds(5));
  }
  return false;
}

Member& Cluster::leader() {
  Member* found = nullptr;
  REQUIRE(run_until([&] {
    for (auto& member : members) {
      if (member->alive && member->node->is_leader()) found = member.get();
    }
    return found != nullptr;
  }));
  return *found;
}

Member& Cluster::follower() {
  Member& leads = leader();
  for (auto& member : members) {
    if (member->alive && member.get() != &leads) return *member;
  }
  FAIL("a cluster of one has no follower");
  return leads;
}

}  // namespace holdfast::test
