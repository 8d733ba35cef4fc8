#include "storage/log_database.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
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
    part TEXT NOT NULL CHECK (part IN ('voter', 'outgoing_voter', 'learner')),
    place INTEGER NOT NULL,
    member INTEGER NOT NULL,
    name TEXT NOT NULL,
    peer_address TEXT NOT NULL,
    PRIMARY KEY (part, place)
  ) STRICT, WITHOUT ROWID;
)";

// "HfLg"
constexpr Format kLogFormat{"log", 0x48664c67, 1, kSchema};

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
             "ORDER BY entry_index"),
        read_state(c,
                   "SELECT term, voted_for, base_index, base_term, base_chain, checksum FROM state "
                   "WHERE one = 1"),
        write_state(c,
                    "REPLACE INTO state (one, term, voted_for, base_index, base_term, base_chain, checksum) "
                    "VALUES (1, ?, ?, ?, ?, ?, ?)") {}
  Statement insert, truncate, remove_below, find, bounds, read, read_state, write_state;
};

LogDatabase::LogDatabase(const Location& location)
    : connection_(open_database(location, kLogFormat)),
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

std::uint32_t LogDatabase::checksum_of(const State& state) {
  std::uint32_t crc = crc32c_number(0, state.hard_state.term.value());
  crc = crc32c_number(crc, state.hard_state.voted_for.value());
  crc = crc32c_number(crc, state.base_index.value());
  crc = crc32c_number(crc, state.base_term.value());
  return crc32c_number(crc, state.base_chain);
}

LogDatabase::State LogDatabase::read_state() {
  State state;
  Statement& read = statements_->read_state;
  if (!read.step()) return state;  // nothing was ever written
  state.hard_state = {Term(read.number(0)), MemberId(read.number(1))};
  state.base_index = Index(read.number(2));
  state.base_term = Term(read.number(3));
  state.base_chain = static_cast<std::uint32_t>(read.number(4));
  const auto checksum = static_cast<std::uint32_t>(read.number(5));
  read.reset();
  if (checksum != checksum_of(state))
    damaged(connection_->path(), "the checksum of term and vote does not match");
  return state;
}

std::vector<raft::Entry> LogDatabase::read_entries() {
  std::vector<raft::Entry> entries;
  Statement& read = statements_->read;
  read.bind_number(0, state_.base_index.value());
  while (read.step()) {
    raft::Entry entry;
    entry.index = Index(read.number(0));
    entry.term = Term(read.number(1));
    entry.kind = static_cast<raft::EntryKind>(read.number(2));
    entry.payload = Blob::copy_of(read.bytes(4));
    const std::uint32_t chain = chain_entry(last_chain_, entry);
    if (entry.index != last_index_.next()) {
      damaged(connection_->path(), "entry " + std::to_string(last_index_.next().value()) + " is missing");
    }
    if (chain != static_cast<std::uint32_t>(read.number(3))) {
      damaged(connection_->path(),
              "the checksum of entry " + std::to_string(entry.index.value()) + " does not match");
    }
    last_index_ = entry.index;
    last_chain_ = chain;
    entries.push_back(std::move(entry));
  }
  return entries;
}

LogContents LogDatabase::load() {
  // Pages, cells and free list; what is in them is for the checksums.
  if (const std::string found = connection_->query("PRAGMA quick_check(1)"); found != "ok") {
    damaged(connection_->path(), found);
  }
  state_ = read_state();
  last_index_ = state_.base_index;
  last_chain_ = state_.base_chain;
  LogContents contents{state_.hard_state, state_.base_index, state_.base_term, read_entries()};
  first_row_ = last_index_.next();
  Statement& bounds = statements_->bounds;
  if (bounds.step() && bounds.is_integer(0)) first_row_ = Index(bounds.number(0));
  bounds.reset();
  return contents;
}

// --- Writing

void LogDatabase::begin() {
  INVARIANT(!transaction_, "a step is committed before the next begins");
  transaction_.emplace(*connection_);
}

void LogDatabase::write(const std::optional<raft::HardState>& hard_state,
                        const std::vector<raft::Entry>& entries) {
  INVARIANT(transaction_, "the log is written between begin() and commit()");
  if (hard_state && *hard_state != state_.hard_state) {
    INVARIANT(hard_state->term >= state_.hard_state.term, "a term that was left must never come back");
    state_.hard_state = *hard_state;
    write_state();
  }
  if (!entries.empty()) write_entries(entries);
}

void LogDatabase::write_state() {
  statements_->write_state.bind_number(0, state_.hard_state.term.value())
      .bind_number(1, state_.hard_state.voted_for.value())
      .bind_number(2, state_.base_index.value())
      .bind_number(3, state_.base_term.value())
      .bind_number(4, state_.base_chain)
      .bind_number(5, checksum_of(state_))
      .run();
}

void LogDatabase::write_entries(const std::vector<raft::Entry>& entries) {
  const Index first = entries.front().index;
  INVARIANT(first > state_.base_index, "a compacted entry is committed and cannot be replaced");
  INVARIANT(first <= last_index_.next(), "a log has no gaps");
  if (first <= last_index_) {
    last_chain_ = chain_at(first.previous());
    last_index_ = first.previous();
    statements_->truncate.bind_number(0, first.value()).run();
  }
  for (const raft::Entry& entry : entries) {
    INVARIANT(entry.index == last_index_.next(), "entries of a write are consecutive");
    last_index_ = entry.index;
    last_chain_ = chain_entry(last_chain_, entry);
    statements_->insert.bind_number(0, entry.index.value())
        .bind_number(1, entry.term.value())
        .bind_number(2, static_cast<std::uint64_t>(entry.kind))
        .bind_number(3, last_chain_)
        .bind_bytes(4, entry.payload.view())
        .run();
  }
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

void LogDatabase::compact(Index through, Term term) {
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
  write_state();
}

void LogDatabase::commit() {
  INVARIANT(transaction_, "commit() follows begin()");
  transaction_->commit();
  transaction_.reset();
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
