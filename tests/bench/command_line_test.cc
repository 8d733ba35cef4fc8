#include "bench/command_line.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace holdfast::bench;

namespace {

std::optional<CommandLine> read(std::vector<std::string> words) {
  words.insert(words.begin(), "holdfast-bench");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  int status = 0;
  auto line = read_command_line(static_cast<int>(arguments.size()), arguments.data(), status);
  if (!line) CHECK(status == 2);
  return line;
}

}  // namespace

TEST_CASE("options may stand before or behind the operation") {
  for (const auto& words : std::vector<std::vector<std::string>>{{"put", "--rate", "5", "-o", "json"},
                                                                 {"--rate", "5", "-o", "json", "put"}}) {
    const auto line = read(words);
    REQUIRE(line);
    CHECK(line->op == "put");
    CHECK(line->load.rate == 5.0);
    CHECK(line->json);
  }
}

TEST_CASE("a watch has one writer unless another number was given") {
  CHECK(read({"watch"})->load.in_flight == 1);
  CHECK(read({"watch", "--in-flight", "9"})->load.in_flight == 9);
  CHECK(read({"put"})->load.in_flight == 1000);
}

TEST_CASE("a failover has two clients a member and ends by itself") {
  const auto line = read({"failover", "--endpoints", "a:1,b:2,c:3"});
  REQUIRE(line);
  CHECK(line->load.in_flight == 6);
  CHECK(line->load.duration == std::chrono::seconds(10));
  CHECK(line->load.kill_pid == 0);
  CHECK(line->load.kill_signal == SIGKILL);
  CHECK(read({"failover", "--kill", "7", "--stop"})->load.kill_signal == SIGSTOP);
  CHECK(read({"failover", "--kill", "7", "--terminate"})->load.kill_signal == SIGTERM);
}

TEST_CASE("what contradicts itself or names nobody is refused") {
  CHECK_FALSE(read({"put", "--total", "5", "--duration", "5"}));
  CHECK_FALSE(read({"churn", "--live"}));
  CHECK_FALSE(read({"churn", "--live", "--instances", "5", "--total", "5"}));
  CHECK_FALSE(read({"failover", "--kill", "1"}));
  CHECK_FALSE(read({"failover", "--kill", "-1"}));
  CHECK_FALSE(read({"failover", "--kill", "7", "--stop", "--terminate"}));
  CHECK_FALSE(read({"put", "--endpoints", "nowhere"}));
  CHECK_FALSE(read({}));
}
