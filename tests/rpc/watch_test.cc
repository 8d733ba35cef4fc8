#include <catch2/catch.hpp>

#include "base/limits.h"
#include "rpc/conversions.h"
#include "tests/rpc/calls.h"

namespace holdfast::test {

namespace {

struct Seen {
  std::vector<std::string> changes;  // "put a=1@3", "delete a@4"
  std::uint64_t next = 0;
  std::optional<Error> ended;
  std::size_t calls = 0;
  std::size_t in_flight = 0;
  std::size_t most_in_flight = 0;
};

class ConfigWatcher final : public schema::Config::Watcher::Server {
 public:
  explicit ConfigWatcher(Seen& seen, kj::Timer* slow = nullptr) : seen_(seen), slow_(slow) {}

  kj::Promise<void> changes(ChangesContext context) override {
    ++seen_.calls;
    seen_.most_in_flight = std::max(seen_.most_in_flight, ++seen_.in_flight);
    const auto params = context.getParams();
    for (auto change : params.getChanges()) {
      const auto entry = change.getEntry();
      const std::string key = rpc::to_string(entry.getKey());
      const std::string at = "@" + std::to_string(entry.getModRevision());
      seen_.changes.push_back(change.getDeleted()
                                  ? "delete " + key + at
                                  : "put " + key + "=" + rpc::to_string(entry.getValue()) + at);
    }
    seen_.next = params.getNextRevision();
    if (!slow_) {
      --seen_.in_flight;
      return kj::READY_NOW;
    }
    return slow_->afterDelay(5 * kj::MILLISECONDS).then([this] { --seen_.in_flight; });
  }
  kj::Promise<void> ended(EndedContext context) override {
    seen_.ended = rpc::read_error(context.getParams().getError());
    return kj::READY_NOW;
  }

 private:
  Seen& seen_;
  kj::Timer* slow_;
};

auto watch_request(schema::Config::Client config, const std::string& begin, const std::string& end,
                   std::uint64_t from, schema::Config::Watcher::Client watcher) {
  auto request = config.watchRequest();
  request.initRange().setBegin(as_data(begin));
  request.getRange().setEnd(as_data(end));
  request.setStartRevision(from);
  request.setWatcher(watcher);
  return request;
}

std::string at(std::uint64_t revision) { return "@" + std::to_string(revision); }

}  // namespace

TEST_CASE("a watch from now on hears what comes after it, in order, and nothing of before") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  put(cluster, config, "a", "before");
  Seen seen;
  auto opened = cluster.call(watch_request(config, "a", "b", 0, kj::heap<ConfigWatcher>(seen)));
  REQUIRE(error_of(opened));
  const auto first = put(cluster, config, "a", "1");
  put(cluster, config, "z", "elsewhere");
  auto removal = config.deleteRequest();
  removal.initDelete().initRange().setBegin(as_data("a"));
  removal.getDelete().getRange().setEnd(as_data("b"));
  auto removed = cluster.call(removal);
  const auto second = removed.getOutcome().getOk().getRevision();
  REQUIRE(cluster.run_until([&] { return seen.changes.size() >= 2; }));
  CHECK(seen.changes == std::vector<std::string>{"put a=1" + at(first), "delete a" + at(second)});
  CHECK(seen.next == second + 1);
}

TEST_CASE("a watch resumes from a past revision on another member") {
  Cluster cluster(3);
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  const auto first = put(cluster, config, "a", "1");
  const auto second = put(cluster, config, "a", "2");
  auto elsewhere = cluster.connect(cluster.follower()).configRequest().send().getConfig();
  Seen seen;
  auto opened = cluster.call(watch_request(elsewhere, "a", "b", first, kj::heap<ConfigWatcher>(seen)));
  REQUIRE(error_of(opened));
  const auto third = put(cluster, elsewhere, "a", "3");
  REQUIRE(cluster.run_until([&] { return seen.changes.size() >= 3; }));
  CHECK(seen.changes ==
        std::vector<std::string>{"put a=1" + at(first), "put a=2" + at(second), "put a=3" + at(third)});
}

TEST_CASE("a slow watcher has one call at a time and misses nothing") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  Seen seen;
  auto opened =
      cluster.call(watch_request(config, "a", "b", 0, kj::heap<ConfigWatcher>(seen, &cluster.loop.timer())));
  for (int i = 0; i < 50; ++i) put(cluster, config, "a", std::to_string(i));
  REQUIRE(cluster.run_until([&] { return seen.changes.size() >= 50; }));
  CHECK(seen.changes.size() == 50);
  CHECK(seen.most_in_flight == 1);
  CHECK(seen.calls < 50);
}

