#pragma once

#include <map>
#include <string>
#include <vector>

#include "state/machine.h"
#include "state/rolling_digest.h"
#include "state/sessions.h"

namespace holdfast::state {

/// The machine's parts. apply() and what it dispatches to are in machine.cc, one function an operation; the
/// way to the image and back is in machine_image.cc.
class Machine::Impl {
 public:
  explicit Impl(std::uint16_t supported_in)
      : supported(supported_in), is_live([this](LeaseId id) { return leases.is_live(id); }) {}

  // Constant after construction.
  const std::uint16_t supported;

  Reply run(Command& command);
  std::vector<Event> publish();
  void forget_all_but(const std::vector<MemberId>& everybody);

  bool walk_config(Walk walk);
  std::vector<RowChange> take_config_rows(std::size_t most);
  Index freeze();
  std::vector<RowChange> take_rows(std::size_t most);
  Result<void> load(std::size_t table, const Row& row);
  Revision history_wanted() const;
  Result<void> load_history(const Blob& pack);
  Result<void> finish_loading();

  // The replicated state.
  Index applied;
  Revision revision;
  Revision config_revision;  // of the last change of the configuration
  Revision first_watchable{1};
  std::uint16_t feature_level = level::kFirst;
  ClusterTime time{0};
  RollingDigest digest;
  lease::LeaseTable leases;
  config::ConfigTable config;
  registry::RegistryTable registry;
  lock::LockTable locks;
  Sessions sessions;
  std::map<MemberId, MemberAddress, std::less<>> members;
  ChangedRows<MemberId, MemberAddress> member_changes;
  std::map<MemberId, std::uint64_t, std::less<>> member_levels;
  ChangedRows<MemberId, std::uint64_t> member_level_changes;
  History history;

 private:
  Reply perform(const GrantLease& grant);
  Reply perform(const RevokeLease& revoke);
  Reply perform(const EndLeases& end);
  Reply perform(const config::Put& put);
  Reply perform(const config::Delete& remove);
  Reply perform(RegisterInstance& wish);
  Reply perform(const DeregisterInstance& wish);
  Reply perform(const lock::Acquire& acquire);
  Reply perform(const CancelAcquire& cancel);
  Reply perform(const ReleaseLock& release);
  Reply perform(const TimeOutWaiters& time_out);
  Reply perform(const AnnounceMember& announce);
  Reply perform(const RaiseFeatureLevel& raise);

  /// Removes what is attached to leases that are ending, at most limits::kLeaseEndBatch things, and the
  /// leases that have nothing left.
  void sweep(const std::vector<LeaseId>& ending);
  std::size_t detach(LeaseId lease, std::size_t most);
  bool has_attachments(LeaseId lease) const;
  /// The revision of the running command's events, should it have any.
  Revision at() const { return revision.next(); }
  /// The revision that the running command leaves behind, going by its events up to now.
  Revision left_at() const;
  lock::LockTable::Moment moment() const { return {at(), time, is_live}; }

  const lock::LockTable::IsLive is_live;

  // What the running command changed; empty between two commands.
  std::vector<config::Change> config_changes_;
  std::vector<registry::Change> registry_changes_;
  std::vector<lock::Change> lock_changes_;

  // What the frozen image says of the machine as a whole.
  using Meta = std::map<std::string, std::uint64_t, std::less<>>;
  Meta meta() const;
  std::vector<RowChange> frozen_meta_;
  Meta loaded_meta_;
};

}  // namespace holdfast::state
