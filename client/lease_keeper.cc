#include "client/lease_keeper.h"

#include <kj/timer.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "client/clock.h"
#include "client/wire.h"

namespace holdfast::sdk {

LeaseKeeper::LeaseKeeper(net::EventLoop& loop, Channel& channel)
    : loop_(loop), channel_(channel), tasks_(*this) {}

void LeaseKeeper::keep(LeaseId lease, milliseconds ttl, Instant sent_at, std::shared_ptr<LeaseState> state,
                       Callback<void(Error)> on_lost) {
  kept_.insert_or_assign(lease, Kept{.safety = session::SafeUntil(ttl, sent_at),
                                     .state = std::move(state),
                                     .on_lost = std::move(on_lost)});
  arm();
}

void LeaseKeeper::insist(LeaseId lease) {
  if (auto found = kept_.find(lease); found != kept_.end()) {
    found->second.strict = true;
    arm();
  }
}

void LeaseKeeper::drop(LeaseId lease) {
  if (auto found = kept_.find(lease); found != kept_.end()) {
    auto waiting = std::move(found->second.waiting);
    kept_.erase(found);
    for (auto& fulfiller : waiting) {
      fulfiller->fulfill(false);
    }
  }
}

kj::Promise<bool> LeaseKeeper::confirmed(LeaseId lease) {
  auto found = kept_.find(lease);
  if (found == kept_.end()) {
    return false;
  }
  auto waiting = kj::newPromiseAndFulfiller<bool>();
  found->second.waiting.push_back(kj::mv(waiting.fulfiller));
  return kj::mv(waiting.promise);
}

void LeaseKeeper::tick() {
  Instant at = now();
  lose_unsafe(at);
  send_due(at);
  arm();
}

void LeaseKeeper::lose_unsafe(Instant at) {
  std::vector<LeaseId> unsafe;
  for (const auto& [lease, kept] : kept_) {
    if (kept.strict && !kept.safety.is_safe(at)) {
      unsafe.push_back(lease);
    }
  }
  for (LeaseId lease : unsafe) {
    lose(lease, {Errc::kUnavailable,
                 "no keepalive was acknowledged in time: the lease may have ended; " + channel_.describe(),
                 {}});
  }
}

void LeaseKeeper::send_due(Instant at) {
  auto is_due = [at](const auto& entry) { return entry.second.safety.due() <= at; };
  while (std::any_of(kept_.begin(), kept_.end(), is_due)) {
    std::vector<LeaseId> batch;
    Duration patience = Duration::max();
    for (auto& [lease, kept] : kept_) {
      // What is due soon goes along.
      bool soon = kept.safety.due() != kNever && kept.safety.due() <= at + kept.safety.patience();
      if (soon && batch.size() < limits::kMaxLeasesPerCall) {
        batch.push_back(lease);
        patience = std::min(patience, kept.safety.patience());
        kept.safety.sent();
      }
    }
    tasks_.add(send(std::move(batch), patience));
  }
}

void LeaseKeeper::arm() {
  Instant next = kNever;
  for (const auto& [lease, kept] : kept_) {
    next = std::min(next, kept.safety.due());
    if (kept.strict) {
      next = std::min(next, kept.safety.until());
    }
  }
  if (next >= armed_) {
    return;
  }
  armed_ = next;
  tasks_.add(loop_.timer().afterDelay(delay(now(), next)).then([this, next]() {
    if (armed_ == next) {
      armed_ = kNever;
    }
    tick();
  }));
}

kj::Promise<void> LeaseKeeper::send(std::vector<LeaseId> batch, Duration patience) {
  auto patient = std::chrono::duration_cast<milliseconds>(patience);
  return channel_.link(now() + patience)
      .then([this, batch, patient](Result<kj::Own<Link>> linked) -> kj::Promise<void> {
        if (!linked) {
          failed(batch);
          return kj::READY_NOW;
        }
        auto link = kj::mv(*linked);
        auto& used = *link;
        Instant sent_at = now();
        auto request = link->leases().keepAliveRequest();
        request.initCall().setTimeoutMs(
            static_cast<std::uint32_t>(std::max<std::int64_t>(1, patient.count())));
        auto leases = request.initLeases(static_cast<unsigned>(batch.size()));
        for (unsigned i = 0; i < leases.size(); ++i) {
          leases.set(i, batch[i].value());
        }
        using Ttls = Result<std::vector<milliseconds>>;
        return submit<std::vector<milliseconds>>(kj::mv(request),
                                                 [](schema::Leases::KeptAlive::Reader kept) -> Ttls {
                                                   std::vector<milliseconds> ttls;
                                                   for (auto ttl : kept.getTtlMs()) {
                                                     ttls.emplace_back(ttl);
                                                   }
                                                   return ttls;
                                                 })
            .catch_([](kj::Exception&& exception) -> Ttls {
              return fail(Errc::kUnknown, exception.getDescription().cStr());
            })
            .exclusiveJoin(loop_.timer().afterDelay(delay(Duration(patient))).then([]() -> Ttls {
              return fail(Errc::kUnknown, "no answer to a keepalive");
            }))
            .then([this, batch, sent_at, &used](Ttls ttls) {
              if (ttls && ttls->size() == batch.size()) {
                acknowledged(batch, *ttls, sent_at);
              } else {
                // A member without a leader cannot confirm anything: another may.
                channel_.leave(used, ttls ? "it answered a keepalive wrongly" : ttls.error().message);
                failed(batch);
              }
            })
            .attach(kj::mv(link));
      })
      .then([this]() { tick(); });
}

void LeaseKeeper::acknowledged(const std::vector<LeaseId>& batch, const std::vector<milliseconds>& ttls,
                               Instant sent_at) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto found = kept_.find(batch[i]);
    if (found == kept_.end()) {
      continue;
    }
    Kept& kept = found->second;
    if (ttls[i] == milliseconds(0)) {
      lose(batch[i], {Errc::kLeaseNotFound, "the lease has ended", {}});
      continue;
    }
    kept.safety.acknowledged(sent_at, ttls[i]);
    if (kept.state) {
      kept.state->extend(kept.safety.until());
    }
    for (auto& fulfiller : std::exchange(kept.waiting, {})) {
      fulfiller->fulfill(true);
    }
  }
}

void LeaseKeeper::failed(const std::vector<LeaseId>& batch) {
  Instant at = now();
  for (LeaseId lease : batch) {
    if (auto found = kept_.find(lease); found != kept_.end()) {
      found->second.safety.failed(at);
    }
  }
}

void LeaseKeeper::lose(LeaseId lease, Error why) {
  auto node = kept_.extract(lease);
  if (node.empty()) {
    return;
  }
  Kept& kept = node.mapped();
  for (auto& fulfiller : kept.waiting) {
    fulfiller->fulfill(false);
  }
  if (kept.on_lost) {
    kept.on_lost(std::move(why));
  }
}

}  // namespace holdfast::sdk
