#include "tests/client/fake_interfaces.h"

#include <utility>

namespace holdfast::fake {

namespace {

std::string text(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
std::string text(capnp::Text::Reader data) { return {data.begin(), data.size()}; }
capnp::Data::Reader bytes(const std::string& value) {
  return {reinterpret_cast<const capnp::byte*>(value.data()), value.size()};
}

void write_error(schema::Error::Builder built, const Error& error) {
  built.setCode(static_cast<std::uint16_t>(error.code));
  built.setMessage(error.message);
  built.setRevision(error.revision.value());
}

template <typename Context>
void refuse(Context& context, const Error& error) {
  write_error(context.getResults().initOutcome().initError(), error);
}

/// Runs a call whose results have an outcome.
template <typename Context, typename Serve>
kj::Promise<void> run(const Service::Visit& visit, const char* method, Context context, Serve serve) {
  context.allowCancellation();
  return visit.run(
      method, [context, serve]() mutable -> kj::Promise<void> { return serve(context); },
      [context](Errc code) mutable {
        refuse(context, Error{code, "as the test wants it", {}});
      });
}

void write_entry(const Entry& entry, schema::Config::KeyValue::Builder built) {
  built.setKey(bytes(entry.key));
  built.setValue(bytes(entry.value));
  built.setCreateRevision(entry.create_revision);
  built.setModRevision(entry.mod_revision);
  built.setVersion(entry.version);
}

class HandleServer final : public schema::Handle::Server {
 public:
  explicit HandleServer(kj::Promise<void> work) : work_(work.eagerlyEvaluate([](kj::Exception&&) {})) {}

 private:
  kj::Promise<void> work_;
};

class LeasesServer final : public schema::Leases::Server {
 public:
  explicit LeasesServer(Service::Visit visit) : visit_(std::move(visit)) {}

  kj::Promise<void> grant(GrantContext context) override {
    return run(visit_, "leases.grant", context, [visit = visit_](GrantContext& c) -> kj::Promise<void> {
      auto ttl = c.getParams().getTtlMs();
      std::uint64_t lease = 0;
      auto done =
          visit.world().once(c.getParams().getCall(), [&]() { return lease = visit.world().grant(ttl); });
      if (!done) {
        refuse(c, done.error());
        return kj::READY_NOW;
      }
      auto ok = c.getResults().initOutcome().initOk();
      ok.setLease(*done);
      ok.setTtlMs(ttl);
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> keepAlive(KeepAliveContext context) override {
    return run(visit_, "leases.keepAlive", context,
               [visit = visit_](KeepAliveContext& c) -> kj::Promise<void> {
                 auto leases = c.getParams().getLeases();
                 auto ttls = c.getResults().initOutcome().initOk().initTtlMs(leases.size());
                 for (unsigned i = 0; i < leases.size(); ++i) {
                   auto found = visit.world().leases.find(leases[i]);
                   ttls.set(i, found == visit.world().leases.end() ? 0 : found->second);
                 }
                 return kj::READY_NOW;
               });
  }
  kj::Promise<void> revoke(RevokeContext context) override {
    return run(visit_, "leases.revoke", context, [visit = visit_](RevokeContext& c) -> kj::Promise<void> {
      if (visit.world().end_lease(c.getParams().getLease())) {
        c.getResults().initOutcome().initOk();
      } else {
        refuse(c, Error{Errc::kLeaseNotFound, "no such lease", {}});
      }
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> show(ShowContext context) override {
    return run(visit_, "leases.show", context, [visit = visit_](ShowContext& c) -> kj::Promise<void> {
      auto found = visit.world().leases.find(c.getParams().getLease());
      if (found == visit.world().leases.end()) {
        refuse(c, Error{Errc::kLeaseNotFound, "no such lease", {}});
        return kj::READY_NOW;
      }
      auto ok = c.getResults().initOutcome().initOk();
      ok.setLease(found->first);
      ok.setTtlMs(found->second);
      ok.setRemainingMs(found->second / 2);
      ok.initAttached(1).set(0, "key:/a");
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> list(ListContext context) override {
    return run(visit_, "leases.list", context, [visit = visit_](ListContext& c) -> kj::Promise<void> {
      const auto& leases = visit.world().leases;
      auto list = c.getResults().initOutcome().initOk().initLeases(static_cast<unsigned>(leases.size()));
      unsigned i = 0;
      for (const auto& [lease, ttl] : leases) {
        list[i].setLease(lease);
        list[i++].setTtlMs(ttl);
      }
      return kj::READY_NOW;
    });
  }

 private:
  const Service::Visit visit_;
};

class ConfigServer final : public schema::Config::Server {
 public:
  explicit ConfigServer(Service::Visit visit) : visit_(std::move(visit)) {}

  kj::Promise<void> put(PutContext context) override {
    return run(visit_, "config.put", context, [visit = visit_](PutContext& c) -> kj::Promise<void> {
      auto put = c.getParams().getPut();
      auto done = visit.world().once(c.getParams().getCall(), [&]() -> Result<std::uint64_t> {
        if (put.getLease() != 0 && !visit.world().leases.contains(put.getLease())) {
          return fail(Errc::kLeaseNotFound, "no such lease");
        }
        return visit.world().put(text(put.getKey()), text(put.getValue()),
                                 put.getConditional() ? std::optional(put.getExpected()) : std::nullopt);
      });
      if (done) {
        c.getResults().initOutcome().initOk().setRevision(*done);
      } else {
        refuse(c, done.error());
      }
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> get(GetContext context) override {
    return run(visit_, "config.get", context, [visit = visit_](GetContext& c) -> kj::Promise<void> {
      constexpr std::size_t kPage = 3;  // so that tests need few keys
      auto get = c.getParams().getGet();
      auto& world = visit.world();
      if (get.getRevision() != 0 && get.getRevision() != world.revision) {
        refuse(c, Error{Errc::kCompacted, "that revision is gone", Revision(world.revision)});
        return kj::READY_NOW;
      }
      std::vector<const Entry*> found;
      std::string end = text(get.getRange().getEnd());
      for (auto entry = world.entries.lower_bound(text(get.getRange().getBegin()));
           entry != world.entries.end() && (end.empty() || entry->first < end); ++entry) {
        found.push_back(&entry->second);
      }
      std::size_t most = get.getLimit() == 0 ? kPage : std::min<std::size_t>(kPage, get.getLimit());
      most = get.getCountOnly() ? 0 : std::min(most, found.size());
      auto ok = c.getResults().initOutcome().initOk();
      ok.setRevision(world.revision);
      ok.setCount(found.size());
      ok.setMore(!get.getCountOnly() && most < found.size());
      auto list = ok.initEntries(static_cast<unsigned>(most));
      for (unsigned i = 0; i < most; ++i) {
        write_entry(*found[i], list[i]);
      }
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> delete_(DeleteContext context) override {
    return run(visit_, "config.delete", context, [visit = visit_](DeleteContext& c) -> kj::Promise<void> {
      auto range = c.getParams().getDelete().getRange();
      std::uint64_t count = 0;
      auto done = visit.world().once(c.getParams().getCall(), [&]() {
        return visit.world().remove(text(range.getBegin()), text(range.getEnd()), count);
      });
      if (done) {
        auto ok = c.getResults().initOutcome().initOk();
        ok.setRevision(*done);
        ok.setDeleted(count);
      } else {
        refuse(c, done.error());
      }
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> watch(WatchContext context) override {
    return run(visit_, "config.watch", context, [visit = visit_](WatchContext& c) -> kj::Promise<void> {
      auto params = c.getParams();
      auto& world = visit.world();
      std::uint64_t start = params.getStartRevision() == 0 ? world.revision + 1 : params.getStartRevision();
      if (start < world.compacted_below) {
        refuse(c, Error{Errc::kCompacted, "compacted", Revision(world.compacted_below)});
        return kj::READY_NOW;
      }
      auto ok = c.getResults().initOutcome().initOk();
      ok.setStartRevision(start);
      ok.setHandle(kj::heap<HandleServer>(feed(world, params.getWatcher(), text(params.getRange().getBegin()),
                                               text(params.getRange().getEnd()), start)));
      return kj::READY_NOW;
    });
  }

 private:
  /// Two changes a call, so that a large revision is cut.
  static kj::Promise<void> feed(World& world, schema::Config::Watcher::Client watcher, std::string begin,
                                std::string end, std::uint64_t from, std::size_t skip = 0) {
    std::vector<Entry> due;
    for (const auto& change : world.history) {
      if (change.mod_revision >= from && change.key >= begin && (end.empty() || change.key < end)) {
        due.push_back(change);
      }
    }
    due.erase(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(std::min(skip, due.size())));
    if (due.empty()) {
      return world.changed().then([&world, watcher, begin, end, from, skip]() mutable {
        return feed(world, watcher, begin, end, from, skip);
      });
    }
    unsigned count = static_cast<unsigned>(std::min<std::size_t>(2, due.size()));
    auto request = watcher.changesRequest();
    auto list = request.initChanges(count);
    for (unsigned i = 0; i < count; ++i) {
      list[i].setDeleted(due[i].deleted);
      write_entry(due[i], list[i].initEntry());
    }
    bool cut = count < due.size();
    std::uint64_t next = cut ? due[count].mod_revision : world.revision + 1;
    std::size_t told = 0;
    for (unsigned i = 0; i < count; ++i) {
      told += due[i].mod_revision == next ? 1 : 0;
    }
    request.setNextRevision(next);
    world.fed += count;
    std::size_t next_skip = next == from ? skip + told : told;
    return request.send().then([&world, watcher, begin, end, next, next_skip](auto&&) mutable {
      return feed(world, watcher, begin, end, next, next_skip);
    });
  }

  const Service::Visit visit_;
};

class RegistryServer final : public schema::Registry::Server {
 public:
  explicit RegistryServer(Service::Visit visit) : visit_(std::move(visit)) {}

  kj::Promise<void> register_(RegisterContext context) override {
    return run(visit_, "registry.register", context,
               [visit = visit_](RegisterContext& c) -> kj::Promise<void> {
                 auto instance = c.getParams().getInstance();
                 if (!visit.world().leases.contains(instance.getLease())) {
                   refuse(c, Error{Errc::kLeaseNotFound, "no such lease", {}});
                   return kj::READY_NOW;
                 }
                 InstanceRow row{text(instance.getAddress()), {}, instance.getLease()};
                 for (auto tag : instance.getTags()) {
                   row.tags.push_back(text(tag));
                 }
                 visit.world().services[text(c.getParams().getService())][text(instance.getId())] = row;
                 ++visit.world().revision;
                 visit.world().tell();
                 c.getResults().initOutcome().initOk();
                 return kj::READY_NOW;
               });
  }
  kj::Promise<void> deregister(DeregisterContext context) override {
    return run(visit_, "registry.deregister", context,
               [visit = visit_](DeregisterContext& c) -> kj::Promise<void> {
                 auto params = c.getParams();
                 auto& instances = visit.world().services[text(params.getService())];
                 auto found = instances.find(text(params.getId()));
                 if (found == instances.end()) {
                   refuse(c, Error{Errc::kInstanceNotFound, "no such instance", {}});
                   return kj::READY_NOW;
                 }
                 instances.erase(found);
                 visit.world().tell();
                 c.getResults().initOutcome().initOk();
                 return kj::READY_NOW;
               });
  }
  kj::Promise<void> services(ServicesContext context) override {
    return run(
        visit_, "registry.services", context, [visit = visit_](ServicesContext& c) -> kj::Promise<void> {
          const auto& services = visit.world().services;
          auto list =
              c.getResults().initOutcome().initOk().initServices(static_cast<unsigned>(services.size()));
          unsigned i = 0;
          for (const auto& [name, instances] : services) {
            list[i].setName(name);
            list[i++].setInstances(instances.size());
          }
          return kj::READY_NOW;
        });
  }
  kj::Promise<void> resolve(ResolveContext context) override {
    return run(visit_, "registry.resolve", context, [visit = visit_](ResolveContext& c) -> kj::Promise<void> {
      const auto& instances = visit.world().services[text(c.getParams().getService())];
      auto list =
          c.getResults().initOutcome().initOk().initInstances(static_cast<unsigned>(instances.size()));
      unsigned i = 0;
      for (const auto& [id, row] : instances) {
        write(id, row, list[i++]);
      }
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> watch(WatchContext context) override {
    return run(visit_, "registry.watch", context, [visit = visit_](WatchContext& c) -> kj::Promise<void> {
      c.getResults().initOutcome().initOk().setHandle(kj::heap<HandleServer>(
          feed(visit.world(), c.getParams().getWatcher(), text(c.getParams().getService()), {})));
      return kj::READY_NOW;
    });
  }

 private:
  static void write(const std::string& id, const InstanceRow& row,
                    schema::Registry::Instance::Builder built) {
    built.setId(id);
    built.setAddress(row.address);
    built.setLease(row.lease);
    built.setWeight(1);
    auto tags = built.initTags(static_cast<unsigned>(row.tags.size()));
    for (unsigned i = 0; i < tags.size(); ++i) {
      tags.set(i, row.tags[i]);
    }
  }
  static kj::Promise<void> feed(World& world, schema::Registry::Watcher::Client watcher, std::string service,
                                std::set<std::string> known) {
    const auto& instances = world.services[service];
    std::vector<std::string> gone;
    for (const auto& id : known) {
      if (!instances.contains(id)) {
        gone.push_back(id);
      }
    }
    auto request = watcher.changesRequest();
    auto list = request.initChanges(static_cast<unsigned>(instances.size() + gone.size()));
    unsigned i = 0;
    known.clear();
    for (const auto& [id, row] : instances) {
      write(id, row, list[i++].initInstance());
      known.insert(id);
    }
    for (const auto& id : gone) {
      list[i].setRemoved(true);
      list[i++].initInstance().setId(id);
    }
    request.setComplete(true);
    return request.send().then([&world, watcher, service, known](auto&&) mutable {
      return world.changed().then(
          [&world, watcher, service, known]() mutable { return feed(world, watcher, service, known); });
    });
  }

  const Service::Visit visit_;
};

class LocksServer final : public schema::Locks::Server {
 public:
  explicit LocksServer(Service::Visit visit) : visit_(std::move(visit)) {}

  kj::Promise<void> acquire(AcquireContext context) override {
    return run(visit_, "locks.acquire", context, [visit = visit_](AcquireContext& c) -> kj::Promise<void> {
      auto wish = c.getParams().getAcquire();
      auto& world = visit.world();
      if (!world.leases.contains(wish.getLease())) {
        refuse(c, Error{Errc::kLeaseNotFound, "no such lease", {}});
        return kj::READY_NOW;
      }
      auto& claims = world.locks[text(wish.getLock())];
      auto claim = std::find_if(claims.begin(), claims.end(),
                                [&](const Claim& other) { return other.lease == wish.getLease(); });
      if (claim == claims.end()) {
        if (!claims.empty() && !wish.getQueue()) {
          refuse(c, Error{Errc::kLockHeld, "it is held", {}});
          return kj::READY_NOW;
        }
        claims.push_back(Claim{wish.getLease(), wish.getAttempt(), 0, text(wish.getOwner()), {}});
        claim = std::prev(claims.end());
        world.grant_first(claims);
      }
      if (claim->token != 0) {
        c.getResults().initOutcome().initOk().setToken(claim->token);
        return kj::READY_NOW;
      }
      auto waiting = kj::newPromiseAndFulfiller<std::uint64_t>();
      claim->calls.push_back(kj::mv(waiting.fulfiller));
      return waiting.promise.then([c](std::uint64_t token) mutable {
        if (token == 0) {
          refuse(c, Error{Errc::kLeaseNotFound, "the claim is gone", {}});
        } else {
          c.getResults().initOutcome().initOk().setToken(token);
        }
      });
    });
  }
  kj::Promise<void> cancel(CancelContext context) override {
    return run(visit_, "locks.cancel", context, [visit = visit_](CancelContext& c) -> kj::Promise<void> {
      visit.world().drop_claim(text(c.getParams().getLock()), c.getParams().getLease(), 0);
      c.getResults().initOutcome().initOk();
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> release(ReleaseContext context) override {
    return run(visit_, "locks.release", context, [visit = visit_](ReleaseContext& c) -> kj::Promise<void> {
      std::string name = text(c.getParams().getLock());
      std::uint64_t token = c.getParams().getToken();
      const auto& claims = visit.world().locks[name];
      bool holds = !claims.empty() && claims.front().token == token;
      if (!holds) {
        refuse(c, Error{Errc::kNotHolder, "another holds it, or nobody", {}});
        return kj::READY_NOW;
      }
      visit.world().drop_claim(name, 0, token);
      c.getResults().initOutcome().initOk();
      return kj::READY_NOW;
    });
  }
  kj::Promise<void> show(ShowContext context) override {
    return run(visit_, "locks.show", context, [visit = visit_](ShowContext& c) -> kj::Promise<void> {
      const auto& claims = visit.world().locks[text(c.getParams().getLock())];
      auto lock = c.getResults().initOutcome().initOk().initLocks(1)[0];
      lock.setLock(c.getParams().getLock());
      auto holders = lock.initHolders(claims.empty() ? 0 : 1);
      auto queue = lock.initQueue(claims.empty() ? 0 : static_cast<unsigned>(claims.size() - 1));
      for (unsigned i = 0; i < claims.size(); ++i) {
        if (i == 0) {
          holders[0].setToken(claims[i].token);
          holders[0].setLease(claims[i].lease);
          holders[0].setOwner(claims[i].owner);
        } else {
          queue[i - 1].setPosition(i);
          queue[i - 1].setLease(claims[i].lease);
          queue[i - 1].setOwner(claims[i].owner);
        }
      }
      return kj::READY_NOW;
    });
  }

 private:
  const Service::Visit visit_;
};

class ClusterServer final : public schema::Cluster::Server {
 public:
  explicit ClusterServer(Service::Visit visit) : visit_(std::move(visit)) {}

  kj::Promise<void> self(SelfContext context) override {
    return visit_.run(
        "cluster.self",
        [this, context]() mutable -> kj::Promise<void> {
          write(visit_.connection->member, context.getResults().initMember());
          return kj::READY_NOW;
        },
        [](Errc) {});
  }
  kj::Promise<void> status(StatusContext context) override {
    return visit_.run(
        "cluster.status",
        [this, context]() mutable -> kj::Promise<void> {
          auto status = context.getResults().initStatus();
          status.setClusterId(77);
          status.setLeader(visit_.service.member_name(visit_.service.leader()));
          auto count = static_cast<unsigned>(visit_.service.endpoints().size());
          auto members = status.initMembers(count);
          for (unsigned i = 0; i < count; ++i) {
            write(static_cast<int>(i), members[i]);
          }
          return kj::READY_NOW;
        },
        [](Errc) {});
  }
  kj::Promise<void> whoAmI(WhoAmIContext context) override {
    context.getResults().setAddress(visit_.service.connection_remote(*visit_.connection));
    return kj::READY_NOW;
  }

 private:
  void write(int member, schema::Cluster::MemberStatus::Builder built) {
    bool leads = member == visit_.service.leader();
    built.setId(static_cast<std::uint64_t>(member) + 1);
    built.setName(visit_.service.member_name(member));
    built.setEndpoint(visit_.service.endpoints()[static_cast<std::size_t>(member)]);
    built.setRole(leads ? schema::Cluster::Role::LEADER : schema::Cluster::Role::FOLLOWER);
    built.setLeader(visit_.service.member_name(visit_.service.leader()));
    built.setHealthy(!visit_.service.frozen(member));
  }

  const Service::Visit visit_;
};

class HoldfastServer final : public schema::Holdfast::Server {
 public:
  explicit HoldfastServer(Service::Visit visit) : visit_(std::move(visit)) {}

  kj::Promise<void> leases(LeasesContext context) override {
    context.getResults().setLeases(kj::heap<LeasesServer>(visit_));
    return kj::READY_NOW;
  }
  kj::Promise<void> config(ConfigContext context) override {
    context.getResults().setConfig(kj::heap<ConfigServer>(visit_));
    return kj::READY_NOW;
  }
  kj::Promise<void> registry(RegistryContext context) override {
    context.getResults().setRegistry(kj::heap<RegistryServer>(visit_));
    return kj::READY_NOW;
  }
  kj::Promise<void> locks(LocksContext context) override {
    context.getResults().setLocks(kj::heap<LocksServer>(visit_));
    return kj::READY_NOW;
  }
  kj::Promise<void> cluster(ClusterContext context) override {
    context.getResults().setCluster(kj::heap<ClusterServer>(visit_));
    return kj::READY_NOW;
  }

 private:
  const Service::Visit visit_;
};

}  // namespace

schema::Holdfast::Client make_interfaces(Service::Visit visit) {
  return kj::heap<HoldfastServer>(std::move(visit));
}

}  // namespace holdfast::fake
