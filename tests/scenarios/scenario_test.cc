#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/scenarios/interpreter.h"

using namespace holdfast::raft::scenarios;

namespace {

std::vector<std::filesystem::path> all_scenarios() {
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator(folder()))
    if (file.path().extension() == ".txt" && file.path().filename() != "CMakeLists.txt")
      found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("every scenario plays as it is written down") {
  const auto scenarios = all_scenarios();
  REQUIRE(scenarios.size() >= 14);
  for (const auto& path : scenarios) {
    DYNAMIC_SECTION(path.stem().string()) {
      const std::string script = read(path);
      const std::string played = play(script);
      // HOLDFAST_REWRITE=1 accepts what happens now: read the difference like code.
      if (std::getenv("HOLDFAST_REWRITE"))
        std::ofstream(path) << played;
      else
        CHECK(played == script);
      CHECK(played.find("  ? ") == std::string::npos);
      CHECK(script.rfind("# ", 0) == 0);  // why it exists
    }
  }
}

TEST_CASE("a scenario that was changed does not play as written") {
  const std::string script = "# Why.\n> members 1\n> tick n1\n  n1 is leader in term 1\n";
  CHECK(play(script) != script);
  CHECK(play(play(script)) == play(script));
}

TEST_CASE("a command that is not understood shows in the transcript") {
  CHECK(play("> dance\n") == "> dance\n  ? no such command\n");
  CHECK(play("> tick n1\n") == "> tick n1\n  ? no such command\n");
}
