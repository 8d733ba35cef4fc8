#include "bench/report.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/plot.h"

using namespace holdfast::bench;

namespace {

Figures some_figures() {
  Figures figures;
  for (std::uint64_t i = 1; i <= 1000; ++i) figures.latencies.record(10 * i);
  figures.count = 1000;
  figures.errors = 2;
  figures.elapsed = std::chrono::milliseconds(500);
  figures.extras.push_back({"writes", 7});
  return figures;
}

/// Heights of the curve's points, from left to right.
std::vector<double> curve_of(const std::string& drawing) {
  std::vector<double> heights;
  std::size_t at = drawing.find("points=\"") + 8;
  const std::size_t end = drawing.find('"', at);
  while (at + 1 < end) {
    const std::size_t comma = drawing.find(',', at);
    heights.push_back(std::stod(drawing.substr(comma + 1)));
    at = drawing.find(' ', comma) + 1;
  }
  return heights;
}

}  // namespace

TEST_CASE("the object has the keys that scripts read, in order, and then the operation's own") {
  const auto object = nlohmann::ordered_json::parse(json_line("watch", some_figures()));
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  CHECK(keys == std::vector<std::string>{"op", "count", "errors", "seconds", "rate", "p50_us", "p99_us",
                                         "p999_us", "max_us", "writes"});
  CHECK(object["op"] == "watch");
  CHECK(object["rate"] == 2000.0);
  CHECK(object["max_us"] == 10'000);
  CHECK(object["writes"] == 7);
}

TEST_CASE("a run without a success still prints numbers") {
  const auto object = nlohmann::json::parse(json_line("put", Figures()));
  CHECK(object["rate"] == 0.0);
  CHECK(object["p50_us"] == 0);
}

TEST_CASE("the drawing's curve rises from the lowest latency to the highest") {
  const std::string drawing = draw("title", some_figures().latencies);
  CHECK(drawing.find(">title<") != std::string::npos);
  CHECK(drawing.find(">99.9 %<") != std::string::npos);
  const std::vector<double> heights = curve_of(drawing);
  REQUIRE(heights.size() > 100);
  CHECK(std::is_sorted(heights.rbegin(), heights.rend()));  // upwards is towards 0
  CHECK(heights.front() > heights.back() + 100);
}

TEST_CASE("an empty distribution can be drawn, and a file that cannot be written is named") {
  CHECK(curve_of(draw("nothing", Histogram())).size() > 1);
  const auto written = write_plot("/nonexistent/folder/plot.svg", "title", Histogram());
  REQUIRE_FALSE(written);
  CHECK(written.error().message.find("/nonexistent/folder/plot.svg") != std::string::npos);
}
