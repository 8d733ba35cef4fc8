#pragma once

#include <kj/async.h>

#include "tests/client/fake_service.h"

namespace holdfast::fake {

/// The bootstrap capability of one connection.
schema::Holdfast::Client make_interfaces(Service::Visit visit);

}  // namespace holdfast::fake
