#include "node/node.h"

#include <utility>

#include "node/node_impl.h"

namespace holdfast::node {

Node::Node(Options options, Ports ports, raft::Restored restored, std::unique_ptr<state::Machine> machine)
    : impl_(std::make_unique<Impl>(std::move(options), ports, std::move(restored), std::move(machine))) {}

Node::~Node() = default;

void Node::start() { impl_->start(); }
void Node::on_alarm() { impl_->on_alarm(); }
void Node::receive(raft::Message message) { impl_->receive(std::move(message)); }
void Node::peer_connected(MemberId member, std::string client_endpoint, std::string data_id,
                          std::uint16_t feature_level) {
  impl_->peer_connected(member, std::move(client_endpoint), std::move(data_id), feature_level);
}
void Node::peer_lost(MemberId member) { impl_->peer_lost(member); }
void Node::space_changed(Space space) { impl_->space_changed(space); }

void Node::propose(state::Operation operation, state::Stamp stamp, Duration timeout,
                   Callback<void(state::Reply)> done) {
  impl_->propose(std::move(operation), stamp, timeout, std::move(done));
}
void Node::linearizable_read(Duration timeout, Callback<void(Result<void>)> ready) {
  impl_->linearizable_read(timeout, std::move(ready));
}
void Node::keep_alive(std::vector<LeaseId> leases, Duration timeout,
                      Callback<void(Result<std::vector<KeptAlive>>)> done) {
  impl_->keep_alive(std::move(leases), timeout, std::move(done));
}
milliseconds Node::remaining(LeaseId lease) const { return impl_->remaining(lease); }
void Node::when_leader_known(Duration timeout, Callback<void(Result<LeaderInfo>)> done) {
  impl_->when_leader_known(timeout, std::move(done));
}

void Node::change_membership(raft::Membership target, Duration timeout, Callback<void(Result<Index>)> done) {
  impl_->change_membership(std::move(target), timeout, std::move(done));
}

void Node::transfer_leadership(MemberId to, Duration timeout, Callback<void(Result<void>)> done) {
  impl_->transfer_leadership(to, timeout, std::move(done));
}

Grants& Node::grants() { return impl_->grants(); }
WatchHub& Node::watches() { return impl_->watches(); }
const state::Machine& Node::machine() const { return impl_->machine(); }
ClusterTime Node::cluster_time() const { return impl_->cluster_time(); }

raft::Status Node::status() const { return impl_->status(); }
const raft::Membership& Node::membership() const { return impl_->membership(); }
std::optional<LeaderInfo> Node::leader() const { return impl_->leader(); }
std::vector<raft::FollowerStatus> Node::followers() const { return impl_->followers(); }
bool Node::is_leader() const { return impl_->is_leader(); }

bool Node::is_stopping() const { return impl_->is_stopping(); }
Held Node::held() const { return impl_->held(); }

void Node::stop(Callback<void()> done) { impl_->stop(std::move(done)); }

}  // namespace holdfast::node
