#include "client/cluster_requests.h"

#include <utility>

#include "client/wire.h"
#include "schema/api.capnp.h"

namespace holdfast::sdk {

using session::Repeat;

namespace {

client::LeaseInfo read_lease(schema::Leases::Lease::Reader lease) {
  client::LeaseInfo info{
      {lease.getLease()}, milliseconds(lease.getTtlMs()), milliseconds(lease.getRemainingMs()), {}};
  for (auto attached : lease.getAttached()) {
    info.attached.push_back(text_of(attached));
  }
  return info;
}

std::string mode_name(schema::Locks::Mode mode) {
  return mode == schema::Locks::Mode::EXCLUSIVE ? "exclusive" : "unknown";
}

client::LockInfo read_lock(schema::Locks::Lock::Reader lock) {
  client::LockInfo info;
  info.lock = text_of(lock.getLock());
  for (auto holder : lock.getHolders()) {
    info.holders.push_back({holder.getToken(),
                            {holder.getLease()},
                            mode_name(holder.getMode()),
                            text_of(holder.getOwner()),
                            milliseconds(holder.getHeldMs())});
  }
  for (auto waiter : lock.getQueue()) {
    info.queue.push_back({waiter.getPosition(),
                          {waiter.getLease()},
                          mode_name(waiter.getMode()),
                          text_of(waiter.getOwner()),
                          milliseconds(waiter.getWaitingMs())});
  }
  return info;
}

std::string role_name(schema::Cluster::Role role) {
  switch (role) {
    case schema::Cluster::Role::FOLLOWER:
      return "follower";
    case schema::Cluster::Role::PRE_CANDIDATE:
      return "pre_candidate";
    case schema::Cluster::Role::CANDIDATE:
      return "candidate";
    case schema::Cluster::Role::LEADER:
      return "leader";
    default:
      return "unknown";
  }
}

client::ClusterStatus read_status(schema::Cluster::Status::Reader status) {
  client::ClusterStatus result{status.getClusterId(), text_of(status.getLeader()), {}};
  for (auto member : status.getMembers()) {
    result.members.push_back({member.getId(), text_of(member.getName()), text_of(member.getEndpoint()),
                              role_name(member.getRole()), member.getTerm(), member.getCommitIndex(),
                              member.getAppliedIndex(), member.getHealthy()});
  }
  return result;
}

}  // namespace

kj::Promise<Result<std::vector<milliseconds>>> keep_alive(Engine& engine,
                                                          std::vector<client::LeaseId> leases) {
  using Ttls = std::vector<milliseconds>;
  if (leases.size() > limits::kMaxLeasesPerCall) {
    return Result<Ttls>(fail(Errc::kLimitExceeded, std::to_string(leases.size()) +
                                                       " leases in one call, more than " +
                                                       std::to_string(limits::kMaxLeasesPerCall) +
                                                       " of kMaxLeasesPerCall; make several calls"));
  }
  Request about{"keep leases alive", Repeat::kRead, engine.call_deadline()};
  return engine.caller().call<Ttls>(std::move(about), [leases = std::move(leases)](const Attempt& attempt) {
    auto request = attempt.link.leases().keepAliveRequest();
    attempt.fill(request.initCall());
    auto list = request.initLeases(static_cast<unsigned>(leases.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      list.set(i, leases[i].value);
    }
    return submit<Ttls>(kj::mv(request), [](schema::Leases::KeptAlive::Reader kept) {
      Ttls ttls;
      for (auto ttl : kept.getTtlMs()) {
        ttls.emplace_back(ttl);
      }
      return ttls;
    });
  });
}

kj::Promise<Result<client::LeaseInfo>> show_lease(Engine& engine, LeaseId lease) {
  return engine.caller().call<client::LeaseInfo>(
      {"show a lease", Repeat::kRead, engine.call_deadline()}, [lease](const Attempt& attempt) {
        auto request = attempt.link.leases().showRequest();
        attempt.fill(request.initCall());
        request.setLease(lease.value());
        return submit<client::LeaseInfo>(kj::mv(request), read_lease);
      });
}

kj::Promise<Result<std::vector<client::LeaseInfo>>> list_leases(Engine& engine) {
  using Leases = std::vector<client::LeaseInfo>;
  return engine.caller().call<Leases>(
      {"list the leases", Repeat::kRead, engine.call_deadline()}, [](const Attempt& attempt) {
        auto request = attempt.link.leases().listRequest();
        attempt.fill(request.initCall());
        return submit<Leases>(kj::mv(request), [](schema::Leases::LeaseList::Reader list) {
          Leases leases;
          for (auto lease : list.getLeases()) {
            leases.push_back(read_lease(lease));
          }
          return leases;
        });
      });
}

kj::Promise<Result<std::vector<client::LockInfo>>> show_locks(Engine& engine, std::string name) {
  using LockList = std::vector<client::LockInfo>;
  return engine.caller().call<LockList>({"show locks", Repeat::kRead, engine.call_deadline()},
                                        [name = std::move(name)](const Attempt& attempt) {
                                          auto request = attempt.link.locks().showRequest();
                                          attempt.fill(request.initCall());
                                          request.setLock(text_reader(name));
                                          return submit<LockList>(kj::mv(request),
                                                                  [](schema::Locks::LockList::Reader list) {
                                                                    LockList found;
                                                                    for (auto lock : list.getLocks()) {
                                                                      found.push_back(read_lock(lock));
                                                                    }
                                                                    return found;
                                                                  });
                                        });
}

kj::Promise<Result<client::ClusterStatus>> status(Engine& engine) {
  return engine.caller().call<client::ClusterStatus>(
      {"ask for the status", Repeat::kRead, engine.call_deadline()}, [](const Attempt& attempt) {
        auto request = attempt.link.cluster().statusRequest();
        attempt.fill(request.initCall());
        return request.send().then(
            [](auto&& response) { return Result<client::ClusterStatus>(read_status(response.getStatus())); });
      });
}

kj::Promise<Result<std::string>> who_am_i(Engine& engine) {
  return engine.caller().call<std::string>(
      {"ask for the own address", Repeat::kRead, engine.call_deadline()}, [](const Attempt& attempt) {
        return attempt.link.cluster().whoAmIRequest().send().then(
            [](auto&& response) { return Result<std::string>(text_of(response.getAddress())); });
      });
}

}  // namespace holdfast::sdk
