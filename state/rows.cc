#include "state/rows.h"

namespace holdfast::state {

// In the order of TableId. Durable: a table or a column is only ever added, behind the others, together with
// a new format_version.
const std::vector<TableDescription>& table_descriptions() {
  using enum ColumnType;
  static const std::vector<TableDescription> descriptions = {
      {"meta", {{"name", kText}, {"value", kInteger}}, 1},
      {"leases", {{"id", kInteger}, {"ttl_ms", kInteger}, {"ending", kInteger}}, 1},
      {"config",
       {{"key", kText},
        {"value", kBytes},
        {"create_revision", kInteger},
        {"mod_revision", kInteger},
        {"version", kInteger},
        {"lease", kInteger}},
       1},
      {"instances",
       {{"service", kText},
        {"id", kText},
        {"address", kText},
        {"port", kInteger},
        {"tags", kBytes},
        {"metadata", kBytes},
        {"weight", kInteger},
        {"health", kInteger},
        {"maintenance", kInteger},
        {"lease", kInteger},
        {"mod_revision", kInteger}},
       2},
      {"lock_holders",
       {{"lock", kText},
        {"token", kInteger},
        {"lease", kInteger},
        {"mode", kInteger},
        {"owner", kText},
        {"attempt", kInteger},
        {"since_ms", kInteger}},
       2},
      {"lock_waiters",
       {{"lock", kText},
        {"ticket", kInteger},
        {"lease", kInteger},
        {"mode", kInteger},
        {"owner", kText},
        {"attempt", kInteger},
        {"since_ms", kInteger},
        {"deadline_ms", kInteger}},
       2},
      {"sessions", {{"lease", kInteger}, {"acknowledged_below", kInteger}}, 1},
      {"outcomes", {{"session", kInteger}, {"sequence", kInteger}, {"reply", kBytes}}, 2},
      {"members", {{"id", kInteger}, {"name", kText}, {"client_endpoint", kText}}, 1},
      {"member_levels", {{"id", kInteger}, {"feature_level", kInteger}}, 1},
  };
  return descriptions;
}

}  // namespace holdfast::state