TEST_CASE("watchers that are told the same hear it, and no other's, each in order") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  struct Watched {
    const char* begin;
    const char* end;
    Seen seen = {};
  };
  std::vector<std::unique_ptr<Watched>> all;
  std::vector<capnp::Response<schema::Config::WatchResults>> open;
  for (int i = 0; i < 100; ++i) {
    for (const auto& [begin, end] : {std::pair("a", "b"), std::pair("b", "c"), std::pair("a", "c")}) {
      all.push_back(std::make_unique<Watched>(Watched{begin, end}));
      open.push_back(
          cluster.call(watch_request(config, begin, end, 0, kj::heap<ConfigWatcher>(all.back()->seen))));
    }
  }
  std::vector<std::pair<std::string, std::string>> puts;  // key, what is told of it
  for (int i = 0; i < 20; ++i) {
    const std::string key = i % 3 == 0 ? "b" : "a";
    puts.emplace_back(
        key, "put " + key + "=" + std::to_string(i) + at(put(cluster, config, key, std::to_string(i))));
  }
  for (const auto& watched : all) {
    std::vector<std::string> expected;
    for (const auto& [key, told] : puts) {
      if (key >= watched->begin && key < watched->end) expected.push_back(told);
    }
    REQUIRE(cluster.run_until([&] { return watched->seen.changes.size() >= expected.size(); }));
    REQUIRE(watched->seen.changes == expected);
  }
}

TEST_CASE("a watcher whose capability is promised hears changes once the promise is kept") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  auto promised = kj::newPromiseAndFulfiller<schema::Config::Watcher::Client>();
  auto opened = cluster.call(
      watch_request(config, "a", "b", 0, schema::Config::Watcher::Client(kj::mv(promised.promise))));
  REQUIRE(error_of(opened));
  Seen seen;
  const auto first = put(cluster, config, "a", "1");
  promised.fulfiller->fulfill(kj::heap<ConfigWatcher>(seen));
  const auto second = put(cluster, config, "a", "2");
  REQUIRE(cluster.run_until([&] { return seen.changes.size() >= 2; }));
  CHECK(seen.changes == std::vector<std::string>{"put a=1" + at(first), "put a=2" + at(second)});
  CHECK(seen.most_in_flight == 1);
}

TEST_CASE("dropping the handle ends the watch") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  Seen seen;
  {
    auto opened = cluster.call(watch_request(config, "a", "b", 0, kj::heap<ConfigWatcher>(seen)));
    put(cluster, config, "a", "1");
    REQUIRE(cluster.run_until([&] { return seen.changes.size() == 1; }));
  }
  cluster.run_for(milliseconds(20));
  put(cluster, config, "a", "2");
  cluster.run_for(milliseconds(20));
  CHECK(seen.changes.size() == 1);
}

TEST_CASE("a revision too large for a frame comes in parts, and each says where to resume") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  // A delete is heard with its keys: this many of them fill more than a page.
  const std::string stem(limits::kMaxKeyBytes - 8, 'a');
  const std::size_t count = 2 * limits::kMaxReadPageBytes / limits::kMaxKeyBytes;
  std::vector<kj::Promise<void>> sent;
  for (std::size_t i = 0; i < count; ++i) {
    sent.push_back(put_request(config, stem + std::to_string(10'000 + i), "").send().ignoreResult());
  }
  for (auto& promise : sent) cluster.wait(kj::mv(promise));
  Seen seen;
  auto opened = cluster.call(watch_request(config, "a", "b", 0, kj::heap<ConfigWatcher>(seen)));
  auto removal = config.deleteRequest();
  removal.initDelete().initRange().setBegin(as_data("a"));
  removal.getDelete().getRange().setEnd(as_data("b"));
  auto removed = cluster.call(removal);
  REQUIRE(error_of(removed));
  const auto revision = removed.getOutcome().getOk().getRevision();
  REQUIRE(cluster.run_until([&] { return seen.changes.size() >= 1; }));
  REQUIRE(cluster.run_until([&] { return seen.changes.size() >= count; }));
  CHECK(seen.changes.size() == count);
  CHECK(seen.calls >= 2);
  CHECK(seen.next == revision + 1);
}

TEST_CASE("a watcher that fails is not called again") {
  class Failing final : public schema::Config::Watcher::Server {
   public:
    explicit Failing(int& calls) : calls_(calls) {}
    kj::Promise<void> changes(ChangesContext) override {
      ++calls_;
      return KJ_EXCEPTION(FAILED, "no");
    }

   private:
    int& calls_;
  };
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  int calls = 0;
  auto opened = cluster.call(watch_request(config, "a", "b", 0, kj::heap<Failing>(calls)));
  put(cluster, config, "a", "1");
  REQUIRE(cluster.run_until([&] { return calls == 1; }));
  put(cluster, config, "a", "2");
  cluster.run_for(milliseconds(20));
  CHECK(calls == 1);
}

TEST_CASE("a connection has a bounded number of watches") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  Seen seen;
  schema::Config::Watcher::Client watcher = kj::heap<ConfigWatcher>(seen);
  std::vector<kj::Promise<capnp::Response<schema::Config::WatchResults>>> opening;
  for (std::size_t i = 0; i <= limits::kMaxWatchesPerConnection; ++i) {
    opening.push_back(watch_request(config, "a", "b", 1, watcher).send());
  }
  std::size_t refused = 0;
  std::vector<capnp::Response<schema::Config::WatchResults>> open;
  for (auto& promise : opening) {
    open.push_back(cluster.wait(kj::mv(promise)));
    if (auto error = error_of(open.back()); !error) {
      CHECK(error.error().code == Errc::kLimitExceeded);
      ++refused;
    }
  }
  CHECK(refused == 1);
}

}  // namespace holdfast::test
