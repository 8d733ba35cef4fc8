#include "tests/chaos/direct_reader.h"

#include <schema/api.capnp.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/endpoint.h"
#include "net/connect.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"

namespace holdfast::chaos {

namespace {

using Config = schema::Config::Client;

constexpr std::size_t kLanes = 3;
constexpr milliseconds kConnectTimeout{500};
// For the member to answer in; it may be stopped for longer than that.
constexpr milliseconds kCallTimeout{3000};
// Then the connection is given up.
constexpr milliseconds kPatience{8000};

kj::Duration in_kj(milliseconds time) { return time.count() * kj::MILLISECONDS; }

std::string text(capnp::Data::Reader data) {
  return std::string(reinterpret_cast<const char*>(data.begin()), data.size());
}

kj::ArrayPtr<const kj::byte> bytes(const std::string& from) {
  return {reinterpret_cast<const kj::byte*>(from.data()), from.size()};
}

/// One connection to one member. Errors of its construction: kj::Exception.
class Visit {
 public:
  Visit(net::EventLoop& loop, const std::string& endpoint)
      : connection_(loop.run_until(net::connect(loop, *parse_endpoint(endpoint), kConnectTimeout))),
        door_(connection_.bootstrap().castAs<schema::Holdfast>()),
        config_(door_.configRequest().send().getConfig()),
        leases_(door_.leasesRequest().send().getLeases()) {}

  /// `ttl` stays empty if the member refuses.
  kj::Promise<void> keep_alive(std::uint64_t lease, std::optional<milliseconds>& ttl) {
    auto request = leases_.keepAliveRequest();
    request.initCall().setTimeoutMs(static_cast<std::uint32_t>(kCallTimeout.count()));
    request.initLeases(1).set(0, lease);
    return request.send().then([&ttl](auto&& response) {
      auto outcome = response.getOutcome();
      if (outcome.isOk()) ttl = milliseconds(outcome.getOk().getTtlMs()[0]);
    });
  }

  kj::Promise<void> get(const std::string& key, bool prefix, bool serializable, std::vector<Record>& out) {
    auto request = config_.getRequest();
    request.initCall().setTimeoutMs(static_cast<std::uint32_t>(kCallTimeout.count()));
    auto get = request.initGet();
    get.setSerializable(serializable);
    auto range = get.initRange();
    range.setBegin(bytes(key));
    std::string end = key;
    prefix ? static_cast<void>(++end.back()) : end.push_back('\0');
    range.setEnd(bytes(end));
    return request.send().then([&out](auto&& response) {
      auto outcome = response.getOutcome();
      Record store;
      if (outcome.isError()) {
        store.answer = Answer::kFailed;
        out.push_back(store);
        return;
      }
      store.store_revision = outcome.getOk().getRevision();
      out.push_back(store);
      for (auto entry : outcome.getOk().getEntries()) {
        Record one = store;
        one.key = text(entry.getKey());
        one.value = text(entry.getValue());
        one.present = true;
        one.revision = entry.getModRevision();
        one.create_revision = entry.getCreateRevision();
        one.version = entry.getVersion();
        out.push_back(one);
      }
    });
  }

 private:
  net::RpcConnection connection_;
  schema::Holdfast::Client door_;
  Config config_;
  schema::Leases::Client leases_;
};

/// Reads again and again over one connection until it breaks or the job ends.
class Lanes {
 public:
  Lanes(net::EventLoop& loop, const Job& job, std::size_t keys, bool serializable, Random& random)
      : loop_(loop),
        job_(job),
        keys_(keys),
        serializable_(serializable),
        random_(random),
        visit_(loop, job.endpoints.front()) {}

  void run() {
    auto lanes = kj::heapArrayBuilder<kj::Promise<void>>(kLanes);
    for (std::size_t i = 0; i < kLanes; ++i) lanes.add(lane());
    loop_.run_until(kj::joinPromises(lanes.finish()));
  }

 private:
  kj::Promise<void> lane() {
    if (job_.stop.is_set()) return kj::READY_NOW;
    auto reading = std::make_shared<Reading>();  // owners: the continuations of this call
    reading->key = kPrefix + "k" + std::to_string(random_.below(keys_));
    reading->call = clock_now();
    return visit_.get(reading->key, false, serializable_, reading->found)
        .then([this, reading] { note(*reading); })
        .exclusiveJoin(
            loop_.timer().afterDelay(in_kj(kPatience)).then([]() -> void { KJ_FAIL_REQUIRE("no answer"); }))
        .then([this] { return loop_.timer().afterDelay(in_kj(milliseconds(random_.between(2, 20)))); })
        .then([this] { return lane(); });
  }

