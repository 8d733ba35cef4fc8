#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/rows.h"
#include "base/time.h"
#include "config/config_table.h"
#include "lease/lease_table.h"
#include "lock/lock_table.h"
#include "registry/registry_table.h"
#include "state/command.h"
#include "state/event.h"
#include "state/feature_level.h"
#include "state/history.h"
#include "state/reply.h"

/// The replicated machine: applies committed commands to the four tables. The same commands give the same
/// tables, replies and events on every member, whatever its clock, its hash seeds or its disk.
namespace holdfast::state {

/// What came of one command. `fresh` is false if it was answered from the session's window and changed
/// nothing.
struct Applied {
  Reply reply;
  std::vector<Event> events;  ///< all at one revision, in the order in which they happened
  bool fresh = true;
  /// Set if a newer version wrote the command: nothing was applied, and this member must not go on, for what
  /// it made of the rest would differ from the others' state.
  std::optional<Error> not_understood;
};

struct MemberAddress {
  std::string name;
  std::string client_endpoint;
  friend bool operator==(const MemberAddress&, const MemberAddress&) = default;
};

class Machine {
 public:
  /// `supported`: the highest feature level that this member understands; lower only in tests.
  explicit Machine(std::uint16_t supported = kSupportedLevel);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Applies the command of the entry at `index`. Requires: index == applied().next().
  /// A command above the cluster's feature level is refused (kNotEnabled), by every member alike.
  /// A command that cannot be decoded is a bug or corruption that was let through: it ends the process.
  Applied apply(Index index, const Blob& command);
  /// What these commands are going to look at is fetched into the processor's cache. Bytes that are no
  /// commands do no harm.
  void prefetch(std::span<const Blob* const> commands) const;
  /// Passes over an entry that is not a command.
  void skip(Index index);
  /// As skip(), for an entry that says who takes part, in whatever part. From level::kForgetsMembers on what
  /// others had announced is forgotten: members() and level_of() know only whom the entry names, until the
  /// next one announces itself.
  void apply_membership(Index index, const std::vector<MemberId>& everybody);

  // Read views.
  Index applied() const;
  Revision revision() const;
  /// The lowest revision that can still be watched from; older history was compacted.
  Revision first_watchable() const;
  /// Of the last command.
  ClusterTime time() const;
  const lease::LeaseTable& leases() const;
  const config::ConfigTable& config() const;
  const registry::RegistryTable& registry() const;
  const lock::LockTable& locks() const;
  const History& history() const;
  const std::map<MemberId, MemberAddress, std::less<>>& members() const;
  /// What may be proposed: feature_level.h.
  std::uint16_t feature_level() const;
  /// The highest level that a member supports, as it announced; the first if it did not.
  std::uint16_t level_of(MemberId member) const;
  /// What hangs on a lease, for people: "key:/a", "instance:web/web-1", "lock:deploy", "queue:deploy". At
  /// most `most`.
  std::vector<std::string> attachments(LeaseId lease, std::size_t most) const;
  /// Rolls over every command, reply and event since the cluster began: equal on all members at the same
  /// index.
  std::uint64_t digest() const;

  // The image: rows as of freeze(), handed over in slices while commands go on being applied. Those of the
  // configuration are handed over before, as they are then, and may lag: config/lagging_rows.h.

  /// What an image does for them.
  enum class Walk {
    kUnderLoad,    ///< so much is written that images are due by that, not by time
    kAtIntervals,  ///< the machine is written to, and images are due by time
    kAtRest,       ///< nothing has changed for a while
    kLast,         ///< this image is the last: all of them, unless the stop would take long
  };
  /// Begins to bring them up, or goes on with it, if that pays now.
  /// Returns: whether take_config_rows() has something to do.
  bool walk_config(Walk walk);
  /// The next ones, at most about `most`; none at the end, and maybe before: is_walking_config() tells.
  std::vector<RowChange> take_config_rows(std::size_t most);
  bool is_walking_config() const;
  /// Returns: the index the image will stand at. Requires: the last frozen image was taken whole.
  Index freeze();
  /// At most about `most` changed rows; empty when all were taken.
  std::vector<RowChange> take_rows(std::size_t most);
  /// As take_rows, for the history.
  std::vector<HistoryPack> take_history(std::size_t most_packs);
  /// The frozen image is durable: the history in memory is to shrink to `keep_history_bytes` of what is in
  /// it.
  void image_durable(std::size_t keep_history_bytes);
  /// Does so by some of it. Returns: true if there is more to drop.
  bool trim_history();
  /// Rows changed since the last freeze(), and changes that the rows of the configuration lack.
  std::size_t rows_pending() const;

  /// Builds a machine from an image: from its rows, in any order, then its history from history_wanted() on,
  /// in order, then finish_loading(); applied() is then the index that freeze() returned. No rows at all make
  /// the machine of a new cluster.
  /// Requires: nothing was applied yet.
  /// Errors: kCorrupt, naming the table; kNotEnabled, if a newer version wrote the image.
  Result<void> load(std::size_t table, const Row& row);
  /// The first revision that the rows may lack. Requires: all rows were given.
  Revision history_wanted() const;
  Result<void> load_history(const Blob& pack);
  Result<void> finish_loading();
  /// Exchanges all state: whoever refers to this machine sees the other's. What was read from either (tables,
  /// entries, iterators) is void.
  void swap(Machine& other) { impl_.swap(other.impl_); }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::state
