#include "bench/compare/loader.h"

#include <iostream>

#include "bench/command_line.h"
#include "bench/compare/closed_loop.h"
#include "bench/compare/fan_out.h"
#include "bench/report.h"

namespace holdfast::bench {
namespace {

constexpr int kErrors = 1, kBadArguments = 2, kNotRun = 3;

/// Why this cannot be asked of a peer; nothing if it can.
std::string refusal(const CommandLine& line) {
  switch (line.load.op) {
    case Op::kPut:
    case Op::kGet:
    case Op::kLock:
    case Op::kContended:
    case Op::kKeepAlive:
    case Op::kWatch:
    case Op::kFailover:
      break;
    default:
      return line.op + " is an operation of holdfast-bench only";
  }
  if (line.load.op == Op::kFailover && line.load.duration == Duration::zero())
    return "failover lasts for a --duration, not for a --total";
  if (line.load.rate > 0) return "--rate is an option of holdfast-bench only";
  if (line.load.op == Op::kWatch && (!line.load.in_step || line.load.own_prefix || line.load.in_flight > 1))
    return "watch: only --in-step, with one key and one writer";
  if (!line.plot.empty()) return "--plot is an option of holdfast-bench only";
  return {};
}

Result<Figures> run_peer(const Load& load, const OpenPeer& open,
                         const std::function<void(const Progress&)>& tell) {
  if (load.op == Op::kFailover) return run_failover(load, open, tell);
  const auto peer = open(load);
  return load.op == Op::kWatch ? run_fan_out(load, *peer, tell) : run_closed_loop(load, *peer, tell);
}

}  // namespace

int load_peer(int argc, char** argv, const std::string& service, const OpenPeer& open) {
  const Program program{"holdfast-load-" + service,
                        "Loads " + service + " as holdfast-bench loads Holdfast, and measures it."};
  int status = 0;
  const auto line = read_command_line(argc, argv, status, program);
  if (!line) return status;
  if (const std::string why = refusal(*line); !why.empty()) {
    std::cerr << program.name << ": " << why << "\n";
    return kBadArguments;
  }
  const auto tell = [](const Progress& progress) { std::cerr << progress_line(progress) << "\n"; };
  try {
    const auto figures = run_peer(line->load, open, tell);
    if (!figures) {
      std::cerr << program.name << ": " << figures.error().message << "\n";
      return kNotRun;
    }
    if (figures->errors > 0)
      std::cerr << figures->errors << " errors, the first: " << figures->first_error << "\n";
    std::cout << (line->json ? json_line(line->op, *figures) : text_line(line->op, *figures)) << std::endl;
    if (!figures->failed.empty()) std::cerr << program.name << ": " << figures->failed << "\n";
    return spoiled(line->load, *figures) ? kErrors : 0;
  } catch (const std::exception& e) {
    std::cerr << program.name << ": " << e.what() << "\n";
    return kNotRun;
  }
}

}  // namespace holdfast::bench
