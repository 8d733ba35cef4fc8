#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "base/rows.h"
#include "node/ports/image_store.h"

namespace holdfast::sim {

struct StoredImage {
  std::map<std::string, std::pair<std::size_t, Row>> rows;  // by table and key
  std::map<Revision, node::HistoryRow> history;             // by first revision
  Index applied;
};

/// An image as one file, so that members can send it to each other in pieces.
std::string to_file(const StoredImage& image);
/// Errors: kCorrupt.
Result<StoredImage> from_file(std::string_view bytes);
std::string digest_of(std::string_view file);

}  // namespace holdfast::sim
