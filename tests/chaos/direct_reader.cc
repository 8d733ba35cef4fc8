#include "tests/chaos/direct_reader.h"

#include <schema/api.capnp.h>

#include <memory>
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
        config_(connection_.bootstrap().castAs<schema::Holdfast>().configRequest().send().getConfig()) {}

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
  Config config_;
};

/// Reads again and again over one connection until it breaks or the job ends.
class Lanes {
 public:
  Lanes(net::EventLoop& loop, const Job& job, std::size_t keys, Random& random)
      : loop_(loop), job_(job), keys_(keys), random_(random), visit_(loop, job.endpoints.front()) {}

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
    return visit_.get(reading->key, false, false, reading->found)
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
  Random& random_;
  Visit visit_;
};

}  // namespace

void read_directly(const Job& job, std::size_t keys) {
  net::EventLoop loop;
  Random random(job.seed);
  while (!job.stop.is_set()) {
    try {
      Lanes(loop, job, keys, random).run();
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

Result<Record> read_once(const std::string& endpoint, const std::string& key, milliseconds limit,
                         const std::function<void()>& before, const std::function<void()>& while_sent) {
  net::EventLoop loop;
  std::vector<Record> found;
  try {
    Visit visit(loop, endpoint);
    // The connection and its capabilities are there before the member is told to stop.
    loop.run_until(visit.get(key, false, true, found));
    before();
    found.clear();
    const std::int64_t call = clock_now();
    auto reading = visit.get(key, false, false, found);
    loop.run_until(
        loop.timer().afterDelay(in_kj(milliseconds(100))));  // it is in the member's socket by then
    while_sent();
    loop.run_until(reading.exclusiveJoin(loop.timer().afterDelay(in_kj(limit))));
    if (found.empty()) return fail(Errc::kUnavailable, "no answer");
    Record record = found.back();
    record.kind = Kind::kGet;
    record.key = key;
    record.call = call;
    record.end = clock_now();
    return record;
  } catch (const kj::Exception& exception) {
    return fail(Errc::kUnavailable, exception.getDescription().cStr());
  }
}

}  // namespace holdfast::chaos
