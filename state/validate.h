#pragma once

#include "base/result.h"
#include "state/command.h"

namespace holdfast::state {

/// Whether a client may ask for this: every limit of base/limits.h that one operation can meet, and what can
/// never make sense. Asked at the door and again where a command is proposed. The machine itself bears
/// anything that decode() accepts.
/// Errors: kLimitExceeded, kInvalidArgument; the message names the thing, the limit and the way out.
Result<void> validate(const Operation& operation);

}  // namespace holdfast::state
