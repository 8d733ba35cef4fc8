#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/random.h"
#include "tests/fuzz/targets.h"

/// The fuzzers' corpora and what they found, without a fuzzer: part of every build and every run of the
/// tests.
namespace holdfast::fuzz {
namespace {

namespace fs = std::filesystem;

const Target& target(const std::string& name) {
  const auto& all = targets();
  return *std::find_if(all.begin(), all.end(), [&](const Target& one) { return one.name == name; });
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> inputs_of(const std::string& name) {
  std::vector<std::string> inputs;
  for (const char* folder : {"corpus", "regressions"}) {
    const fs::path path = fs::path(HOLDFAST_FUZZ_INPUTS) / folder / name;
    if (!fs::is_directory(path)) continue;
    std::vector<fs::path> files(fs::directory_iterator(path), fs::directory_iterator{});
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) inputs.push_back(contents(file));
  }
  return inputs;
}

/// A few bytes changed, a part left out or doubled, or the rest of another input behind a part of this one.
std::string mutated(const std::vector<std::string>& inputs, Random& random) {
  std::string bytes = inputs[random.below(inputs.size())];
  if (bytes.empty()) return bytes;
  const std::size_t at = random.below(bytes.size());
  const std::size_t length = random.below(std::min<std::size_t>(bytes.size() - at, 32)) + 1;
  switch (random.below(4)) {
    case 0:
      for (std::uint64_t i = random.below(4) + 1; i > 0; --i) {
        bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
      }
      return bytes;
    case 1:
      return bytes.erase(at, length);
    case 2:
      return bytes.insert(at, bytes.substr(at, length));
    default: {
      const std::string& other = inputs[random.below(inputs.size())];
      return bytes.substr(0, at) + other.substr(random.below(other.size() + 1));
    }
  }
}

/// Everything that was kept, and as many variations of it as fit half a second.
void replay(const std::string& name) {
  const Target& tried = target(name);
  std::vector<std::string> inputs = inputs_of(name);
  REQUIRE(inputs.size() >= 5);
  for (const std::string& input : inputs) tried.run(input);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  Random random(1);
  std::size_t variations = 0;
  do {
    tried.run(mutated(inputs, random));
    ++variations;
  } while (std::chrono::steady_clock::now() < until);
  CHECK(variations > 10);
}

}  // namespace

TEST_CASE("no bytes of a peer harm a member") { replay("peer_frame"); }
TEST_CASE("no bytes of a client harm a node") { replay("rpc_stream"); }
TEST_CASE("no command that can be read harms the machine, or parts two of them") { replay("apply"); }
TEST_CASE("no rows of an image harm the machine they are loaded into") { replay("snapshot_rows"); }
TEST_CASE("no bytes of a write-ahead log harm the scan") { replay("wal_scan"); }

/// test_fuzz "[write]": writes the seeds anew, after a format has changed.
TEST_CASE("the targets' own seeds are written to the corpora", "[.write]") {
  for (const Target& one : targets()) {
    const fs::path folder = fs::path(HOLDFAST_FUZZ_INPUTS) / "corpus" / one.name;
    fs::create_directories(folder);
    int number = 0;
    for (const std::string& seed : one.seeds()) {
      const std::string name = "seed-" + std::to_string(number++);
      std::ofstream(folder / name, std::ios::binary) << seed;
    }
    CHECK(number > 0);
  }
}

TEST_CASE("every target's seeds do no harm either") {
  for (const Target& one : targets()) {
    INFO(one.name);
    const auto seeds = one.seeds();
    CHECK(seeds.size() >= 5);
    for (const std::string& seed : seeds) one.run(seed);
  }
}

}  // namespace holdfast::fuzz
