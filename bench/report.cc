#include "bench/report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace holdfast::bench {
namespace {

double milliseconds_of(std::uint64_t microseconds) { return static_cast<double>(microseconds) / 1000; }

}  // namespace

std::string json_line(const std::string& op, const Figures& figures) {
  nlohmann::ordered_json object = {
      {"op", op},
      {"count", figures.count},
      {"errors", figures.errors},
      {"seconds", figures.seconds()},
      {"rate", figures.rate()},
      {"p50_us", figures.latencies.percentile(50)},
      {"p99_us", figures.latencies.percentile(99)},
      {"p999_us", figures.latencies.percentile(99.9)},
      {"max_us", figures.latencies.max()},
  };
  for (const Extra& extra : figures.extras) object[extra.name] = extra.value;
  return object.dump();
}

std::string text_line(const std::string& op, const Figures& figures) {
  char line[256];
  std::snprintf(
      line, sizeof line,
      "%s: %llu in %.2f s, %.0f a second, %llu errors; p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms",
      op.c_str(), static_cast<unsigned long long>(figures.count), figures.seconds(), figures.rate(),
      static_cast<unsigned long long>(figures.errors), milliseconds_of(figures.latencies.percentile(50)),
      milliseconds_of(figures.latencies.percentile(99)), milliseconds_of(figures.latencies.percentile(99.9)),
      milliseconds_of(figures.latencies.max()));
  std::string text = line;
  for (const Extra& extra : figures.extras) text += "; " + extra.name + " " + std::to_string(extra.value);
  return text;
}

std::string progress_line(const Progress& progress) {
  char line[128];
  std::snprintf(line, sizeof line, "%.0f s: %llu done, %.0f a second now, %llu errors",
                std::chrono::duration<double>(progress.elapsed).count(),
                static_cast<unsigned long long>(progress.count), progress.rate,
                static_cast<unsigned long long>(progress.errors));
  return line;
}

}  // namespace holdfast::bench
