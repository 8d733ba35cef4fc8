#include "storage/log_database.h"

#include <algorithm>
#include <utility>

#include "base/canary.h"
#include "base/check.h"
#include "schema/membership.h"
#include "storage/crc32c.h"
#include "storage/failure.h"
#include "storage/identity_table.h"

namespace holdfast::storage {
namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE log (
    first_index INTEGER PRIMARY KEY,
    last_index INTEGER NOT NULL,
    term INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    entries BLOB NOT NULL
  ) STRICT;
  CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    term INTEGER NOT NULL,
    voted_for INTEGER NOT NULL,
    base_index INTEGER NOT NULL,
    base_term INTEGER NOT NULL,
    base_pack INTEGER NOT NULL,
    base_chain INTEGER NOT NULL,
    image_file TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    cluster INTEGER NOT NULL,
    member INTEGER NOT NULL,
    name TEXT NOT NULL,
    data_id TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE members (
    stage TEXT NOT NULL CHECK (stage IN ('founding', 'base')),
    part TEXT NOT NULL CHECK (part IN ('voter', 'outgoing_voter', 'learner')),
    place INTEGER NOT NULL,
    member INTEGER NOT NULL,
    name TEXT NOT NULL,
    peer_address TEXT NOT NULL,
    data_id TEXT NOT NULL,
    PRIMARY KEY (stage, part, place)
  ) STRICT, WITHOUT ROWID;
)";

// "HfLg"
constexpr Format kLogFormat{"log", 0x48664c67, 3, kSchema, kLogPageBytes};

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw StorageFailure(Errc::kCorrupt,
                       "the log \"" + path + "\" is damaged: " + what + ". " + kReplaceMember);
}

}  // namespace

LogDatabase::LogDatabase(const Location& location)
    : connection_(open_database(location, kLogFormat)),
      state_table_(std::make_unique<LogStateTable>(*connection_)),
      table_(std::make_unique<LogTable>(*connection_)) {}

LogDatabase::~LogDatabase() = default;

std::optional<Identity> LogDatabase::identity() { return read_identity(*connection_); }

Identity LogDatabase::set_identity(Identity identity) {
  identity.data_id = draw_data_id(*connection_);
  Transaction transaction(*connection_);
  write_identity(*connection_, identity);
  transaction.commit();
  return identity;
}

// --- Reading

std::vector<raft::Entry> LogDatabase::read_entries() {
  std::vector<raft::Entry> entries;
  last_index_ = state_.base_pack.previous();
  last_chain_ = state_.base_chain;
  table_->read_from(state_.base_pack, [&](const LogPack& pack) {
    if (pack.first != last_index_.next()) {
      damaged(connection_->path(), "entry " + std::to_string(last_index_.next().value()) + " is missing");
    }
    if (chain_of(pack, last_chain_) != pack.chain) {
      damaged(connection_->path(), "the checksum of the entries from " + std::to_string(pack.first.value()) +
                                       " on does not match");
    }
    last_chain_ = pack.chain;
    unpack(pack, entries);
  });
  if (last_index_ < state_.base_index) {
    damaged(connection_->path(), "entry " + std::to_string(last_index_.next().value()) + " is missing");
  }
  return entries;
}

/// Those above the base are added to `entries`.
void LogDatabase::unpack(const LogPack& pack, std::vector<raft::Entry>& entries) {
  PackReader reader(pack.entries);
  while (const std::optional<PackedEntry> packed = reader.next()) {
    last_index_ = last_index_.next();
    if (last_index_ <= state_.base_index) continue;
    raft::Entry entry{pack.term, last_index_, packed->kind, {}};
    take_payload(entry, packed->payload);
    entries.push_back(std::move(entry));
  }
  if (!reader.at_end() || last_index_ != pack.last) {
    damaged(connection_->path(), "the entries from " + std::to_string(pack.first.value()) + " to " +
                                     std::to_string(pack.last.value()) + " are not in their row");
  }
}

void LogDatabase::take_payload(raft::Entry& entry, std::string_view payload) const {
  if (entry.kind != raft::EntryKind::kMembership) {
    entry.payload = Blob(payload);
    return;
  }
  Result<raft::Membership> membership = schema::decode_membership(payload);
  if (!membership) {
    damaged(connection_->path(), "entry " + std::to_string(entry.index.value()) + " holds no membership");
  }
  entry.membership = std::make_shared<const raft::Membership>(*std::move(membership));
}

