#pragma once

#include <string>

namespace holdfast::server {

/// "holdfastd 0.1.0"
std::string version_text();

}  // namespace holdfast::server
