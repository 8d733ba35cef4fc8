#pragma once

#include <string>
#include <vector>

#include "holdfast/types.h"

/// What the commands say to people. Each function returns whole lines.
namespace holdfast::cli {

/// One key asked for: the value alone, so that $(holdfast get KEY) is the value. A range: a line an entry.
std::string to_text(const client::GetResult& result, const client::GetOptions& asked);
std::string to_text(const client::WatchEvent& event);
std::string to_text(const client::LeaseInfo& lease);
std::string to_text(const std::vector<client::LeaseInfo>& leases);
std::string to_text(const std::vector<client::ServiceInfo>& services);
std::string to_text(const std::string& service, const std::vector<client::Instance>& instances);
std::string to_text(const std::vector<client::LockInfo>& locks);
std::string to_text(const client::ClusterStatus& status);
std::string to_text(const client::Membership& membership);

}  // namespace holdfast::cli
