#include "base/endpoint.h"

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("an endpoint is read and written the same") {
  for (const char* text : {"127.0.0.1:2379", "node-1.example:80", "[::1]:2380", "localhost:0"}) {
    const auto endpoint = parse_endpoint(text);
    REQUIRE(endpoint);
    CHECK(endpoint->to_string() == text);
  }
}

TEST_CASE("a wrong endpoint is named in the error") {
  for (const char* text :
       {"127.0.0.1", ":2379", "host:", "host:65536", "host:-1", "host:1x", "::1:2379", "[]:1"}) {
    const auto endpoint = parse_endpoint(text);
    REQUIRE_FALSE(endpoint);
    CHECK(endpoint.error().code == Errc::kInvalidArgument);
    CHECK(endpoint.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("a list of endpoints is separated by commas and never empty") {
  CHECK(parse_endpoints("a:1,b:2")->size() == 2);
  CHECK_FALSE(parse_endpoints(""));
  CHECK_FALSE(parse_endpoints("a:1,,b:2"));
}
