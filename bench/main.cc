#include <iostream>

#include "bench/command_line.h"
#include "bench/load.h"
#include "bench/plot.h"
#include "bench/report.h"

namespace {

using namespace holdfast;

constexpr int kErrors = 1, kNotRun = 3;

/// Figures that are not what was asked for.
}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto line = bench::read_command_line(argc, argv, status);
  if (!line) return status;
  const auto figures = bench::run(line->load, [](const bench::Progress& progress) {
    std::cerr << bench::progress_line(progress) << "\n";
  });
  if (!figures) {
    std::cerr << "holdfast-bench: " << figures.error().message << "\n";
    return kNotRun;
  }
  if (figures->errors > 0)
    std::cerr << figures->errors << " errors, the first: " << figures->first_error << "\n";
  if (!figures->failed.empty()) std::cerr << "holdfast-bench: " << figures->failed << "\n";
  const std::string text = bench::text_line(line->op, *figures);
  if (!line->plot.empty()) {
    if (auto written = bench::write_plot(line->plot, text, figures->latencies); !written) {
      std::cerr << "holdfast-bench: " << written.error().message << "\n";
      status = kErrors;
    }
  }
  std::cout << (line->json ? bench::json_line(line->op, *figures) : text) << std::endl;
  return bench::spoiled(line->load, *figures) ? kErrors : status;
}
