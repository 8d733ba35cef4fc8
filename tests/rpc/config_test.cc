#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/rpc/calls.h"

namespace holdfast::test {

namespace {

std::string key_of(int number) {
  std::string digits = std::to_string(number);
  return "k/" + std::string(6 - digits.size(), '0') + digits;
}

void put_many(Cluster& cluster, schema::Config::Client config, int count) {
  std::vector<kj::Promise<void>> sent;
  for (int i = 0; i < count; ++i) sent.push_back(put_request(config, key_of(i), "old").send().ignoreResult());
  for (auto& promise : sent) cluster.wait(kj::mv(promise));
}

}  // namespace

TEST_CASE("what was put is got, with its revisions") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  const auto first = put(cluster, config, "a", "1");
  const auto second = put(cluster, config, "a", "2");
  CHECK(second == first + 1);
  auto results = cluster.call(get_request(config, "a", std::string("a\0", 2)));
  auto range = results.getOutcome().getOk();
  REQUIRE(range.getEntries().size() == 1);
  auto entry = range.getEntries()[0];
  CHECK(rpc::to_string(entry.getValue()) == "2");
  CHECK(entry.getCreateRevision() == first);
  CHECK(entry.getModRevision() == second);
  CHECK(entry.getVersion() == 2);
  CHECK(range.getRevision() == second);
  CHECK(range.getCount() == 1);
  CHECK_FALSE(range.getMore());
}

TEST_CASE("a range is got with limit, keys only, or as a count") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  for (const char* key : {"a", "b", "c", "d"}) put(cluster, config, key, "value");
  auto limited = get_request(config, "a", "d");
  limited.getGet().setLimit(2);
  limited.getGet().setKeysOnly(true);
  auto results = cluster.call(limited);
  auto range = results.getOutcome().getOk();
  CHECK(range.getCount() == 3);
  CHECK(range.getMore());
  REQUIRE(range.getEntries().size() == 2);
  CHECK(rpc::to_string(range.getEntries()[1].getKey()) == "b");
  CHECK(range.getEntries()[1].getValue().size() == 0);

  auto counted = get_request(config, "a", "");
  counted.getGet().setCountOnly(true);
  auto count = cluster.call(counted);
  CHECK(count.getOutcome().getOk().getCount() == 4);
  CHECK(count.getOutcome().getOk().getEntries().size() == 0);
}

TEST_CASE("a put that expects another revision is refused with the present one") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  const auto revision = put(cluster, config, "a", "1");
  auto request = put_request(config, "a", "2");
  request.getPut().setConditional(true);
  auto results = cluster.call(request);
  const auto refused = error_of(results);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kRevisionMismatch);
  CHECK(refused.error().revision == Revision(revision));
}

TEST_CASE("a request over a limit is told which") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  auto long_key = cluster.call(put_request(config, std::string(limits::kMaxKeyBytes + 1, 'k'), "v"));
  REQUIRE_FALSE(error_of(long_key));
  CHECK(error_of(long_key).error().code == Errc::kLimitExceeded);
  CHECK(error_of(long_key).error().message.find("1024") != std::string::npos);
  auto long_value = cluster.call(put_request(config, "k", std::string(limits::kMaxValueBytes + 1, 'v')));
  REQUIRE_FALSE(error_of(long_value));
  CHECK(error_of(long_value).error().code == Errc::kLimitExceeded);
  put(cluster, config, std::string(limits::kMaxKeyBytes, 'k'), std::string(limits::kMaxValueBytes, 'v'));
}

TEST_CASE("a delete says how many keys it removed") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  for (const char* key : {"a/1", "a/2", "b"}) put(cluster, config, key, "value");
  auto request = config.deleteRequest();
  request.initDelete().initRange().setBegin(as_data("a/"));
  request.getDelete().getRange().setEnd(as_data("a0"));
  auto results = cluster.call(request);
  REQUIRE(error_of(results));
  CHECK(results.getOutcome().getOk().getDeleted() == 2);
}

TEST_CASE("a large range is read in pages at one revision while it is overwritten") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  const int count = static_cast<int>(limits::kMaxReadPageEntries) + 500;
  put_many(cluster, config, count);
  auto first = cluster.call(get_request(config, "k/", "k0"));
  auto page = first.getOutcome().getOk();
  CHECK(page.getCount() == static_cast<std::uint64_t>(count));
  REQUIRE(page.getMore());
  const auto entries = page.getEntries().size();
  const std::string last = rpc::to_string(page.getEntries()[entries - 1].getKey());

  put(cluster, config, key_of(count - 1), "new");
  auto removal = config.deleteRequest();
  removal.initDelete().initRange().setBegin(as_data(key_of(count - 2)));
  removal.getDelete().getRange().setEnd(as_data(key_of(count - 1)));
  REQUIRE(error_of(cluster.call(removal)));

  auto next = get_request(config, last + std::string(1, '\0'), "k0");
  next.getGet().setRevision(page.getRevision());
  auto second = cluster.call(next);
  REQUIRE(error_of(second));
  auto rest = second.getOutcome().getOk();
  CHECK(rest.getRevision() == page.getRevision());
  REQUIRE(entries + rest.getEntries().size() == static_cast<unsigned>(count));
  CHECK_FALSE(rest.getMore());
  for (auto entry : rest.getEntries()) CHECK(rpc::to_string(entry.getValue()) == "old");
}

TEST_CASE("a page of a read that is not kept is answered if nothing changed, and refused if something did") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  put(cluster, config, "a", "1");
  const auto revision = put(cluster, config, "b", "1");
  put(cluster, config, "x", "elsewhere");
  auto unchanged = get_request(config, "b", "c");
  unchanged.getGet().setRevision(revision);
  auto results = cluster.call(unchanged);
  REQUIRE(error_of(results));
  CHECK(results.getOutcome().getOk().getRevision() == revision);
  CHECK(results.getOutcome().getOk().getEntries().size() == 1);

  put(cluster, config, "b", "2");
  auto changed = get_request(config, "b", "c");
  changed.getGet().setRevision(revision);
  auto refused = cluster.call(changed);
  REQUIRE_FALSE(error_of(refused));
  CHECK(error_of(refused).error().code == Errc::kCompacted);
}

TEST_CASE("a page from the future is refused, not invented") {
  Cluster cluster;
  auto config = cluster.connect(cluster.leader()).configRequest().send().getConfig();
  auto request = get_request(config, "a", "b");
  request.getGet().setRevision(1000);
  request.initCall().setTimeoutMs(100);
  auto results = cluster.call(request);
  REQUIRE_FALSE(error_of(results));
  CHECK(error_of(results).error().code == Errc::kUnavailable);
}

TEST_CASE("a call repeated under its stamp takes effect once") {
  Cluster cluster;
  auto holdfast = cluster.connect(cluster.leader());
  auto config = holdfast.configRequest().send().getConfig();
  const LeaseId session = grant(cluster, holdfast.leasesRequest().send().getLeases(), milliseconds(60'000));
  std::uint64_t revisions[2] = {};
  for (auto& revision : revisions) {
    auto request = put_request(config, "a", "1");
    request.initCall().setSession(session.value());
    request.getCall().setSequence(1);
    auto results = cluster.call(request);
    REQUIRE(error_of(results));
    revision = results.getOutcome().getOk().getRevision();
  }
  CHECK(revisions[0] == revisions[1]);
  auto results = cluster.call(get_request(config, "a", "b"));
  CHECK(results.getOutcome().getOk().getEntries()[0].getVersion() == 1);
}

}  // namespace holdfast::test
