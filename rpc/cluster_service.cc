#include "rpc/cluster_service.h"

#include <algorithm>
#include <vector>

#include "rpc/member_list.h"
#include "rpc/member_status.h"
#include "rpc/read_write.h"
#include "rpc/texts.h"

namespace holdfast::rpc {

kj::Promise<void> ClusterService::self(SelfContext context) {
  write_status(own_status(desk_), context.getResults().initMember());
  return kj::READY_NOW;
}

kj::Promise<void> ClusterService::status(StatusContext context) {
  context.allowCancellation();
  // Asking takes at most two fifths, so that the answer is back within half of the caller's time.
  const Duration within = read_terms(context.getParams().getCall()).timeout * 2 / 5;
  return ask_every_member(desk_, within).then([this, context](kj::Array<MemberStatus> members) mutable {
    auto status = context.getResults().initStatus();
    status.setClusterId(desk_.identity.cluster.value());
    status.setLeader(as_text(leader_among(members)));
    auto out = status.initMembers(static_cast<unsigned>(members.size()));
    for (unsigned i = 0; i < out.size(); ++i) write_status(members[i], out[i]);
  });
}

kj::Promise<void> ClusterService::whoAmI(WhoAmIContext context) {
  context.getResults().setAddress(as_text(visitor_->address));
  return kj::READY_NOW;
}

kj::Promise<void> ClusterService::revision(RevisionContext context) {
  return read(
      desk_, reach_, context, &schema::Cluster::Client::revisionRequest,
      [this, context]() mutable -> Result<void> {
        context.getResults().initOutcome().initOk().setRevision(desk_.node.machine().revision().value());
        return {};
      });
}

kj::Promise<void> ClusterService::members(MembersContext context) {
  if (context.getParams().getSerializable()) {
    write_members(desk_, context.getResults().initOutcome().initOk());
    return kj::READY_NOW;
  }
  return read(desk_, reach_, context, &schema::Cluster::Client::membersRequest,
              [this, context]() mutable -> Result<void> {
                write_members(desk_, context.getResults().initOutcome().initOk());
                return {};
              });
}

kj::Promise<Result<Revision>> newest_revision(kj::Own<Visitor> visitor, Reach reach,
                                              schema::Call::Reader call) {
  schema::Cluster::Client cluster = kj::heap<ClusterService>(kj::mv(visitor), reach);
  auto request = cluster.revisionRequest();
  request.setCall(call);
  return request.send().then(
      [](capnp::Response<schema::Cluster::RevisionResults>&& results) -> Result<Revision> {
        const auto outcome = results.getOutcome();
        if (outcome.isError()) return fail(read_error(outcome.getError()));
        return Revision(outcome.getOk().getRevision());
      });
}

}  // namespace holdfast::rpc
