#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/load.h"

namespace {

using namespace holdfast;

void print_json(const std::string& op, const bench::Figures& figures, double seconds) {
  const nlohmann::ordered_json object = {
      {"op", op},
      {"count", figures.count},
      {"errors", figures.errors},
      {"seconds", seconds},
      {"rate", seconds > 0 ? static_cast<double>(figures.count) / seconds : 0.0},
      {"p50_us", figures.latencies.percentile(50)},
      {"p99_us", figures.latencies.percentile(99)},
      {"p999_us", figures.latencies.percentile(99.9)},
      {"max_us", figures.latencies.max()},
  };
  std::cout << object.dump() << std::endl;
}

void print_text(const std::string& op, const bench::Figures& figures, double seconds) {
  std::printf(
      "%s: %llu in %.2f s, %.0f a second, %llu errors; p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f "
      "ms\n",
      op.c_str(), static_cast<unsigned long long>(figures.count), seconds,
      seconds > 0 ? static_cast<double>(figures.count) / seconds : 0.0,
      static_cast<unsigned long long>(figures.errors),
      static_cast<double>(figures.latencies.percentile(50)) / 1000,
      static_cast<double>(figures.latencies.percentile(99)) / 1000,
      static_cast<double>(figures.latencies.percentile(99.9)) / 1000,
      static_cast<double>(figures.latencies.max()) / 1000);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads a Holdfast cluster and measures it.", "holdfast-bench");
  app.require_subcommand(1);
  app.fallthrough();
  bench::Load load;
  std::string endpoints = "127.0.0.1:2379";
  std::string output = "text";
  app.add_option("--endpoints", endpoints, "HOST:PORT[,...]")->envname("HOLDFAST_ENDPOINTS");
  app.add_option("--connections", load.connections, "connections")->check(CLI::Range(1, 10'000));
  app.add_option("--in-flight", load.in_flight, "calls in flight, over all connections")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--total", load.total, "calls in all")->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--value-size", load.value_bytes, "bytes of a value")->check(CLI::Range(0, 1 << 20));
  app.add_option("--key-space", load.key_space, "number of different keys")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_flag("--spread", load.spread, "Stay on the endpoints given; else calls go to the leader");
  app.add_option("--seed", load.seed, "of the sequence of keys");
  app.add_option("-o,--output", output, "text or json")->check(CLI::IsMember({"text", "json"}));
  const auto offer = [&](bench::Op op, const char* name, const char* what) {
    return app.add_subcommand(name, what)->callback([&load, op] { load.op = op; });
  };
  offer(bench::Op::kPut, "put", "durable writes");
  offer(bench::Op::kGet, "get", "reads, linearizable by default")
      ->add_flag("--serializable", load.serializable, "read the connected node's state as it is");
  offer(bench::Op::kMixed, "mixed", "reads and writes")
      ->add_option("--read-percent", load.read_percent, "of all calls")
      ->check(CLI::Range(0, 100));
  offer(bench::Op::kLock, "lock", "acquire and release a lock of the lane's own: one operation");
  offer(bench::Op::kContended, "contended", "queue for one lock, release it: one operation, one handover");
  offer(bench::Op::kKeepAlive, "keepalive", "keep leases alive; each counts")
      ->add_option("--leases-per-call", load.leases_per_call, "leases in a call")
      ->check(CLI::Range(1, 10'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  auto parsed = parse_endpoints(endpoints);
  if (!parsed) {
    std::cerr << "holdfast-bench: " << parsed.error().message << "\n";
    return 2;
  }
  load.endpoints = *std::move(parsed);
  const auto figures =
      bench::run(load, [&](std::uint64_t done) { std::cerr << done << "/" << load.total << " answered\n"; });
  if (!figures) {
    std::cerr << "holdfast-bench: " << figures.error().message << "\n";
    return 3;
  }
  if (figures->errors > 0)
    std::cerr << figures->errors << " errors, the first: " << figures->first_error << "\n";
  const double seconds = std::chrono::duration<double>(figures->elapsed).count();
  const std::string op = app.get_subcommands().front()->get_name();
  output == "json" ? print_json(op, *figures, seconds) : print_text(op, *figures, seconds);
  return figures->errors == 0 ? 0 : 1;
}
