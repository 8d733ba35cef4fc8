#include <utility>

#include "base/member_name.h"
#include "rpc/awaited.h"
#include "rpc/cluster_service.h"
#include "rpc/membership_edits.h"
#include "rpc/read_write.h"
#include "rpc/texts.h"

/// How the door changes who takes part. What the membership is to become follows from the one in force
/// (membership_edits); whether it may, the core decides.
namespace holdfast::rpc {

namespace {

using Changed = Result<Index>;

// The leader changes the membership by itself when it first sees a member's data directory. Whoever asks
// meanwhile waits for that, and for a change that somebody else has open, but not for long.
constexpr milliseconds kPatience{1000};
constexpr milliseconds kPause{20};

/// One change on the leader, asked for again while another one is open. `Edit`: from the membership in force
/// to the one wanted.
template <typename Edit>
class Change {
 public:
  Change(Desk& desk, Duration within, Edit edit)
      : desk_(desk),
        edit_(std::move(edit)),
        deadline_(desk.timer.now() + to_kj(within)),
        patient_until_(std::min(deadline_, desk.timer.now() + to_kj(kPatience))) {}

  kj::Promise<Changed> attempt() {
    if (!desk_.node.membership().outgoing_voters.empty()) return settle(another_is_open());
    Result<raft::Membership> target = edit_(desk_.node.membership());
    if (!target) return Changed(fail(target.error()));
    auto changed = make_awaited<Changed>();
    const Duration left = std::max(from_kj(deadline_ - desk_.timer.now()), Duration(0));
    desk_.node.change_membership(*std::move(target), left, std::move(changed.done));
    return changed.promise.then([this](Changed done) { return settle(std::move(done)); });
  }

 private:
  static Changed another_is_open() {
    return fail(Errc::kChangeInProgress,
                "another change of the membership is under way; ask again when it is done");
  }

  kj::Promise<Changed> settle(Changed done) {
    const bool again = !done && done.error().code == Errc::kChangeInProgress && desk_.node.is_leader() &&
                       desk_.timer.now() + to_kj(kPause) < patient_until_;
    if (!again) return done;
    return desk_.timer.afterDelay(to_kj(kPause)).then([this] { return attempt(); });
  }

  Desk& desk_;
  Edit edit_;
  const kj::TimePoint deadline_;
  const kj::TimePoint patient_until_;
};

template <typename Edit>
kj::Promise<Changed> change(Desk& desk, Duration within, Edit edit) {
  auto job = kj::heap<Change<Edit>>(desk, within, std::move(edit));
  auto promise = job->attempt();
  return promise.attach(kj::mv(job));
}

schema::Cluster::Part part_of(const raft::Membership& membership, const std::string& name) {
  return standing_of(membership, name) == Standing::kLearner ? schema::Cluster::Part::LEARNER
                                                             : schema::Cluster::Part::VOTER;
}

/// Answers a change that is about member `name`.
template <typename Context, typename Request, typename Edit>
kj::Promise<void> change_member(Desk& desk, Reach reach, Context context, Request request,
                                const std::string& name, Edit edit) {
  return answer(desk, reach, context, request, IfBroken::kUnknown, Bound::kTimeout,
                [&desk, context, name, edit](Duration within) {
                  return change(desk, within, edit)
                      .then([&desk, context, name](Changed changed) mutable -> Result<void> {
                        if (!changed) return fail(changed.error());
                        auto ok = context.getResults().initOutcome().initOk();
                        ok.setId(member_id(desk.identity.cluster, name).value());
                        ok.setPart(part_of(desk.node.membership(), name));
                        ok.setIndex(changed->value());
                        return {};
                      });
                });
}

}  // namespace

kj::Promise<void> ClusterService::addMember(AddMemberContext context) {
  const std::string name = to_string(context.getParams().getName());
  const std::string address = to_string(context.getParams().getPeerAddress());
  return change_member(desk_, reach_, context, &schema::Cluster::Client::addMemberRequest, name,
                       [this, name, address](const raft::Membership& now) {
                         return with_learner(now, desk_.identity.cluster, name, address);
                       });
}

kj::Promise<void> ClusterService::promote(PromoteContext context) {
  const std::string name = to_string(context.getParams().getName());
  return change_member(desk_, reach_, context, &schema::Cluster::Client::promoteRequest, name,
                       [name](const raft::Membership& now) { return with_promoted(now, name); });
}

kj::Promise<void> ClusterService::remove(RemoveContext context) {
  const std::string name = to_string(context.getParams().getName());
  return change_member(desk_, reach_, context, &schema::Cluster::Client::removeRequest, name,
                       [name](const raft::Membership& now) { return without(now, name); });
}

kj::Promise<void> ClusterService::replace(ReplaceContext context) {
  const std::string name = to_string(context.getParams().getName());
  const std::string heir = to_string(context.getParams().getNewName());
  return change_member(desk_, reach_, context, &schema::Cluster::Client::replaceRequest, heir,
                       [name, heir](const raft::Membership& now) { return with_heir(now, name, heir); });
}

kj::Promise<void> ClusterService::transferLeadership(TransferLeadershipContext context) {
  const std::string name = to_string(context.getParams().getName());
  return answer(desk_, reach_, context, &schema::Cluster::Client::transferLeadershipRequest,
                IfBroken::kAskAgain, Bound::kTimeout,
                [this, context, name](Duration within) { return hand_over(context, name, within); });
}

kj::Promise<Result<void>> ClusterService::hand_over(TransferLeadershipContext context,
                                                    const std::string& name, Duration within) {
  auto tell = [this, context, name](Result<void> done) mutable -> Result<void> {
    if (!done) return done;
    auto ok = context.getResults().initOutcome().initOk();
    ok.setLeader(as_text(name));
    ok.setTerm(desk_.node.status().term.value());
    return {};
  };
  const Result<raft::Member> heir = voter_named(desk_.node.membership(), name);
  if (!heir) return Result<void>(fail(heir.error()));
  if (heir->id == desk_.identity.member) return tell({});
  auto handed_over = make_awaited<Result<void>>();
  desk_.node.transfer_leadership(heir->id, within, std::move(handed_over.done));
  return handed_over.promise.then(kj::mv(tell));
}

}  // namespace holdfast::rpc
