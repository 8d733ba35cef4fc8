#pragma once

#include "rpc/desk.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

class ClusterService final : public schema::Cluster::Server {
 public:
  ClusterService(kj::Own<Visitor> visitor, Reach reach)
      : visitor_(kj::mv(visitor)), desk_(visitor_->desk), reach_(reach) {}

 private:
  kj::Promise<void> self(SelfContext context) override;
  kj::Promise<void> status(StatusContext context) override;
  kj::Promise<void> whoAmI(WhoAmIContext context) override;
  kj::Promise<void> revision(RevisionContext context) override;
  kj::Promise<void> members(MembersContext context) override;

  // Changes of who takes part: membership_calls.cc.
  kj::Promise<void> addMember(AddMemberContext context) override;
  kj::Promise<void> promote(PromoteContext context) override;
  kj::Promise<void> remove(RemoveContext context) override;
  kj::Promise<void> replace(ReplaceContext context) override;
  kj::Promise<void> transferLeadership(TransferLeadershipContext context) override;

  kj::Promise<Result<void>> hand_over(TransferLeadershipContext context, const std::string& name,
                                      Duration within);

  kj::Own<Visitor> visitor_;
  Desk& desk_;
  const Reach reach_;
};

/// The newest revision, linearizable: Cluster.revision on the caller's own door.
kj::Promise<Result<Revision>> newest_revision(kj::Own<Visitor> visitor, Reach reach,
                                              schema::Call::Reader call);

}  // namespace holdfast::rpc
