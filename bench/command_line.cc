#include "bench/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace holdfast::bench {
namespace {

constexpr int kBadArguments = 2;

/// Times as they are typed.
struct Seconds {
  double duration = 0.0;
  double kill_after = 2.0;
};

Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

/// The options of every operation.
void add_options(CLI::App& app, Load& load, Seconds& seconds) {
  app.add_option("--connections", load.connections, "connections")->check(CLI::Range(1, 10'000));
  app.add_option("--in-flight", load.in_flight, "operations in flight, over all connections")
      ->check(CLI::Range(1, 1'000'000));
  auto* const total = app.add_option("--total", load.total, "operations in all");
  total->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--duration", seconds.duration, "seconds, instead of --total")
      ->check(CLI::Range(0.001, 1e6))
      ->excludes(total);
  app.add_option("--rate", load.rate, "operations a second, whatever becomes of those before: the open loop")
      ->check(CLI::Range(0.001, 1e7));
  app.add_option("--value-size", load.value_bytes, "bytes of a value")->check(CLI::Range(0, 1 << 20));
  app.add_option("--key-space", load.key_space, "number of different keys")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_flag("--spread", load.spread, "Stay on the endpoints given; else calls go to the leader");
  app.add_option("--call-timeout", load.call_timeout, "milliseconds until a call has failed")
      ->check(CLI::Range(1, 600'000));
  app.add_option("--seed", load.seed, "of the sequence of keys");
}

CLI::App* offer(CLI::App& app, Load& load, Op op, const char* name, const char* what) {
  return app.add_subcommand(name, what)->callback([&load, op] { load.op = op; });
}

void add_operations(CLI::App& app, Load& load, Seconds& seconds) {
  auto* const put = offer(app, load, Op::kPut, "put", "durable writes");
  put->add_flag("--in-order", load.in_order, "every key in turn, to fill the key space; else keys at random");
  put->add_option("--delete-percent", load.delete_percent, "of the calls, which remove their key instead")
      ->check(CLI::Range(0, 100));
  offer(app, load, Op::kGet, "get", "reads, linearizable by default")
      ->add_flag("--serializable", load.serializable, "read the connected node's state as it is");
  offer(app, load, Op::kMixed, "mixed", "reads and writes")
      ->add_option("--read-percent", load.read_percent, "of all calls")
      ->check(CLI::Range(0, 100));
  offer(app, load, Op::kLock, "lock", "acquire and release a lock of the lane's own: one operation");
  offer(app, load, Op::kContended, "contended",
        "queue for one lock, release it: one operation, one handover");
  offer(app, load, Op::kLease, "lease", "grant and revoke a lease: one operation");
  const auto leases_per_call = [&load](CLI::App* operation) {
    operation->add_option("--leases-per-call", load.leases_per_call, "leases in a keepalive")
        ->check(CLI::Range(1, 10'000));
  };
  leases_per_call(offer(app, load, Op::kKeepAlive, "keepalive", "keep leases alive; each counts"));

  auto* const watch =
      offer(app, load, Op::kWatch, "watch", "watchers of what is written; each change told counts");
  watch->add_option("--watchers", load.watchers, "watchers, over all connections")
      ->check(CLI::Range(1, 1'000'000));
  watch->add_flag("--own-prefix", load.own_prefix, "Each watches a prefix of its own; else all the same key");
  watch->add_flag("--in-step", load.in_step,
                  "Each write waits until every watcher was told of the one before");

  auto* const churn =
      offer(app, load, Op::kChurn, "churn", "register and deregister an instance: one operation");
  leases_per_call(churn);
  auto* const instances =
      churn->add_option("--instances", load.instances, "registered beforehand, and kept alive");
  instances->check(CLI::Range(1, 10'000'000));
  churn->add_flag("--live", load.live, "Only keep them alive: each lease kept counts")->needs(instances);
  churn->add_option("--ttl", load.ttl, "milliseconds, of their leases")->check(CLI::Range(300, 3'600'000));

  auto* const failover =
      offer(app, load, Op::kFailover, "failover", "writes through all members while one dies");
  failover->add_option("--kill", load.kill_pid, "the process to kill -9: the leader's, say")
      ->check(CLI::Range(2, 1 << 30));
  failover->add_option("--kill-after", seconds.kill_after, "seconds")->check(CLI::Range(0.0, 1e6));
  const auto instead = [&load, failover](const char* flag, int signal, const char* what) {
    return failover->add_flag_callback(
        flag, [&load, signal] { load.kill_signal = signal; }, what);
  };
  auto* const stop = instead("--stop", SIGSTOP, "SIGSTOP it, and SIGCONT at the end, instead of killing it");
  instead("--terminate", SIGTERM, "ask it to end (SIGTERM) instead of killing it")->excludes(stop);
}

/// What suits an operation where nothing else was asked for.
void set_defaults(const CLI::App& app, Load& load) {
  const auto given = [&app](const char* option) { return app.get_option(option)->count() > 0; };
  const bool bounded = given("--total") || given("--duration");
  if (load.op == Op::kWatch) {
    if (!given("--in-flight"))
      load.in_flight = 1;  // back to back: the next write when the last was acknowledged
    if (!bounded) load.total = 1000;
  }
  if (load.op == Op::kFailover) {
    if (!given("--in-flight")) load.in_flight = 2 * load.endpoints.size();
    if (!given("--call-timeout")) load.call_timeout = milliseconds(1000);
    if (!bounded) load.duration = std::chrono::seconds(10);
  }
  if (load.live && !bounded) load.duration = std::chrono::seconds(30);
}

}  // namespace

std::optional<CommandLine> read_command_line(int argc, char** argv, int& status, const Program& program) {
  CLI::App app(program.what, program.name);
  app.require_subcommand(1);
  app.fallthrough();
  CommandLine line;
  Seconds seconds;
  std::string endpoints = "127.0.0.1:2379";
  std::string output = "text";
  app.add_option("--endpoints", endpoints, "HOST:PORT[,...]")->envname("HOLDFAST_ENDPOINTS");
  add_options(app, line.load, seconds);
  add_operations(app, line.load, seconds);
  app.add_option("-o,--output", output, "text or json")->check(CLI::IsMember({"text", "json"}));
  app.add_option("--plot", line.plot, "file (SVG) for a drawing of the latencies");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    status = app.exit(e) == 0 ? 0 : kBadArguments;
    return std::nullopt;
  }
  auto parsed = parse_endpoints(endpoints);
  if (!parsed) {
    std::cerr << program.name << ": " << parsed.error().message << "\n";
    status = kBadArguments;
    return std::nullopt;
  }
  line.load.endpoints = *std::move(parsed);
  line.load.duration = from_seconds(seconds.duration);
  line.load.kill_after = from_seconds(seconds.kill_after);
  set_defaults(app, line.load);
  if (line.load.live && line.load.duration == Duration(0)) {
    std::cerr << "holdfast-bench: churn --live runs for a --duration, not for a --total\n";
    status = kBadArguments;
    return std::nullopt;
  }
  line.json = output == "json";
  line.op = app.get_subcommands().front()->get_name();
  return line;
}

}  // namespace holdfast::bench
