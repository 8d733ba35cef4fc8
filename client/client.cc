#include "holdfast/client.h"

#include <atomic>
#include <utility>

#include "client/cluster_requests.h"
#include "client/config_requests.h"
#include "client/guards.h"
#include "client/membership_requests.h"
#include "client/registry_requests.h"
#include "client/requests.h"
#include "client/runtime.h"
#include "client/watch_guards.h"

namespace holdfast::client {

namespace {

/// Of events that a user has not read.
constexpr std::size_t kWatchQueueBytes = 1 << 20;
/// How often a waiting lock() asks whether to go on.
constexpr milliseconds kAskInterval{100};

holdfast::LeaseId inner(LeaseId lease) { return holdfast::LeaseId(lease.value); }

}  // namespace

class Client::Impl {
 public:
  explicit Impl(Options options) : runtime(std::make_shared<sdk::Runtime>(std::move(options))) {}
  ~Impl() { runtime->close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const std::shared_ptr<sdk::Runtime> runtime;  // owners: the client and its guards
};

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<std::uint64_t> Client::put(std::string_view key, std::string_view value, PutOptions options) {
  return impl_->runtime->run<std::uint64_t>(
      [key = std::string(key), value = std::string(value), options](sdk::Engine& engine) mutable {
        return sdk::put(engine, std::move(key), std::move(value), options);
      },
      holdfast::Errc::kUnknown);
}

Result<GetResult> Client::get(std::string_view key, GetOptions options) {
  return impl_->runtime->run<GetResult>([key = std::string(key), options](sdk::Engine& engine) mutable {
    return sdk::get(engine, std::move(key), options);
  });
}

Result<DeleteResult> Client::remove(std::string_view key, DeleteOptions options) {
  return impl_->runtime->run<DeleteResult>(
      [key = std::string(key), options](sdk::Engine& engine) mutable {
        return sdk::remove(engine, std::move(key), options);
      },
      holdfast::Errc::kUnknown);
}

Result<Watch> Client::watch(std::string_view key, WatchOptions options) {
  struct Begun {
    std::uint64_t number = 0;
    std::uint64_t start = 0;
  };
  auto number =
      std::make_shared<std::atomic<std::uint64_t>>(0);  // owners: the queue's callback and the task's start
  std::weak_ptr<sdk::Runtime> weak = impl_->runtime;
  auto queue = std::make_shared<sdk::WatchQueue>(kWatchQueueBytes, [weak, number]() {
    if (auto runtime = weak.lock()) {
      runtime->post([number](sdk::Engine& engine) {
        if (auto* watch = engine.find<sdk::ConfigWatch>(*number)) {
          watch->on_room();
        }
      });
    }
  });
  auto begun =
      impl_->runtime->run<Begun>([key = std::string(key), options, queue, number](sdk::Engine& engine) {
        *number = engine.next_number();
        auto& watch = engine.make<sdk::ConfigWatch>(*number, key, options, queue);
        return watch.begin().then([&watch, number](holdfast::Result<void> done) -> holdfast::Result<Begun> {
          if (!done) {
            return fail(std::move(done.error()));
          }
          return Begun{*number, watch.start().value()};
        });
      });
  if (!begun) {
    return tl::unexpected(std::move(begun.error()));
  }
  return Watch(std::make_unique<Watch::Impl>(impl_->runtime, begun->number, std::move(queue), begun->start));
}

Result<LeaseInfo> Client::grant_lease(milliseconds ttl) {
  return impl_->runtime->run<LeaseInfo>(
      [ttl](sdk::Engine& engine) {
        return sdk::grant_lease(engine.caller(), "grant a lease", ttl, engine.call_deadline(),
                                session::Repeat::kNever)
            .then([](holdfast::Result<sdk::Granted> granted) -> holdfast::Result<LeaseInfo> {
              if (!granted) {
                return fail(std::move(granted.error()));
              }
              return LeaseInfo{{granted->lease.value()}, granted->ttl, granted->ttl, {}};
            });
      },
      holdfast::Errc::kUnknown);
}

Result<std::vector<milliseconds>> Client::keep_alive(const std::vector<LeaseId>& leases) {
  return impl_->runtime->run<std::vector<milliseconds>>(
      [leases](sdk::Engine& engine) { return sdk::keep_alive(engine, leases); });
}

Result<void> Client::revoke_lease(LeaseId lease) {
  return impl_->runtime->run<void>(
      [lease](sdk::Engine& engine) {
        return sdk::revoke_lease(engine.caller(), inner(lease), engine.call_deadline());
      },
      holdfast::Errc::kUnknown);
}

Result<LeaseInfo> Client::show_lease(LeaseId lease) {
  return impl_->runtime->run<LeaseInfo>(
      [lease](sdk::Engine& engine) { return sdk::show_lease(engine, inner(lease)); });
}

Result<std::vector<LeaseInfo>> Client::list_leases() {
  return impl_->runtime->run<std::vector<LeaseInfo>>(
      [](sdk::Engine& engine) { return sdk::list_leases(engine); });
}

Result<Registration> Client::register_instance(std::string service, Instance instance,
                                               RegisterOptions options) {
  auto registered = impl_->runtime->run<sdk::Registered>(
      [service = std::move(service), instance = std::move(instance),
       options = std::move(options)](sdk::Engine& engine) mutable {
        auto number = engine.next_number();
        return engine
            .make<sdk::RegistrationKeeper>(number, std::move(service), std::move(instance),
                                           std::move(options))
            .begin();
      },
      holdfast::Errc::kUnknown);
  if (!registered) {
    return tl::unexpected(std::move(registered.error()));
  }
  return Registration(std::make_unique<Registration::Impl>(impl_->runtime, std::move(*registered)));
}

Result<void> Client::deregister(std::string_view service, std::string_view id) {
  return impl_->runtime->run<void>(
      [service = std::string(service), id = std::string(id)](sdk::Engine& engine) mutable {
        return sdk::deregister(engine, std::move(service), std::move(id), holdfast::LeaseId(),
                               engine.call_deadline());
      },
      holdfast::Errc::kUnknown);
}

Result<std::vector<ServiceInfo>> Client::services() {
  return impl_->runtime->run<std::vector<ServiceInfo>>(
      [](sdk::Engine& engine) { return sdk::services(engine); });
}

Result<std::vector<Instance>> Client::resolve(std::string_view service, ResolveOptions options) {
  return impl_->runtime->run<std::vector<Instance>>(
      [service = std::string(service), options = std::move(options)](sdk::Engine& engine) mutable {
        return sdk::resolve(engine, std::move(service), std::move(options));
      });
}

Result<ServiceWatch> Client::watch_service(std::string service, ResolveOptions options) {
  auto queue = std::make_shared<sdk::InstanceQueue>(kWatchQueueBytes, []() {});
  auto number = impl_->runtime->run<std::uint64_t>(
      [service = std::move(service), options = std::move(options), queue](sdk::Engine& engine) mutable {
        auto task = engine.next_number();
        return engine.make<sdk::RegistryWatch>(task, std::move(service), std::move(options), queue)
            .begin()
            .then([task](holdfast::Result<void> done) -> holdfast::Result<std::uint64_t> {
              if (!done) {
                return fail(std::move(done.error()));
              }
              return task;
            });
      });
  if (!number) {
    return tl::unexpected(std::move(number.error()));
  }
  return ServiceWatch(std::make_unique<ServiceWatch::Impl>(impl_->runtime, *number, std::move(queue)));
}

Result<Lock> Client::lock(std::string name, LockOptions options) {
  const auto runtime = impl_->runtime;  // the client may be closed by another thread while this one waits
  auto keep_waiting = options.keep_waiting;
  if (auto refused = runtime->begin()) {
    return tl::unexpected(std::move(*refused));
  }
  auto number = std::make_shared<std::atomic<std::uint64_t>>(0);  // owners: this call and the task's start
  auto future = runtime->launch<sdk::HeldLock>(
      [name = std::move(name), options = std::move(options), number](sdk::Engine& engine) mutable {
        *number = engine.next_number();
        return engine.make<sdk::LockClaim>(*number, std::move(name), std::move(options)).acquire();
      });
  while (keep_waiting && future.wait_for(kAskInterval) != std::future_status::ready) {
    if (!keep_waiting()) {
      runtime->post([number](sdk::Engine& engine) {
        if (auto* claim = engine.find<sdk::LockClaim>(*number)) {
          claim->cancel_wait();
        }
      });
      break;
    }
  }
  auto held = runtime->finish(std::move(future), holdfast::Errc::kUnknown);
  if (!held) {
    return tl::unexpected(std::move(held.error()));
  }
  return Lock(std::make_unique<Lock::Impl>(runtime, std::move(*held)));
}

void Client::cancel_waiting_locks() {
  impl_->runtime->post([](sdk::Engine& engine) { engine.cancel_waits(); });
}

Result<std::vector<LockInfo>> Client::locks(std::string_view name) {
  return impl_->runtime->run<std::vector<LockInfo>>([name = std::string(name)](sdk::Engine& engine) mutable {
    return sdk::show_locks(engine, std::move(name));
  });
}

Result<ClusterStatus> Client::status() {
  return impl_->runtime->run<ClusterStatus>([](sdk::Engine& engine) { return sdk::status(engine); });
}

Result<Membership> Client::members() {
  return impl_->runtime->run<Membership>([](sdk::Engine& engine) { return sdk::members(engine); });
}

Result<MemberChange> Client::add_member(std::string_view name, std::string_view peer_address,
                                        AddMemberOptions options) {
  return impl_->runtime->run<MemberChange>(
      [name = std::string(name), peer = std::string(peer_address), options](sdk::Engine& engine) {
        return sdk::add_member(engine, name, peer, options);
      },
      holdfast::Errc::kUnknown);
}

Result<MemberChange> Client::promote_member(std::string_view name) {
  return impl_->runtime->run<MemberChange>(
      [name = std::string(name)](sdk::Engine& engine) { return sdk::promote_member(engine, name); },
      holdfast::Errc::kUnknown);
}

Result<MemberChange> Client::remove_member(std::string_view name) {
  return impl_->runtime->run<MemberChange>(
      [name = std::string(name)](sdk::Engine& engine) { return sdk::remove_member(engine, name); },
      holdfast::Errc::kUnknown);
}

Result<MemberChange> Client::replace_member(std::string_view name, std::string_view new_name,
                                            std::string_view new_peer_address) {
  return impl_->runtime->run<MemberChange>(
      [name = std::string(name), heir = std::string(new_name), peer = std::string(new_peer_address)](
          sdk::Engine& engine) { return sdk::replace_member(engine, name, heir, peer); },
      holdfast::Errc::kUnknown);
}

Result<LeadershipTransfer> Client::transfer_leadership(std::string_view name) {
  return impl_->runtime->run<LeadershipTransfer>(
      [name = std::string(name)](sdk::Engine& engine) { return sdk::transfer_leadership(engine, name); },
      holdfast::Errc::kUnknown);
}

Result<std::string> Client::who_am_i() {
  return impl_->runtime->run<std::string>([](sdk::Engine& engine) { return sdk::who_am_i(engine); });
}

}  // namespace holdfast::client
