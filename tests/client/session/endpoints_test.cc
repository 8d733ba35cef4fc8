#include "client/session/endpoints.h"

#include <catch2/catch.hpp>
#include <set>

using namespace holdfast;
using holdfast::session::Endpoints;

namespace {
Instant at(int ms) { return Instant(milliseconds(ms)); }
Endpoints three() { return Endpoints({"a:1", "b:1", "c:1"}, Random(1)); }
}  // namespace

TEST_CASE("failed members are left alone while others are tried in turn") {
  Endpoints endpoints = three();
  CHECK(endpoints.next(at(0)) == "a:1");
  endpoints.failed("a:1", "connection refused", at(0));
  CHECK(endpoints.next(at(0)) == "b:1");
  endpoints.failed("b:1", "connection refused", at(0));
  CHECK(endpoints.next(at(0)) == "c:1");
  endpoints.failed("c:1", "connection refused", at(0));
  CHECK_FALSE(endpoints.next(at(0)));
  CHECK(endpoints.ready_at() > at(0));
  CHECK(endpoints.next(endpoints.ready_at()));
}

TEST_CASE("the member that answered last is preferred, until it fails") {
  Endpoints endpoints = three();
  endpoints.failed(*endpoints.next(at(0)), "refused", at(0));
  endpoints.succeeded("b:1");
  CHECK(endpoints.next(at(5000)) == "b:1");
  CHECK(endpoints.next(at(5000)) == "b:1");
  endpoints.failed("b:1", "reset", at(5000));
  CHECK(endpoints.next(at(5000)) != "b:1");
}

TEST_CASE("a member that was learnt is preferred once it has answered") {
  Endpoints endpoints = three();
  endpoints.learn("leader:1");
  CHECK(endpoints.next(at(0)) == "a:1");
  endpoints.succeeded("leader:1");
  CHECK(endpoints.next(at(0)) == "leader:1");
  endpoints.failed("leader:1", "refused", at(0));
  CHECK(endpoints.next(at(0)) == "b:1");
}

TEST_CASE("members that were learnt take over when all that were configured fail") {
  Endpoints endpoints({"a:1"}, Random(1));
  endpoints.learn("b:1");
  endpoints.learn("b:1");
  CHECK(endpoints.size() == 2);
  CHECK(endpoints.next(at(0)) == "a:1");
  endpoints.failed("a:1", "refused", at(0));
  CHECK(endpoints.next(at(0)) == "b:1");
}

TEST_CASE("the pause after a failure doubles up to a bound and ends with a success") {
  Endpoints endpoints({"a:1"}, Random(3), {milliseconds(100), milliseconds(1000)});
  Duration last(0);
  for (int i = 0; i < 10; ++i) {
    endpoints.failed("a:1", "refused", at(0));
    last = endpoints.ready_at() - at(0);
    CHECK(last <= milliseconds(1000));
    CHECK(last >= milliseconds(50));
  }
  CHECK(last >= milliseconds(500));
  endpoints.succeeded("a:1");
  CHECK(endpoints.next(at(0)) == "a:1");
}

TEST_CASE("clients with different seeds come back at different times") {
  std::set<Instant> times;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Endpoints endpoints({"a:1"}, Random(seed));
    endpoints.failed("a:1", "reset", at(0));
    times.insert(endpoints.ready_at());
  }
  CHECK(times.size() > 10);
}

TEST_CASE("the description names every endpoint and what happened to it") {
  Endpoints endpoints = three();
  endpoints.failed("a:1", "connection refused", at(0));
  endpoints.succeeded("b:1");
  CHECK(endpoints.describe() == "a:1 (connection refused), b:1 (connected), c:1 (not tried)");
  CHECK(Endpoints({}, Random(1)).describe() == "no endpoints");
  CHECK(Endpoints({}, Random(1)).ready_at() == kNever);
}
