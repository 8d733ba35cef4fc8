#pragma once

#include "holdfast/client.h"
#include "tests/client/fake_service.h"

namespace holdfast::fake {

/// Of a client that reaches all members, and soon gives up. Without a time to live it has no session.
inline client::Options options_for(const Service& service,
                                   std::chrono::milliseconds session_ttl = std::chrono::milliseconds(0)) {
  client::Options options;
  options.endpoints = service.endpoints();
  options.connect_timeout = std::chrono::milliseconds(500);
  options.call_timeout = std::chrono::seconds(2);
  options.session_ttl = session_ttl;
  return options;
}

}  // namespace holdfast::fake
