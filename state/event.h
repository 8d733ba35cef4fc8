#pragma once

#include <variant>

#include "config/config_table.h"
#include "lock/lock_table.h"
#include "registry/registry_table.h"

namespace holdfast::state {

/// A change that somebody may be watching.
using Event = std::variant<config::Change, registry::Change, lock::Change>;

}  // namespace holdfast::state
