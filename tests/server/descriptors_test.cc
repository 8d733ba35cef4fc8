#include "server/descriptors.h"

#include <catch2/catch.hpp>

namespace holdfast::server {

TEST_CASE(
    "clients get the connections they are meant to have, but never the descriptors that the server needs") {
  CHECK(client_connections(10'000, 1'000'000) == 10'000);
  CHECK(client_connections(10'000, 20'000) == 10'000);
  CHECK(client_connections(10'000, 4096) == 3696);
  CHECK(client_connections(10'000, 64) == 32);
  CHECK(client_connections(5, 64) == 5);
  CHECK(client_connections(10'000, 1) == 1);
}

TEST_CASE("the limit is raised to what the system allows, and stays there") {
  const std::size_t raised = raise_descriptor_limit();
  CHECK(raised > 0);
  CHECK(raise_descriptor_limit() == raised);
}

}  // namespace holdfast::server
