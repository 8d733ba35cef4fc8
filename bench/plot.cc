#include "bench/plot.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace holdfast::bench {
namespace {

constexpr double kWidth = 800, kHeight = 400, kLeft = 70, kRight = 20, kTop = 40, kBottom = 40;
constexpr int kPointsPerNine = 40;

std::string format(const char* pattern, double a, double b, double c = 0, double d = 0) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, a, b, c, d);
  return text;
}

/// Where things are in the drawing.
struct Axes {
  double nines;   // 50 % is at 0.3 of them, 99 % at 2
  double lowest;  // decimal logarithms of microseconds
  double highest;

  double x(double nine) const { return kLeft + (kWidth - kLeft - kRight) * nine / nines; }
  double y(double logarithm) const {
    return kHeight - kBottom - (kHeight - kTop - kBottom) * (logarithm - lowest) / (highest - lowest);
  }
};

double percent_at(double nine) { return 100.0 * (1.0 - std::pow(10.0, -nine)); }
double logarithm(std::uint64_t microseconds) {
  return std::log10(static_cast<double>(std::max<std::uint64_t>(microseconds, 1)));
}

Axes axes_of(const Histogram& latencies) {
  // One point in the last nine: beyond that there is nothing to see.
  const double nines = std::max(1.0, std::ceil(std::log10(static_cast<double>(latencies.count() + 1))));
  const double lowest = std::floor(logarithm(latencies.percentile(0.001)));
  return {nines, lowest, std::max(lowest + 1, std::ceil(logarithm(latencies.max())))};
}

std::string grid(const Axes& axes) {
  std::string lines;
  const auto line = [&](double x1, double y1, double x2, double y2) {
    lines +=
        format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", x1, y1, x2, y2);
  };
  const auto label = [&](double x, double y, const std::string& text, const char* anchor) {
    lines +=
        format("<text x=\"%.1f\" y=\"%.1f\"", x, y) + " text-anchor=\"" + anchor + "\">" + text + "</text>\n";
  };
  for (double nine = 0; nine <= axes.nines; nine += 1) {
    line(axes.x(nine), kTop, axes.x(nine), kHeight - kBottom);
    char text[32];
    std::snprintf(text, sizeof text, "%.*f %%", std::max(0, static_cast<int>(nine) - 2), percent_at(nine));
    label(axes.x(nine), kHeight - kBottom + 18, text, "middle");
  }
  for (double power = axes.lowest; power <= axes.highest; power += 1) {
    line(kLeft, axes.y(power), kWidth - kRight, axes.y(power));
    char text[32];
    std::snprintf(text, sizeof text, "%g ms", std::pow(10.0, power) / 1000);
    label(kLeft - 6, axes.y(power) + 4, text, "end");
  }
  return lines;
}

}  // namespace

std::string draw(const std::string& title, const Histogram& latencies) {
  const Axes axes = axes_of(latencies);
  std::string curve;
  const int points = static_cast<int>(axes.nines) * kPointsPerNine;
  for (int i = 0; i <= points; ++i) {
    const double nine = axes.nines * i / points;
    const double percent = std::max(percent_at(nine), 0.001);
    curve += format("%.1f,%.1f ", axes.x(nine), axes.y(logarithm(latencies.percentile(percent))));
  }
  return format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\"", kWidth, kHeight) +
         " font-family=\"sans-serif\" font-size=\"12\">\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
         grid(axes) + format("<text x=\"%.0f\" y=\"%.0f\" font-size=\"14\">", kLeft, kTop - 16) + title +
         "</text>\n" + "<polyline fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\" points=\"" + curve +
         "\"/>\n</svg>\n";
}

Result<void> write_plot(const std::string& file, const std::string& title, const Histogram& latencies) {
  std::ofstream out(file, std::ios::trunc);
  out << draw(title, latencies);
  out.close();
  if (!out) return fail(Errc::kStorage, "cannot write " + file + ": " + std::strerror(errno));
  return {};
}

}  // namespace holdfast::bench
