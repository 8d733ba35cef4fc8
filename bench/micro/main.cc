#include <benchmark/benchmark.h>

#include "bench/micro/benchmarks.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  holdfast::bench::register_core_step();
  holdfast::bench::register_log_append();
  holdfast::bench::register_table_apply();
  holdfast::bench::register_codec();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
