#include <kj/debug.h>
#include <kj/time.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "bench/calls.h"
#include "bench/fleet.h"
#include "bench/lanes.h"
#include "bench/runs.h"
#include "net/direct_host.h"
#include "schema/method.h"

namespace holdfast::bench {
namespace {

// How long nothing may arrive until what is still missing is given up.
constexpr milliseconds kPatience{10'000};

/// What the watchers have been told so far.
class Deliveries {
 public:
  Deliveries(net::EventLoop& loop, Recorder& recorder) : loop_(loop), recorder_(recorder) {}

  void arrived(schema::Config::KeyValue::Reader entry) {
    std::int64_t due = 0;
    const auto value = entry.getValue();
    if (value.size() < sizeof due) return recorder_.failure("a change that is not of this run"_kj);
    std::memcpy(&due, value.begin(), sizeof due);
    recorder_.success(Instant(Duration(due)));
    last_ = loop_.now();
    while (!waiting_.empty() && waiting_.begin()->first <= recorder_.figures().count) {
      waiting_.begin()->second->fulfill();
      waiting_.erase(waiting_.begin());
    }
  }
  void ended(kj::StringPtr why) { recorder_.failure(kj::str("a watch ended: ", why)); }

  /// Done when so many have arrived, or when no more come.
  kj::Promise<void> await(std::uint64_t expected) {
    const std::uint64_t count = recorder_.figures().count;
    if (count >= expected || loop_.now() - last_ > kPatience) return kj::READY_NOW;
    return loop_.timer().afterDelay(1 * kj::MILLISECONDS).then([this, expected] { return await(expected); });
  }
  /// Done as soon as so many have arrived, or after kPatience.
  kj::Promise<void> until(std::uint64_t expected) {
    if (recorder_.figures().count >= expected) return kj::READY_NOW;
    auto pair = kj::newPromiseAndFulfiller<void>();
    waiting_.emplace(expected, kj::mv(pair.fulfiller));
    return pair.promise.exclusiveJoin(loop_.timer().afterDelay(kPatience.count() * kj::MILLISECONDS));
  }
  Instant last() const { return last_; }
  void begin() { last_ = loop_.now(); }

 private:
  net::EventLoop& loop_;
  Recorder& recorder_;
  Instant last_;
  std::multimap<std::uint64_t, kj::Own<kj::PromiseFulfiller<void>>>
      waiting_;  // by how many must have arrived
};

class Watcher final : public schema::Config::Watcher::Server, public net::Prompt {
 public:
  explicit Watcher(Deliveries& deliveries) : deliveries_(deliveries) {}

  bool answer(std::uint64_t interface_id, std::uint16_t method, capnp::AnyPointer::Reader params) override {
    static const std::uint16_t kChanges = schema::method_number<schema::Config::Watcher>("changes");
    if (interface_id != capnp::typeId<schema::Config::Watcher>() || method != kChanges) return false;
    told(params.getAs<schema::Config::Watcher::ChangesParams>());
    return true;
  }
  kj::Promise<void> changes(ChangesContext context) override {
    told(context.getParams());
    return kj::READY_NOW;
  }
  kj::Promise<void> ended(EndedContext context) override {
    deliveries_.ended(context.getParams().getError().getMessage());
    return kj::READY_NOW;
  }

 private:
  void told(schema::Config::Watcher::ChangesParams::Reader params) {
    for (const auto change : params.getChanges()) deliveries_.arrived(change.getEntry());
  }

  Deliveries& deliveries_;
};

/// The key that write `number` goes to, and what watcher `number` looks at: one for all, or one each.
class Places {
 public:
  explicit Places(const Load& load) : load_(load) {}

  std::string prefix(std::uint64_t number) const {
    return "/bench/watch/" + std::to_string(load_.own_prefix ? number % load_.watchers : 0) + "/";
  }
  std::string key(std::uint64_t number) const { return prefix(number) + "key"; }
  std::uint64_t watchers_of_a_write() const { return load_.own_prefix ? 1 : load_.watchers; }

 private:
  const Load& load_;
};

kj::Promise<schema::Handle::Client> watch(const Load& load, Services& services, const std::string& prefix,
                                          Deliveries& deliveries) {
  auto request = services.config.watchRequest(kSmall);
  request.initCall().setTimeoutMs(load.call_timeout.count());
  std::string end = prefix;
  ++end.back();  // a slash: no carry
  auto range = request.initRange();
  range.setBegin(bytes_of(prefix));
  range.setEnd(bytes_of(end));
  request.setWatcher(net::host(kj::heap<Watcher>(deliveries)));
  return request.send().then([](auto&& response) {
    auto outcome = response.getOutcome();
    KJ_REQUIRE(outcome.isOk(), "no watch", outcome.getError().getMessage());
    return outcome.getOk().getHandle();
  });
}

/// Writes at the pace; each value begins with the time from which its deliveries count.
class Writers {
 public:
  Writers(net::EventLoop& loop, const Load& load, Recorder& recorder, Deliveries& deliveries)
      : loop_(loop),
        load_(load),
        recorder_(recorder),
        deliveries_(deliveries),
        places_(load),
        fleet_(loop, one_each(load)) {}

  kj::Promise<void> once(std::size_t lane, Instant due) {
    const Duration::rep since = due.time_since_epoch().count();
    std::string value(std::max(load_.value_bytes, sizeof since), 'v');
    std::memcpy(value.data(), &since, sizeof since);
    return put(load_, fleet_.of(lane).config, places_.key(sent_++), value)
        .catch_([](kj::Exception&& e) { return Why(kj::str(e.getDescription())); })
        .then([this, due](Why why) -> kj::Promise<void> {
          KJ_IF_MAYBE (text, why) {
            recorder_.failure(*text);
            return kj::READY_NOW;
          }
          latencies_.record(static_cast<std::uint64_t>((loop_.now() - due).count()));
          if (!load_.in_step) return kj::READY_NOW;
          return deliveries_.until(latencies_.count() * places_.watchers_of_a_write());
        });
  }
  const Histogram& latencies() const { return latencies_; }

 private:
  /// Connections of their own: a write does not queue behind what the watchers are told.
  static Load one_each(Load load) {
    load.connections = std::min<std::size_t>(load.in_flight, load.connections);
    return load;
  }

  net::EventLoop& loop_;
  const Load& load_;
  Recorder& recorder_;
  Deliveries& deliveries_;
  const Places places_;
  Fleet fleet_;
  std::uint64_t sent_ = 0;
  Histogram latencies_;
};

}  // namespace

void run_watch(net::EventLoop& loop, const Load& load, Recorder& recorder) {
  Deliveries deliveries(loop, recorder);
  Fleet fleet(loop, load);
  Writers writers(loop, load, recorder, deliveries);
  const Places places(load);
  std::vector<schema::Handle::Client> handles;
  loop.run_until(on_all_lanes(load.watchers, [&](std::size_t number) {
    return watch(load, fleet.of(number), places.prefix(number), deliveries)
        .then([&handles](schema::Handle::Client handle) { handles.push_back(kj::mv(handle)); });
  }));

  recorder.begin();
  deliveries.begin();
  Lanes lanes(loop, load, [&](std::size_t lane, Instant due) { return writers.once(lane, due); });
  loop.run_until(lanes.run());
  const std::uint64_t writes = writers.latencies().count();
  const std::uint64_t expected = writes * places.watchers_of_a_write();
  loop.run_until(deliveries.await(expected));
  recorder.end(deliveries.last());
  for (std::uint64_t count = recorder.figures().count; count < expected; ++count) {
    recorder.failure("a change did not arrive"_kj);
  }
  recorder.extra("writes", writes);
  recorder.extra("write_p50_us", writers.latencies().percentile(50));
  recorder.extra("write_p99_us", writers.latencies().percentile(99));
}

}  // namespace holdfast::bench
