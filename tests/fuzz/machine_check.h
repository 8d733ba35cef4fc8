#pragma once

#include <vector>

#include "base/rows.h"
#include "state/machine.h"

namespace holdfast::fuzz {

/// All rows of the machine's image as of now. The history's rows are read as well.
std::vector<RowChange> image_of(state::Machine& machine);

/// Ends everything that hangs on a lease, and uses what is left.
void go_on(state::Machine& machine);

/// The image of the machine makes a machine that is equal to it, and goes on like it.
void check_image(state::Machine& machine);

}  // namespace holdfast::fuzz
