#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace holdfast::server {

/// Reads a TOML file of options as texts by option name. A key is written like its option, with '-' or '_'
/// between words. `cluster` may also be a table (n1 = "host:port") or an array ("n1=host:port").
/// Errors: kInvalidArgument naming the file and the key or line.
Result<std::map<std::string, std::string>> read_options_file(const std::string& path);

}  // namespace holdfast::server