LogContents LogDatabase::load() {
  // Pages, cells and free list; what is in them is for the checksums.
  if (const std::string found = connection_->query("PRAGMA quick_check(1)"); found != "ok") {
    damaged(connection_->path(), found);
  }
  state_ = state_table_->read();
  LogContents contents;
  contents.hard_state = state_.hard_state;
  contents.base_index = state_.base_index;
  contents.base_term = state_.base_term;
  if (state_.base_index) contents.base_membership = state_.base_membership;
  contents.image_file = state_.image_file;
  contents.entries = read_entries();
  removes_ = has_compacted_packs();
  return contents;
}

bool LogDatabase::has_compacted_packs() {
  const std::optional<Index> lowest = table_->lowest();
  return lowest && *lowest < state_.base_pack;
}

// --- Writing

void LogDatabase::begin() {
  INVARIANT(!transaction_, "a step is committed before the next begins");
  transaction_.emplace(*connection_);
}

void LogDatabase::write(const std::optional<raft::HardState>& hard_state,
                        const std::vector<raft::Entry>& entries) {
  INVARIANT(transaction_, "the log is written between begin() and commit()");
  const bool changed = HOLDFAST_CANARY(vote_is_written_with_its_term_only)
                           ? hard_state && hard_state->term != state_.hard_state.term
                           : hard_state && *hard_state != state_.hard_state;
  if (changed) {
    INVARIANT(hard_state->term >= state_.hard_state.term, "a term that was left must never come back");
    state_.hard_state = *hard_state;
    state_table_->write(state_);
  }
  if (!entries.empty()) write_entries(entries);
}

void LogDatabase::write_entries(const std::vector<raft::Entry>& entries) {
  std::size_t next = entries_overtaken(entries);
  if (next == entries.size()) return;
  const Index first = entries[next].index;
  INVARIANT(first <= last_index_.next(), "a log has no gaps");
  if (first <= last_index_) cut_from(first);
  for (; next < entries.size(); ++next) {
    const raft::Entry& entry = entries[next];
    INVARIANT(entry.index == last_index_.next(), "entries of a write are consecutive");
    if (entry.membership) {
      pack(entry, schema::encode(*entry.membership));
    } else {
      pack(entry, entry.payload.view());
    }
  }
}

/// Entries of one transaction share packs, whichever write they came in.
void LogDatabase::pack(const raft::Entry& entry, std::string_view payload) {
  const bool has_room = pack_.entries.size() + packed_bytes(payload.size()) <= kPackBytes;
  if (!has_room || entry.term != pack_.term) store_pack();
  if (pack_.entries.empty()) {
    pack_.first = entry.index;
    pack_.term = entry.term;
  }
  add_to_pack(pack_.entries, entry.kind, payload);
  last_index_ = entry.index;
}

void LogDatabase::store_pack() {
  if (pack_.entries.empty()) return;
  pack_.last = last_index_;
  pack_.chain = chain_of(pack_, last_chain_);
  table_->insert(pack_);
  last_chain_ = pack_.chain;
  drop_pack();
}

void LogDatabase::drop_pack() {
  pack_.entries.clear();
  if (pack_.entries.capacity() > 2 * kPackBytes) pack_.entries.shrink_to_fit();  // an entry by itself
}

/// Removes the entries from `first` on. Requires: `first` is stored.
void LogDatabase::cut_from(Index first) {
  store_pack();
  LogPack last = pack_with(first);
  last_chain_ = chain_before(last);
  table_->remove_from(last.first);
  last_index_ = first.previous();
  if (last.first == first) return;
  PackReader kept(last.entries);
  for (Index at = last.first; at < first; at = at.next()) {
    const bool whole = kept.next().has_value();
    INVARIANT(whole, "a pack holds the entries from its first to its last");
  }
  last.entries.resize(kept.bytes_taken());
  last.last = last_index_;
  last.chain = chain_of(last, last_chain_);
  table_->insert(last);
  last_chain_ = last.chain;
}

