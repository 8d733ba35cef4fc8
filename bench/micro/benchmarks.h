#pragma once

/// What holdfast-micro measures, a function a file: each registers its benchmarks with Google Benchmark.
namespace holdfast::bench {

void register_core_step();
void register_log_append();
void register_table_apply();
void register_codec();

}  // namespace holdfast::bench
