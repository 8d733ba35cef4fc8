#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "tests/sim/canaries.h"

namespace holdfast::sim {
namespace {

namespace fs = std::filesystem;

/// The names in every HOLDFAST_CANARY of the production sources.
std::set<std::string> hooks() {
  static const std::regex hook("HOLDFAST_CANARY\\((\\w+)\\)");
  std::set<std::string> names;
  for (const char* module : {"base", "raft", "lease", "lock", "registry", "config", "state", "node",
                             "storage", "client/session"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(HOLDFAST_SOURCE_DIR) / module)) {
      const fs::path& path = entry.path();
      const bool source = path.extension() == ".cc" || path.extension() == ".h";
      if (!source || path.filename() == "canary.h") continue;  // where the macro is defined
      std::ifstream file(entry.path());
      std::string text{std::istreambuf_iterator<char>(file), {}};
      for (std::sregex_iterator i(text.begin(), text.end(), hook), end; i != end; ++i) names.insert((*i)[1]);
    }
  }
  return names;
}

TEST_CASE("every canary has its hooks, and every hook its canary") {
  std::set<std::string> listed;
  for (const Canary& canary : canaries()) listed.insert(std::string(canary.name));
  CHECK(listed.size() == canaries().size());
  CHECK(listed.size() >= 25);
  CHECK(listed == hooks());
}

TEST_CASE("a few canaries, others every day, are killed") {
  // All of them: holdfast-sim --canaries.
  constexpr std::size_t kFew = HOLDFAST_SIM_CANARIES;
  auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  auto day = static_cast<std::size_t>(today.time_since_epoch().count());
  for (std::size_t i = 0; i < kFew; ++i) {
    const Canary& canary = canaries()[(day * kFew + i) % canaries().size()];
    INFO("canary " << canary.name << ": " << canary.story);
    CHECK(hunt(canary).has_value());
  }
}

/// What is compiled into a program.
bool contains(const char* program, const std::string& text) {
  std::ifstream file(program, std::ios::binary);
  REQUIRE(file);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return bytes.find(text) != std::string::npos;
}

TEST_CASE("no hook of a canary is in what ships") {
  // The switch that every hook looks at, by its mangled name: programs keep their symbols in every preset.
  const std::string active = "holdfast6canary6active";
  CHECK(contains(HOLDFAST_SIM_PROGRAM, active));
  CHECK_FALSE(contains(HOLDFASTD_PROGRAM, active));
  CHECK_FALSE(contains(HOLDFAST_PROGRAM, active));
}

}  // namespace
}  // namespace holdfast::sim
