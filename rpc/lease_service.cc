#include "rpc/lease_service.h"

#include <algorithm>

#include "rpc/conversions.h"
#include "rpc/read_write.h"
#include "rpc/texts.h"

namespace holdfast::rpc {

namespace {

constexpr std::size_t kMaxAttachmentsShown = 5'000;
// What fits a frame with room to spare.
constexpr std::size_t kMaxLeasesListed = 50'000;

std::uint64_t to_ms(milliseconds time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
}

/// The first of the texts, as many as an answer takes.
std::vector<std::string> what_fits(std::vector<std::string> texts) {
  std::size_t bytes = 0;
  for (auto text = texts.begin(); text != texts.end(); ++text) {
    bytes += wire_bytes(*text);
    if (bytes <= kMaxAnswerBytes) continue;
    texts.erase(text, texts.end());
    break;
  }
  return texts;
}

using KeepAliveContext =
    capnp::CallContext<schema::Leases::KeepAliveParams, schema::Leases::KeepAliveResults>;

Result<void> write_kept(KeepAliveContext& context, const Result<std::vector<node::KeptAlive>>& kept) {
  if (!kept) return fail(kept.error());
  auto ttls = context.getResults(capnp::MessageSize{kShortAnswer.wordCount + kept->size(), 0})
                  .initOutcome()
                  .initOk()
                  .initTtlMs(static_cast<unsigned>(kept->size()));
  for (unsigned i = 0; i < ttls.size(); ++i) ttls.set(i, to_ms((*kept)[i].ttl));
  return {};
}

}  // namespace

kj::Promise<void> LeaseService::grant(GrantContext context) {
  const auto ttl = std::min<std::uint64_t>(context.getParams().getTtlMs(), INT64_MAX / 1'000'000);
  return write<state::LeaseGranted>(desk_, reach_, context, &schema::Leases::Client::grantRequest,
                                    IfBroken::kUnknown,
                                    state::GrantLease{milliseconds(static_cast<std::int64_t>(ttl))},
                                    [](auto ok, const state::LeaseGranted& granted) {
                                      ok.setLease(granted.lease.value());
                                      ok.setTtlMs(to_ms(granted.ttl));
                                    });
}

kj::Promise<void> LeaseService::keepAlive(KeepAliveContext context) {
  std::vector<LeaseId> leases;
  for (const std::uint64_t lease : context.getParams().getLeases()) leases.emplace_back(lease);
  if (leases.size() > limits::kMaxLeasesPerCall) {
    refuse(context, Error{Errc::kLimitExceeded,
                          "a call keeps at most " + std::to_string(limits::kMaxLeasesPerCall) +
                              " leases alive, not " + std::to_string(leases.size()) + "; use several calls"});
    return kj::READY_NOW;
  }
  using Pending = Call<schema::Leases::KeepAliveParams, schema::Leases::KeepAliveResults>::Pending;
  return answer(desk_, reach_, context, &schema::Leases::Client::keepAliveRequest, IfBroken::kAskAgain,
                Bound::kTimeout, [this, leases = std::move(leases)](Pending pending, Duration within) {
                  desk_.node.keep_alive(
                      leases, within,
                      [pending = std::move(pending)](Result<std::vector<node::KeptAlive>> kept) mutable {
                        pending.end([&kept](auto& here) { return write_kept(here, kept); });
                      });
                });
}

kj::Promise<void> LeaseService::revoke(RevokeContext context) {
  return write<state::Done>(desk_, reach_, context, &schema::Leases::Client::revokeRequest,
                            IfBroken::kUnknown, state::RevokeLease{LeaseId(context.getParams().getLease())},
                            [](auto ok, const state::Done& done) { ok.setRevision(done.revision.value()); });
}

kj::Promise<void> LeaseService::show(ShowContext context) {
  return read(desk_, reach_, context, &schema::Leases::Client::showRequest,
              [this, context]() mutable -> Result<void> {
                const LeaseId id(context.getParams().getLease());
                const lease::Lease* lease = desk_.node.machine().leases().find(id);
                if (!lease || lease->ending)
                  return fail(Errc::kLeaseNotFound, "there is no such lease; it has ended or never was");
                auto ok = context.getResults().initOutcome().initOk();
                ok.setLease(id.value());
                ok.setTtlMs(to_ms(lease->ttl));
                ok.setRemainingMs(to_ms(desk_.node.remaining(id)));
                const auto attached = what_fits(desk_.node.machine().attachments(id, kMaxAttachmentsShown));
                auto out = ok.initAttached(static_cast<unsigned>(attached.size()));
                for (unsigned i = 0; i < out.size(); ++i) out.set(i, as_text(attached[i]));
                return {};
              });
}

kj::Promise<void> LeaseService::list(ListContext context) {
  return read(
      desk_, reach_, context, &schema::Leases::Client::listRequest,
      [this, context]() mutable -> Result<void> {
        const auto& all = desk_.node.machine().leases().all();
        if (all.size() > kMaxLeasesListed) {
          return fail(Errc::kLimitExceeded, "there are " + std::to_string(all.size()) +
                                                " leases, and a list holds " +
                                                std::to_string(kMaxLeasesListed) + "; show them one by one");
        }
        std::vector<const lease::Lease*> live;
        for (const auto& [id, lease] : all) {
          if (!lease.ending) live.push_back(&lease);
        }
        auto out = context.getResults().initOutcome().initOk().initLeases(static_cast<unsigned>(live.size()));
        for (unsigned i = 0; i < out.size(); ++i) {
          out[i].setLease(live[i]->id.value());
          out[i].setTtlMs(to_ms(live[i]->ttl));
          out[i].setRemainingMs(to_ms(desk_.node.remaining(live[i]->id)));
        }
        return {};
      });
}

}  // namespace holdfast::rpc
