#include "client/membership_requests.h"

#include <kj/timer.h>

#include <algorithm>
#include <utility>

#include "base/member_name.h"
#include "client/clock.h"
#include "client/wire.h"
#include "schema/api.capnp.h"

namespace holdfast::sdk {

using client::MemberChange;
using session::Repeat;

namespace {

using Changed = Result<MemberChange>;
using Cluster = schema::Cluster;

/// Between two questions whether a learner has caught up.
constexpr milliseconds kAskAgain{100};

std::string part_name(Cluster::Part part) {
  switch (part) {
    case Cluster::Part::VOTER:
      return "voter";
    case Cluster::Part::LEARNER:
      return "learner";
    case Cluster::Part::JOINING:
      return "joining";
    case Cluster::Part::LEAVING:
      return "leaving";
  }
  return "unknown";
}

client::Membership read_members(Cluster::MemberList::Reader list) {
  client::Membership membership{
      list.getClusterId(), text_of(list.getLeader()), list.getChanging(), list.getLastIndex(), {}};
  for (auto member : list.getMembers()) {
    membership.members.push_back({member.getId(), text_of(member.getName()), text_of(member.getPeerAddress()),
                                  text_of(member.getEndpoint()), part_name(member.getPart()),
                                  member.getMatchIndex(), member.getDataId().size() > 0});
  }
  return membership;
}

/// An answer that was not heard leaves out the id: it follows from the name.
kj::Promise<Changed> with_id(Engine& engine, Changed changed) {
  if (!changed || changed->id != 0) return changed;
  return members(engine).then([changed = std::move(changed)](Result<client::Membership> known) mutable {
    if (known) changed->id = member_id(ClusterId(known->cluster_id), changed->name).value();
    return std::move(changed);
  });
}

/// One change. `make(attempt)` gives the request; `done_if` is what a repeated attempt is answered with if an
/// earlier one did it.
template <typename Make>
kj::Promise<Changed> change(Engine& engine, std::string what, std::string about, Instant deadline,
                            Errc done_if, MemberChange after, Make make) {
  return engine.caller()
      .call<MemberChange>(
          {what + " \"" + about + "\"", Repeat::kHarmless, deadline},
          [about, done_if, after = std::move(after), make = std::move(make)](const Attempt& attempt) {
            auto request = make(attempt.link.cluster());
            attempt.fill(request.initCall());
            const auto read = [about](Cluster::Changed::Reader changed) {
              return MemberChange{changed.getId(), about, part_name(changed.getPart())};
            };
            return submit<MemberChange>(kj::mv(request), read)
                .then([repeated = attempt.repeated, done_if, after](Changed changed) -> Changed {
                  if (!changed && repeated && changed.error().code == done_if) return after;
                  return changed;
                });
          })
      .then([&engine](Changed changed) { return with_id(engine, std::move(changed)); });
}

kj::Promise<Changed> add_learner(Engine& engine, const std::string& name, const std::string& peer,
                                 Instant deadline) {
  return change(engine, "add member", name, deadline, Errc::kMemberExists, {0, name, "learner"},
                [name, peer](Cluster::Client cluster) {
                  auto request = cluster.addMemberRequest();
                  request.setName(text_reader(name));
                  request.setPeerAddress(text_reader(peer));
                  return request;
                });
}

kj::Promise<Changed> promote(Engine& engine, const std::string& name, Instant deadline) {
  return change(engine, "promote member", name, deadline, Errc::kInvalidArgument, {0, name, "voter"},
                [name](Cluster::Client cluster) {
                  auto request = cluster.promoteRequest();
                  request.setName(text_reader(name));
                  return request;
                });
}

kj::Promise<Changed> let_take_over(Engine& engine, const std::string& name, const std::string& heir,
                                   Instant deadline) {
  return change(engine, "replace member \"" + name + "\" by", heir, deadline, Errc::kMemberNotFound,
                {0, heir, "voter"}, [name, heir](Cluster::Client cluster) {
                  auto request = cluster.replaceRequest();
                  request.setName(text_reader(name));
                  request.setNewName(text_reader(heir));
                  return request;
                });
}

/// Asks by `ask` until the learner has caught up or the time is over; then kNotCaughtUp stays.
kj::Promise<Changed> when_caught_up(Engine& engine, Instant deadline,
                                    std::function<kj::Promise<Changed>()> ask) {
  return ask().then([&engine, deadline, ask](Changed changed) -> kj::Promise<Changed> {
    const bool behind = !changed && changed.error().code == Errc::kNotCaughtUp;
    if (!behind || now() + 2 * kAskAgain >= deadline) return changed;
    const auto pause = kAskAgain / milliseconds(1) * kj::MILLISECONDS;
    return engine.loop().timer().afterDelay(pause).then(
        [&engine, deadline, ask] { return when_caught_up(engine, deadline, ask); });
  });
}

const client::Participant* find(const client::Membership& membership, const std::string& name) {
  const auto found = std::find_if(membership.members.begin(), membership.members.end(),
                                  [&](const client::Participant& member) { return member.name == name; });
  return found == membership.members.end() ? nullptr : &*found;
}

}  // namespace

kj::Promise<Result<client::Membership>> members(Engine& engine) {
  return engine.caller().call<client::Membership>(
      {"ask for the members", Repeat::kRead, engine.call_deadline()}, [](const Attempt& attempt) {
        auto request = attempt.link.cluster().membersRequest();
        attempt.fill(request.initCall());
        return submit<client::Membership>(kj::mv(request), read_members);
      });
}

kj::Promise<Changed> add_member(Engine& engine, std::string name, std::string peer,
                                client::AddMemberOptions options) {
  const Instant deadline = engine.call_deadline();
  auto added = add_learner(engine, name, peer, deadline);
  if (options.learner) return added;
  return added.then([&engine, name, deadline](Changed learner) -> kj::Promise<Changed> {
    if (!learner) return learner;
    return when_caught_up(engine, deadline,
                          [&engine, name, deadline] { return promote(engine, name, deadline); })
        .then([learner](Changed promoted) -> Changed {
          // It was added, and that is what the answer tells.
          if (!promoted && promoted.error().code == Errc::kNotCaughtUp) return learner;
          return promoted;
        });
  });
}

kj::Promise<Changed> promote_member(Engine& engine, std::string name) {
  return promote(engine, name, engine.call_deadline());
}

kj::Promise<Changed> remove_member(Engine& engine, std::string name) {
  return change(engine, "remove member", name, engine.call_deadline(), Errc::kMemberNotFound, {0, name, ""},
                [name](Cluster::Client cluster) {
                  auto request = cluster.removeRequest();
                  request.setName(text_reader(name));
                  return request;
                });
}

kj::Promise<Changed> replace_member(Engine& engine, std::string name, std::string heir, std::string peer) {
  const Instant deadline = engine.call_deadline();
  return members(engine).then([&engine, name, heir, peer,
                               deadline](Result<client::Membership> known) -> kj::Promise<Changed> {
    if (!known) return Changed(fail(known.error()));
    if (find(*known, name) == nullptr) {
      return Changed(fail(Errc::kMemberNotFound, "replace a member: there is no member \"" + name + "\""));
    }
    const client::Participant* waiting = find(*known, heir);
    const bool goes_on = waiting && waiting->part == "learner" && waiting->peer_address == peer;
    auto learner = goes_on ? kj::Promise<Changed>(Changed(MemberChange{waiting->id, heir, "learner"}))
                           : add_learner(engine, heir, peer, deadline);
    return learner.then([&engine, name, heir, deadline](Changed added) -> kj::Promise<Changed> {
      if (!added) return added;
      return when_caught_up(engine, deadline, [&engine, name, heir, deadline] {
        return let_take_over(engine, name, heir, deadline);
      });
    });
  });
}

kj::Promise<Result<client::LeadershipTransfer>> transfer_leadership(Engine& engine, std::string name) {
  return engine.caller().call<client::LeadershipTransfer>(
      {"hand leadership to \"" + name + "\"", Repeat::kHarmless, engine.call_deadline()},
      [name](const Attempt& attempt) {
        auto request = attempt.link.cluster().transferLeadershipRequest();
        attempt.fill(request.initCall());
        request.setName(text_reader(name));
        return submit<client::LeadershipTransfer>(kj::mv(request), [](Cluster::Transferred::Reader done) {
          return client::LeadershipTransfer{text_of(done.getLeader()), done.getTerm()};
        });
      });
}

}  // namespace holdfast::sdk
