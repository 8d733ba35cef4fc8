#pragma once

#include <string>
#include <utility>

#include "node/ports/image_store.h"

/// A pack of history as a machine hands it over; to storage its bytes are just bytes.
inline holdfast::node::HistoryPack history_pack(std::uint64_t first, std::uint64_t last, std::string bytes) {
  return {holdfast::Revision(first), holdfast::Revision(last),
          [bytes = std::move(bytes)] { return holdfast::Blob(bytes); }};
}
