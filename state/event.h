#pragma once

#include <memory>
#include <variant>

#include "config/config_table.h"
#include "lock/lock_table.h"
#include "registry/registry_table.h"

namespace holdfast::state {

/// Owners: the history, the events of one apply, and every watcher's queue.
using SharedChange = std::shared_ptr<const config::Change>;

/// A change that somebody may be watching. Never holds a null SharedChange.
using Event = std::variant<SharedChange, registry::Change, lock::Change>;

}  // namespace holdfast::state
