#include "state/machine_impl.h"

namespace holdfast::state {

Machine::Machine(std::uint16_t supported) : impl_(std::make_unique<Impl>(supported)) {}
Machine::~Machine() = default;

Index Machine::applied() const { return impl_->applied; }
Revision Machine::revision() const { return impl_->revision; }
Revision Machine::first_watchable() const { return impl_->first_watchable; }
ClusterTime Machine::time() const { return impl_->time; }
const lease::LeaseTable& Machine::leases() const { return impl_->leases; }
const config::ConfigTable& Machine::config() const { return impl_->config; }
const registry::RegistryTable& Machine::registry() const { return impl_->registry; }
const lock::LockTable& Machine::locks() const { return impl_->locks; }
const History& Machine::history() const { return impl_->history; }
const std::map<MemberId, MemberAddress, std::less<>>& Machine::members() const { return impl_->members; }
std::uint16_t Machine::feature_level() const { return impl_->feature_level; }
std::uint16_t Machine::level_of(MemberId member) const {
  const auto found = impl_->member_levels.find(member);
  return found == impl_->member_levels.end() ? level::kFirst : static_cast<std::uint16_t>(found->second);
}
std::uint64_t Machine::digest() const { return impl_->digest.value(); }

std::vector<std::string> Machine::attachments(LeaseId lease, std::size_t most) const {
  std::vector<std::string> found;
  if (const auto* keys = impl_->config.attached_to(lease)) {
    for (const std::string& key : *keys) {
      if (found.size() >= most) return found;
      found.push_back("key:" + key);
    }
  }
  if (const auto* instances = impl_->registry.attached_to(lease)) {
    for (const auto& [service, id] : *instances) {
      if (found.size() >= most) return found;
      found.push_back("instance:" + service + "/" + id);
    }
  }
  if (const auto* claims = impl_->locks.attached_to(lease)) {
    for (const auto& [lock, claim] : *claims) {
      if (found.size() >= most) return found;
      found.push_back((claim.holds ? "lock:" : "queue:") + lock);
    }
  }
  return found;
}

bool Machine::walk_config(Walk walk) { return impl_->walk_config(walk); }
std::vector<RowChange> Machine::take_config_rows(std::size_t most) { return impl_->take_config_rows(most); }
bool Machine::is_walking_config() const { return impl_->config.lagging().walking(); }
Index Machine::freeze() { return impl_->freeze(); }
std::vector<RowChange> Machine::take_rows(std::size_t most) { return impl_->take_rows(most); }
std::vector<HistoryPack> Machine::take_history(std::size_t most_packs) {
  return impl_->history.take(most_packs);
}
void Machine::image_durable(std::size_t keep_history_bytes) {
  impl_->history.image_durable(keep_history_bytes);
}
bool Machine::trim_history() { return impl_->history.trim(); }
std::size_t Machine::rows_pending() const {
  return impl_->leases.pending() + impl_->config.lagging().lag() + impl_->registry.pending() +
         impl_->locks.pending() + impl_->sessions.pending() + impl_->member_changes.pending() +
         impl_->member_level_changes.pending();
}

Result<void> Machine::load(std::size_t table, const Row& row) { return impl_->load(table, row); }
Revision Machine::history_wanted() const { return impl_->history_wanted(); }
Result<void> Machine::load_history(const Blob& pack) { return impl_->load_history(pack); }
Result<void> Machine::finish_loading() { return impl_->finish_loading(); }

}  // namespace holdfast::state
