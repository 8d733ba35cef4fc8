#pragma once

#include <vector>

#include "state/machine.h"

namespace holdfast::state {

/// Every changed row, those of the configuration brought up, of an image that is taken at once. Its history
/// is still to be taken.
inline std::vector<RowChange> rows_of_image(Machine& machine) {
  std::vector<RowChange> rows;
  const auto add = [&rows](const std::vector<RowChange>& some) {
    rows.insert(rows.end(), some.begin(), some.end());
  };
  machine.walk_config(Machine::Walk::kLast);
  while (machine.is_walking_config()) add(machine.take_config_rows(100));
  machine.freeze();
  for (auto some = machine.take_rows(100); !some.empty(); some = machine.take_rows(100)) add(some);
  return rows;
}

}  // namespace holdfast::state
