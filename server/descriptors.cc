#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace holdfast::server {

namespace {

// Members' connections and strangers at their door (320 at most), two databases with their logs, images under
// way.
constexpr std::size_t kKept = 400;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

std::size_t client_connections(std::size_t wanted, std::size_t descriptors) {
  // With very few of them the half has to do.
  const std::size_t kept = std::min(kKept, descriptors / 2);
  return std::max<std::size_t>(1, std::min(wanted, descriptors - kept));
}

}  // namespace holdfast::server
