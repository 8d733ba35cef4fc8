#pragma once

#include <string>

#include "base/result.h"
#include "bench/histogram.h"

namespace holdfast::bench {

/// A drawing (SVG) of a latency distribution: to the right the percentile, every nine as wide as the one
/// before it, upwards the latency, each power of ten as high as the next.
std::string draw(const std::string& title, const Histogram& latencies);

/// Errors: kStorage, naming the file and why it cannot be written.
Result<void> write_plot(const std::string& file, const std::string& title, const Histogram& latencies);

}  // namespace holdfast::bench
