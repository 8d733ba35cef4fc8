#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/canary.h"
#include "base/check.h"
#include "state/machine_impl.h"
#include "state/row_codec.h"
#include "state/rows.h"

namespace holdfast::state {

namespace {

// 1: the rows of the configuration lack nothing.
constexpr std::uint64_t kImageFormat = 2;

// So few changed keys are brought up by name with the next image.
constexpr std::size_t kFewChanges = 1024;
// At rest a walk over the whole table pays once there was a change for so many of its rows.
constexpr std::size_t kRowsPerChangeAtRest = 8;
// Under load it pays once so many changes came, however small the table: to make them once more at a start
// takes about as long as to load as many rows.
constexpr std::size_t kLeastUnderLoad = 1 << 18;
// What more of them lack is left to the next start, which takes about as long for it as a walk.
constexpr std::size_t kMostLast = 100'000;

// Room is made for, before any of them was seen.
constexpr std::uint64_t kMostExpectedRows = 4 << 20;

/// Of so many rows: from which lag on a walk over all of them pays.
std::size_t least_lag(Machine::Walk walk, std::size_t rows) {
  switch (walk) {
    case Machine::Walk::kUnderLoad:
      return std::max(rows, kLeastUnderLoad);
    case Machine::Walk::kAtIntervals:
      return rows;
    case Machine::Walk::kAtRest:
      return rows / kRowsPerChangeAtRest;
    case Machine::Walk::kLast:
      break;
  }
  return 1;
}

template <typename Key, typename Value>
RowChange row_change(std::size_t table, Key key, const std::optional<Value>& value) {
  RowChange change{table, !value, {}};
  change.cells.reserve(table_descriptions()[table].columns.size());
  add_key(change.cells, std::move(key));
  if (value) add_cells(change.cells, *value);
  return change;
}

template <typename Taken>
void append(std::vector<RowChange>& rows, std::size_t table, std::vector<Taken> taken) {
  for (auto& [key, value] : taken) rows.push_back(row_change(table, std::move(key), value));
}

}  // namespace

Machine::Impl::Meta Machine::Impl::meta() const {
  return {{"format_version", kImageFormat},
          {"applied_index", applied.value()},
          {"revision", revision.value()},
          {"config_revision", config_revision.value()},
          {"config_rows", config.all().size()},
          {"config_rows_revision", config.lagging().through().value()},
          {"history_first_revision", first_watchable.value()},
          {"last_token", locks.last_token().value()},
          {"cluster_time_ms", static_cast<std::uint64_t>(time.count())},
          {"feature_level", feature_level},
          {"digest", digest.value()}};
}

bool Machine::Impl::walk_config(Walk walk) {
  config::LaggingRows& rows = config.lagging();
  if (walk == Walk::kLast && std::min(rows.lag(), config.all().size()) > kMostLast) return false;
  if (rows.walking()) return true;
  if (rows.lag() == 0) return false;
  if (rows.lag() <= kFewChanges && history.first_in_memory() <= rows.through().next()) {
    std::vector<std::string> keys;
    const auto [first, last] = history.since(rows.through().next());
    for (auto change = first; change != last; ++change) keys.emplace_back(change->key());
    std::sort(keys.begin(), keys.end(), std::greater<>());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    rows.begin_few(std::move(keys), revision);
    return true;
  }
  if (rows.lag() >= least_lag(walk, config.all().size())) rows.begin_all(revision);
  return rows.walking();
}

std::vector<RowChange> Machine::Impl::take_config_rows(std::size_t most) {
  std::vector<RowChange> rows;
  append(rows, kConfigTable, config.take_rows(most));
  return rows;
}

Index Machine::Impl::freeze() {
  INVARIANT(frozen_meta_.empty(), "rows of the last image would be lost");
  for (const auto& [name, value] : meta()) {
    frozen_meta_.push_back(row_change(kMetaTable, name, std::optional<std::uint64_t>(value)));
  }
  leases.changes().freeze();
  registry.changes().freeze();
  locks.freeze();
  sessions.changes().freeze();
  sessions.outcome_changes().freeze();
  member_changes.freeze();
  member_level_changes.freeze();
  history.freeze();
  return applied;
}

std::vector<RowChange> Machine::Impl::take_rows(std::size_t most) {
  std::vector<RowChange> rows = std::exchange(frozen_meta_, {});
  const auto left = [&] { return rows.size() < most ? most - rows.size() : 0; };
  append(rows, kLeasesTable, leases.changes().take(leases.all(), left()));
  if (HOLDFAST_CANARY(image_keeps_what_was_deleted))
    std::erase_if(rows, [](const auto& row) { return row.removed; });
  append(rows, kInstancesTable, registry.changes().take(registry.all(), left()));
  append(rows, kLockHoldersTable, locks.take_holders(left()));
  append(rows, kLockWaitersTable, locks.take_waiters(left()));
  append(rows, kSessionsTable, sessions.changes().take(sessions.all(), left()));
  append(rows, kOutcomesTable, sessions.outcome_changes().take(sessions.outcomes(), left()));
  append(rows, kMembersTable, member_changes.take(members, left()));
  append(rows, kMemberLevelsTable, member_level_changes.take(member_levels, left()));
  return rows;
}

Result<void> Machine::Impl::load(std::size_t table, const Row& row) {
  RowReader read(row);
  // The key is read before the rest of the row: an order that arguments of one call would not keep.
  switch (table) {
    case kMetaTable: {
      const std::string name = read.text();
      loaded_meta_[name] = read.number();
      if (name == "config_rows") config.expect(std::min(loaded_meta_[name], kMostExpectedRows));
      break;
    }
    case kLeasesTable: {
      const LeaseId id(read.number());
      leases.load(read_lease(read, id));
      break;
    }
    case kConfigTable: {
      const std::string_view key = read.view();
      config.load(read_put(read, key));
      break;
    }
    case kInstancesTable: {
      std::string service = read.text();
      std::string id = read.text();
      registry.load(std::move(service), read_instance(read, std::move(id)));
      break;
    }
    case kLockHoldersTable: {
      std::string lock = read.text();
      const Token token(read.number());
      locks.load_holder(std::move(lock), read_holder(read, token));
      break;
    }
    case kLockWaitersTable: {
      std::string lock = read.text();
      const lock::Ticket ticket = read.number();
      locks.load_waiter(std::move(lock), read_waiter(read, ticket));
      break;
    }
    case kSessionsTable: {
      const LeaseId session(read.number());
      sessions.load(session, read.number());
      break;
    }
    case kOutcomesTable: {
      const LeaseId session(read.number());
      const std::uint64_t sequence = read.number();
      auto reply = decode_reply(read.bytes());
      if (!reply) read.fail_with(reply.error().message);
      if (reply) sessions.load({session, sequence}, *std::move(reply));
      break;
    }
    case kMembersTable: {
      const MemberId id(read.number());
      MemberAddress& member = members[id];
      member.name = read.text();
      member.client_endpoint = read.text();
      break;
    }
    case kMemberLevelsTable: {
      const MemberId id(read.number());
      member_levels[id] = read.number();
      break;
    }
    default:
      return fail(Errc::kCorrupt, "the image has a table that this version does not know");
  }
  return read.complete(table);
}

Revision Machine::Impl::history_wanted() const {
  const auto rows = loaded_meta_.find("config_rows_revision");
  const auto whole = loaded_meta_.find("revision");  // of format 1, and of a new cluster
  if (rows != loaded_meta_.end()) return Revision(rows->second).next();
  return whole != loaded_meta_.end() ? Revision(whole->second).next() : Revision(1);
}

Result<void> Machine::Impl::load_history(const Blob& pack) {
  const Revision from = history_wanted();
  config.loaded(from.previous(), Revision(loaded_meta_["revision"]));
  auto changes = decode_history(pack);
  if (!changes) return fail(changes.error());
  const auto lacking = std::find_if(changes->begin(), changes->end(),
                                    [from](const auto& change) { return change.revision() >= from; });
  if (lacking == changes->end()) return {};
  if (!HOLDFAST_CANARY(history_not_made_once_more)) config.redo({lacking, changes->end()});
  config_revision = changes->back().revision();
  return {};
}

Result<void> Machine::Impl::finish_loading() {
  const Meta expected = meta();
  if (loaded_meta_.empty() && leases.all().empty() && config.all().empty()) return {};
  loaded_meta_.try_emplace("feature_level", level::kFirst);  // images of before there were levels
  const Revision rows = history_wanted().previous();
  loaded_meta_.try_emplace("config_rows_revision", rows.value());  // format 1
  loaded_meta_.try_emplace("config_revision", rows.value());
  loaded_meta_.try_emplace("config_rows", config.all().size());
  for (const auto& [name, value] : expected) {
    if (!loaded_meta_.contains(name)) {
      return fail(Errc::kCorrupt, "the image's table meta has no row " + name);
    }
  }
  if (const auto format = loaded_meta_["format_version"]; format < 1 || format > kImageFormat) {
    return fail(Errc::kCorrupt, "the image has format " + std::to_string(format) +
                                    "; this version knows formats up to " + std::to_string(kImageFormat));
  }
  if (loaded_meta_["feature_level"] > supported) {
    return fail(Errc::kNotEnabled,
                "the image was written at feature level " + std::to_string(loaded_meta_["feature_level"]) +
                    ", and this version understands levels up to " + std::to_string(supported) +
                    "; start the version of Holdfast that wrote it");
  }
  feature_level = static_cast<std::uint16_t>(loaded_meta_["feature_level"]);
  applied = Index(loaded_meta_["applied_index"]);
  revision = Revision(loaded_meta_["revision"]);
  const Revision changed(loaded_meta_["config_revision"]);
  if (rows > revision || changed > revision || (rows < changed && config_revision != changed)) {
    return fail(Errc::kCorrupt, "the image's history does not lead from revision " +
                                    std::to_string(rows.value()) +
                                    ", up to which the rows of its configuration stand, to " +
                                    std::to_string(changed.value()) + ", its last change");
  }
  config_revision = changed;
  config.loaded(rows, revision);
  first_watchable = Revision(loaded_meta_["history_first_revision"]);
  time = ClusterTime(static_cast<std::int64_t>(loaded_meta_["cluster_time_ms"]));
  digest = RollingDigest(loaded_meta_["digest"]);
  locks.load_last_token(Token(loaded_meta_["last_token"]));
  history.start_at(revision.next());
  loaded_meta_.clear();
  return {};
}

}  // namespace holdfast::state
