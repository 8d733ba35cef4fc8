#pragma once

#include "base/result.h"
#include "holdfast/result.h"

namespace holdfast::sdk {

/// What the user is told.
client::Error to_public(Error error);

}  // namespace holdfast::sdk
