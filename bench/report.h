#pragma once

#include <string>

#include "bench/load.h"

/// What a run prints.
namespace holdfast::bench {

/// One object in one line, without its end: op, count, errors, seconds, rate, p50_us, p99_us, p999_us,
/// max_us, and then the extras.
std::string json_line(const std::string& op, const Figures& figures);
std::string text_line(const std::string& op, const Figures& figures);
std::string progress_line(const Progress& progress);

}  // namespace holdfast::bench
