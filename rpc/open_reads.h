#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/ids.h"
#include "config/config_table.h"

/// A large read is answered in pages, all at the revision of the first. What is left of it is kept here:
/// rows that are shared with the table, so that a writer does not disturb the reader. Bounded in
/// number, entries and bytes; the longest unused goes first, and any goes after a while. A reader that comes
/// back too late is told so, and begins again. docs/decisions/0012-paged-reads.md
namespace holdfast::rpc {

class OpenReads {
 public:
  using Entries = std::vector<config::Change>;

  struct Bounds {
    std::size_t reads = 256;
    std::size_t entries = 1'000'000;       ///< of all
    std::size_t entries_of_one = 250'000;  ///< copying more would hold up the loop
    std::size_t bytes = std::size_t{256} << 20;
    kj::Duration idle = 30 * kj::SECONDS;
  };

  explicit OpenReads(kj::Timer& timer) : OpenReads(timer, Bounds()) {}
  OpenReads(kj::Timer& timer, Bounds bounds) : timer_(timer), bounds_(bounds), expiry_(nullptr) {}

  const Bounds& bounds() const { return bounds_; }
  /// Keeps what follows the first page of a read of [.., `end`) at `revision`: all of it, up to the end of
  /// the range. Nothing if it is too large.
  void keep(Revision revision, std::string after, std::string end, Entries rest);
  struct Rest {
    Entries::const_iterator first;
    Entries::const_iterator last;
  };
  /// What is left of that read from range.begin on; false if it is not kept. Valid until the next call.
  bool find(Revision revision, const config::KeyRange& range, Rest& rest);
  /// The reader has the last page.
  void finish(Revision revision, const std::string& end);

  std::size_t size() const { return reads_.size(); }

 private:
  struct Read {
    Revision revision;
    std::string after;  // of what is up to here, it knows nothing
    std::string end;
    Entries entries;
    std::size_t bytes = 0;
    kj::TimePoint used;
  };

  void drop_first();
  void arm();
  kj::Promise<void> expire();

  kj::Timer& timer_;
  const Bounds bounds_;
  std::list<Read> reads_;  // the longest unused first
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
  bool armed_ = false;
  kj::Promise<void> expiry_;
};

}  // namespace holdfast::rpc
