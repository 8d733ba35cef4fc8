#include "server/version.h"

namespace holdfast::server {

std::string version_text() { return "holdfastd " HOLDFAST_VERSION; }

}  // namespace holdfast::server
