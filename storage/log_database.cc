#include "storage/log_database.h"

#include <algorithm>
#include <utility>

#include "base/canary.h"
#include "base/check.h"
#include "schema/membership.h"
#include "storage/crc32c.h"
#include "storage/failure.h"
#include "storage/identity_table.h"
#include "storage/log_chain.h"

namespace holdfast::storage {
namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE log (
    entry_index INTEGER PRIMARY KEY,
    term INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    payload BLOB NOT NULL
  ) STRICT;
  CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    term INTEGER NOT NULL,
    voted_for INTEGER NOT NULL,
    base_index INTEGER NOT NULL,
    base_term INTEGER NOT NULL,
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
constexpr Format kLogFormat{"log", 0x48664c67, 2, kSchema};

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw StorageFailure(Errc::kCorrupt,
                       "the log \"" + path + "\" is damaged: " + what + ". " + kReplaceMember);
}

}  // namespace

struct LogDatabase::Statements {
  explicit Statements(Connection& c)
      : insert(c, "INSERT INTO log (entry_index, term, kind, chain, payload) VALUES (?, ?, ?, ?, ?)"),
        truncate(c, "DELETE FROM log WHERE entry_index >= ?"),
        remove_below(c, "DELETE FROM log WHERE entry_index < ?"),
        find(c, "SELECT term, chain FROM log WHERE entry_index = ?"),
        bounds(c, "SELECT min(entry_index), max(entry_index) FROM log"),
        read(c,
             "SELECT entry_index, term, kind, chain, payload FROM log WHERE entry_index > ? "
             "ORDER BY entry_index") {}
  Statement insert, truncate, remove_below, find, bounds, read;
};

LogDatabase::LogDatabase(const Location& location)
    : connection_(open_database(location, kLogFormat)),
      state_table_(std::make_unique<LogStateTable>(*connection_)),
      statements_(std::make_unique<Statements>(*connection_)) {}

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
  Statement& read = statements_->read;
  read.bind_number(0, state_.base_index.value());
  while (read.step()) {
    raft::Entry entry;
    entry.index = Index(read.number(0));
    entry.term = Term(read.number(1));
    entry.kind = static_cast<raft::EntryKind>(read.number(2));
    const std::uint32_t chain = chain_entry(last_chain_, entry, read.bytes(4));
    if (entry.index != last_index_.next()) {
      damaged(connection_->path(), "entry " + std::to_string(last_index_.next().value()) + " is missing");
    }
    if (chain != static_cast<std::uint32_t>(read.number(3))) {
      damaged(connection_->path(),
              "the checksum of entry " + std::to_string(entry.index.value()) + " does not match");
    }
    take_payload(entry, read.bytes(4));
    last_index_ = entry.index;
    last_chain_ = chain;
    entries.push_back(std::move(entry));
  }
  return entries;
}

void LogDatabase::take_payload(raft::Entry& entry, std::string_view payload) const {
  if (entry.kind != raft::EntryKind::kMembership) {
    entry.payload = Blob::copy_of(payload);
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
  last_index_ = state_.base_index;
  last_chain_ = state_.base_chain;
  LogContents contents;
  contents.hard_state = state_.hard_state;
  contents.base_index = state_.base_index;
  contents.base_term = state_.base_term;
  if (state_.base_index) contents.base_membership = state_.base_membership;
  contents.image_file = state_.image_file;
  contents.entries = read_entries();
  first_row_ = lowest_row();
  return contents;
}

Index LogDatabase::lowest_row() {
  Statement& bounds = statements_->bounds;
  const Index lowest = bounds.step() && bounds.is_integer(0) ? Index(bounds.number(0)) : last_index_.next();
  bounds.reset();
  return lowest;
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
  if (first <= last_index_) {
    last_chain_ = chain_at(first.previous());
    last_index_ = first.previous();
    statements_->truncate.bind_number(0, first.value()).run();
  }
  for (; next < entries.size(); ++next) {
    const raft::Entry& entry = entries[next];
    INVARIANT(entry.index == last_index_.next(), "entries of a write are consecutive");
    const std::string membership = entry.membership ? schema::encode(*entry.membership) : std::string();
    const std::string_view payload = entry.membership ? membership : entry.payload.view();
    last_index_ = entry.index;
    last_chain_ = chain_entry(last_chain_, entry, payload);
    statements_->insert.bind_number(0, entry.index.value())
        .bind_number(1, entry.term.value())
        .bind_number(2, static_cast<std::uint64_t>(entry.kind))
        .bind_number(3, last_chain_)
        .bind_bytes(4, payload)
        .run();
  }
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

std::uint32_t LogDatabase::chain_at(Index index) {
  if (index == state_.base_index) return state_.base_chain;
  Statement& find = statements_->find;
  const bool found = find.bind_number(0, index.value()).step();
  INVARIANT(found, "an entry between the base and the last is stored");
  const auto chain = static_cast<std::uint32_t>(find.number(1));
  find.reset();
  return chain;
}

void LogDatabase::compact(Index through, Term term, const raft::Membership& at_base) {
  INVARIANT(transaction_, "the log is compacted between begin() and commit()");
  if (through <= state_.base_index) return;
  INVARIANT(through <= last_index_, "only what is stored can be compacted");
  Statement& find = statements_->find;
  const bool found = find.bind_number(0, through.value()).step();
  INVARIANT(found && Term(find.number(0)) == term, "the entry to compact to is the one that is stored");
  state_.base_chain = static_cast<std::uint32_t>(find.number(1));
  find.reset();
  state_.base_index = through;
  state_.base_term = term;
  state_.base_membership = at_base;
  state_table_->write(state_);
}

void LogDatabase::install(const raft::Snapshot& at, const std::string& image_file) {
  INVARIANT(transaction_, "an image is installed between begin() and commit()");
  INVARIANT(at.index > state_.base_index, "an image is installed above the base");
  Statement& find = statements_->find;
  const bool found = find.bind_number(0, at.index.value()).step() && Term(find.number(0)) == at.term;
  if (found) {
    state_.base_chain = static_cast<std::uint32_t>(find.number(1));
    find.reset();
  } else {
    find.reset();
    statements_->truncate.bind_number(0, at.index.value()).run();
    state_.base_chain = chain_start(at.index, at.term);
    last_index_ = at.index;
    last_chain_ = state_.base_chain;
  }
  state_.base_index = at.index;
  state_.base_term = at.term;
  state_.base_membership = at.membership;
  state_.image_file = image_file;
  state_table_->write(state_);
  first_row_ = lowest_row();
}

void LogDatabase::commit() {
  INVARIANT(transaction_, "commit() follows begin()");
  transaction_->commit();
  transaction_.reset();
}

void LogDatabase::rollback() {
  transaction_.reset();
  state_ = state_table_->read();
  last_index_ = state_.base_index;
  first_row_ = lowest_row();
  Statement& bounds = statements_->bounds;
  if (bounds.step() && bounds.is_integer(1)) last_index_ = std::max(last_index_, Index(bounds.number(1)));
  bounds.reset();
  last_chain_ = chain_at(last_index_);
}

bool LogDatabase::remove_compacted(std::uint64_t most) {
  if (first_row_ > state_.base_index) return false;
  const Index first_kept = std::min(state_.base_index.next(), first_row_ + most);
  Transaction transaction(*connection_);
  statements_->remove_below.bind_number(0, first_kept.value()).run();
  transaction.commit();
  first_row_ = first_kept;
  return first_row_ <= state_.base_index;
}

}  // namespace holdfast::storage