/// The core may have issued this write before it knew of the image that was installed since. Of what it knew
/// then, the image holds everything up to the base; what lies behind follows the base only if the entry there
/// is the one that the base is.
std::size_t LogDatabase::entries_overtaken(const std::vector<raft::Entry>& entries) const {
  const Index first = entries.front().index;
  if (first > state_.base_index) return 0;
  const std::uint64_t at_base = state_.base_index.value() - first.value();
  if (at_base >= entries.size() || entries[at_base].term != state_.base_term) return entries.size();
  return at_base + 1;
}

LogPack LogDatabase::pack_with(Index index) {
  std::optional<LogPack> pack = table_->find(index);
  INVARIANT(pack && pack->first >= state_.base_pack && pack->last >= index,
            "an entry between the base and the last is stored");
  return *std::move(pack);
}

std::uint32_t LogDatabase::chain_before(const LogPack& pack) {
  if (pack.first == state_.base_pack) return state_.base_chain;
  return pack_with(pack.first.previous()).chain;
}

/// Packs are removed whole: that which holds the base and the entry behind it stays, and is the first one.
void LogDatabase::set_base(Index at, const LogPack& holding_it) {
  if (at == holding_it.last) {
    state_.base_chain = holding_it.chain;
    state_.base_pack = at.next();
  } else {
    state_.base_chain = chain_before(holding_it);
    state_.base_pack = holding_it.first;
  }
}

void LogDatabase::compact(Index through, Term term, const raft::Membership& at_base) {
  INVARIANT(transaction_, "the log is compacted between begin() and commit()");
  if (through <= state_.base_index) return;
  INVARIANT(through <= last_index_, "only what is stored can be compacted");
  store_pack();
  const LogPack holding_it = pack_with(through);
  INVARIANT(holding_it.term == term, "the entry to compact to is the one that is stored");
  set_base(through, holding_it);
  state_.base_index = through;
  state_.base_term = term;
  state_.base_membership = at_base;
  state_table_->write(state_);
  removes_ = true;
}

void LogDatabase::install(const raft::Snapshot& at, const std::string& image_file) {
  INVARIANT(transaction_, "an image is installed between begin() and commit()");
  INVARIANT(at.index > state_.base_index, "an image is installed above the base");
  store_pack();
  std::optional<LogPack> holding_it;
  if (at.index <= last_index_) holding_it = pack_with(at.index);
  if (holding_it && holding_it->term == at.term) {
    set_base(at.index, *holding_it);
  } else {
    // What reaches beyond it from below begins before the base's pack and so counts no longer.
    table_->remove_from(at.index.next());
    state_.base_chain = chain_start(at.index, at.term);
    state_.base_pack = at.index.next();
    last_index_ = at.index;
    last_chain_ = state_.base_chain;
  }
  state_.base_index = at.index;
  state_.base_term = at.term;
  state_.base_membership = at.membership;
  state_.image_file = image_file;
  state_table_->write(state_);
  removes_ = true;
}

void LogDatabase::commit() {
  INVARIANT(transaction_, "commit() follows begin()");
  store_pack();
  transaction_->commit();
  transaction_.reset();
}

void LogDatabase::rollback() {
  drop_pack();
  transaction_.reset();
  state_ = state_table_->read();
  last_index_ = state_.base_index;
  last_chain_ = state_.base_chain;
  const std::optional<LogPack> last = table_->last();
  if (last && last->first >= state_.base_pack) {
    last_index_ = last->last;
    last_chain_ = last->chain;
  }
  removes_ = has_compacted_packs();
}

bool LogDatabase::remove_compacted(std::uint64_t most) {
  if (!removes_) return false;
  Transaction transaction(*connection_);
  const bool more = table_->remove_below(state_.base_pack, most);
  transaction.commit();
  removes_ = more;
  return more;
}

LogDatabase::Room LogDatabase::room() {
  const auto pages = [this](const char* of) { return std::stoull(connection_->query(of)) * kLogPageBytes; };
  const std::uint64_t free = pages("PRAGMA freelist_count");
  const auto wal = static_cast<std::uint64_t>(connection_->wal_file_frames()) * frame_bytes(kLogPageBytes);
  return {free + wal, pages("PRAGMA page_count") - free};
}

void LogDatabase::shrink() {
  connection_->execute("VACUUM");
  connection_->checkpoint(Checkpoint::kTruncate);
}

}  // namespace holdfast::storage