  struct Reading {
    std::string key;
    std::int64_t call = 0;
    std::vector<Record> found;
  };

  void note(const Reading& reading) {
    Record record = reading.found.back();
    record.kind = Kind::kGet;
    record.client = job_.client;
    record.key = reading.key;
    record.call = reading.call;
    record.end = clock_now();
    job_.history.add(record);
  }

  net::EventLoop& loop_;
  const Job& job_;
  const std::size_t keys_;
  const bool serializable_;
  Random& random_;
  Visit visit_;
};

}  // namespace

void read_directly(const Job& job, std::size_t keys, bool serializable) {
  net::EventLoop loop;
  Random random(job.seed);
  while (!job.stop.is_set()) {
    try {
      Lanes(loop, job, keys, serializable, random).run();
    } catch (const kj::Exception&) {
      job.stop.wait_for(milliseconds(100));  // it is down, or cut off
    }
  }
}

Result<std::vector<Record>> read_state(const std::string& endpoint, std::uint32_t client,
                                       std::uint64_t revision, milliseconds limit) {
  net::EventLoop loop;
  std::vector<Record> found;
  const auto read = [&] {
    found.clear();
    try {
      Visit visit(loop, endpoint);
      loop.run_until(
          visit.get(kPrefix, true, true, found).exclusiveJoin(loop.timer().afterDelay(in_kj(kCallTimeout))));
    } catch (const kj::Exception&) {
      return false;
    }
    return !found.empty() && found.front().answer == Answer::kDone &&
           found.front().store_revision >= revision;
  };
  if (!wait_until(read, limit)) {
    return fail(Errc::kUnavailable, endpoint + " has not reached revision " + std::to_string(revision));
  }
  for (Record& record : found) {
    record.kind = Kind::kFinal;
    record.client = client;
    record.call = record.end = clock_now();
  }
  return found;
}

class DirectClient::State {
 public:
  /// Asks, and gives the other side the time to have the question in its socket before `while_asked` runs.
  template <typename Ask>
  Result<void> ask(const std::string& endpoint, milliseconds limit, const std::function<void()>& while_asked,
                   Ask send) {
    try {
      if (!visit) visit = std::make_unique<Visit>(loop, endpoint);
      bool answered = false;
      auto asking = send(*visit).then([&answered] { answered = true; });
      if (while_asked) {
        auto on_its_way = loop.timer().afterDelay(in_kj(milliseconds(100)));
        loop.run_until(kj::mv(on_its_way));
        while_asked();
      }
      loop.run_until(asking.exclusiveJoin(loop.timer().afterDelay(in_kj(limit))));
      if (answered) return {};
      return fail(Errc::kUnavailable, "no answer");
    } catch (const kj::Exception& exception) {
      visit.reset();
      return fail(Errc::kUnavailable, exception.getDescription().cStr());
    }
  }

  net::EventLoop loop;
  std::unique_ptr<Visit> visit;
};

DirectClient::DirectClient(std::string endpoint)
    : endpoint_(std::move(endpoint)), state_(std::make_unique<State>()) {}
DirectClient::~DirectClient() = default;

Result<Record> DirectClient::get(const std::string& key, milliseconds limit,
                                 const std::function<void()>& while_asked) {
  std::vector<Record> found;
  const std::int64_t call = clock_now();
  auto asked = state_->ask(endpoint_, limit, while_asked,
                           [&](Visit& visit) { return visit.get(key, false, false, found); });
  if (!asked) return fail(asked.error());
  if (found.back().answer != Answer::kDone) return fail(Errc::kUnavailable, "refused");
  Record record = found.back();
  record.kind = Kind::kGet;
  record.key = key;
  record.call = call;
  record.end = clock_now();
  return record;
}

Result<milliseconds> DirectClient::keep_alive(std::uint64_t lease, milliseconds limit,
                                              const std::function<void()>& while_asked) {
  std::optional<milliseconds> ttl;
  auto asked =
      state_->ask(endpoint_, limit, while_asked, [&](Visit& visit) { return visit.keep_alive(lease, ttl); });
  if (!asked) return fail(asked.error());
  if (!ttl) return fail(Errc::kUnavailable, "refused");
  return *ttl;
}

}  // namespace holdfast::chaos
