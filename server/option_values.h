#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/options.h"

namespace holdfast::server {

/// One option: what a text given for it, wherever, does to the options.
struct OptionValue {
  std::string name;         ///< "data-dir"
  std::string placeholder;  ///< empty: it takes no value on the command line
  std::string help;
  std::function<Result<void>(const std::string& text, Options& options)> apply;
};

/// Every option but --config, in the order of the help.
const std::vector<OptionValue>& option_values();

/// What no option can know by itself. Errors: kInvalidArgument.
Result<void> check_together(const Options& options);

}  // namespace holdfast::server
