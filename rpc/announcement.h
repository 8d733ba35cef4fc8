#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "config/change.h"
#include "net/direct_line.h"

namespace holdfast::rpc {

/// What watchers of the configuration are told, written once for all that are told the same in a row.
class Announcement {
 public:
  using Change = config::Change;

  /// The call that tells of the changes in [first, last), of `bytes` about, and where to resume. Valid until
  /// the next.
  net::SharedCall& of(const Change* first, const Change* last, std::size_t bytes, Revision next);

 private:
  std::vector<Change> changes_;
  Revision next_;
  std::optional<net::SharedCall> call_;
};

}  // namespace holdfast::rpc
