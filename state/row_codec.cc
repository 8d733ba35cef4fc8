#include "state/row_codec.h"

#include <utility>

#include "snapshot.capnp.h"
#include "state/message.h"
#include "state/rows.h"

namespace holdfast::state {

namespace {

constexpr std::int64_t kNoDeadline = -1;

/// SQLite's integers are signed: a number above 2^63 shows as a negative one and comes back whole.
Cell cell(std::uint64_t number) { return static_cast<std::int64_t>(number); }
Cell cell(milliseconds time) { return static_cast<std::int64_t>(time.count()); }

/// In the order of the columns, each made where it stays.
template <typename... Cells>
void add(Row& row, Cells&&... cells) {
  (row.emplace_back(std::forward<Cells>(cells)), ...);
}

Blob tags_blob(const std::vector<std::string>& from) {
  capnp::MallocMessageBuilder message(128);
  auto tags = message.initRoot<schema::Tags>().initTags(static_cast<unsigned>(from.size()));
  for (unsigned i = 0; i < tags.size(); ++i) tags.set(i, from[i]);
  return blob_of(message);
}

Blob metadata_blob(const std::map<std::string, std::string>& from) {
  capnp::MallocMessageBuilder message(128);
  auto pairs = message.initRoot<schema::Metadata>().initPairs(static_cast<unsigned>(from.size()));
  unsigned next = 0;
  for (const auto& [key, value] : from) {
    pairs[next].setKey(key);
    pairs[next].setValue(value);
    ++next;
  }
  return blob_of(message);
}

std::vector<std::string> read_tags(RowReader& row) {
  using Tags = std::vector<std::string>;
  auto tags = read_message<schema::Tags>(row.bytes(), [](schema::Tags::Reader from) -> Result<Tags> {
    Tags read;
    for (const auto tag : from.getTags()) read.push_back(string_of(tag));
    return read;
  });
  if (tags) return *std::move(tags);
  row.fail_with(tags.error().message);
  return {};
}

std::map<std::string, std::string> read_metadata(RowReader& row) {
  using Pairs = std::map<std::string, std::string>;
  auto pairs =
      read_message<schema::Metadata>(row.bytes(), [](schema::Metadata::Reader from) -> Result<Pairs> {
        Pairs read;
        for (const auto pair : from.getPairs())
          read.emplace(string_of(pair.getKey()), string_of(pair.getValue()));
        return read;
      });
  if (pairs) return *std::move(pairs);
  row.fail_with(pairs.error().message);
  return {};
}

lock::Mode read_mode(RowReader& row) {
  const std::uint64_t mode = row.number();
  if (mode != static_cast<std::uint64_t>(lock::Mode::kExclusive)) row.fail_with("its mode is unknown");
  return lock::Mode::kExclusive;
}

}  // namespace

void add_key(Row& row, LeaseId id) { add(row, cell(id.value())); }
void add_key(Row& row, std::string text) { add(row, std::move(text)); }
void add_key(Row& row, std::pair<std::string, std::string> key) {
  add(row, std::move(key.first), std::move(key.second));
}
void add_key(Row& row, lock::ClaimKey key) { add(row, std::move(key.first), cell(key.second)); }
void add_key(Row& row, const OutcomeKey& key) { add(row, cell(key.first.value()), cell(key.second)); }
void add_key(Row& row, MemberId id) { add(row, cell(id.value())); }

void add_cells(Row& row, std::uint64_t meta) { add(row, cell(meta)); }

void add_cells(Row& row, const lease::Lease& lease) {
  add(row, cell(lease.ttl), cell(std::uint64_t{lease.ending}));
}

void add_cells(Row& row, const config::Change& put) {
  add(row, put.shared_value(), cell(put.create_revision().value()), cell(put.mod_revision().value()),
      cell(put.version()), cell(put.lease().value()));
}

void add_cells(Row& row, const registry::Instance& instance) {
  add(row, instance.address, cell(std::uint64_t{instance.port}), tags_blob(instance.tags),
      metadata_blob(instance.metadata), cell(std::uint64_t{instance.weight}),
      cell(static_cast<std::uint64_t>(instance.health)), cell(std::uint64_t{instance.maintenance}),
      cell(instance.lease.value()), cell(instance.mod_revision.value()));
}

void add_cells(Row& row, const lock::Holder& holder) {
  add(row, cell(holder.lease.value()), cell(static_cast<std::uint64_t>(holder.mode)), holder.owner,
      cell(holder.attempt), cell(holder.since));
}

void add_cells(Row& row, const lock::Waiter& waiter) {
  add(row, cell(waiter.lease.value()), cell(static_cast<std::uint64_t>(waiter.mode)), waiter.owner,
      cell(waiter.attempt), cell(waiter.since), waiter.deadline ? cell(*waiter.deadline) : Cell(kNoDeadline));
}

void add_cells(Row& row, const Session& session) { add(row, cell(session.acknowledged_below)); }
void add_cells(Row& row, const Reply& reply) { add(row, encode(reply)); }

void add_cells(Row& row, const MemberAddress& member) { add(row, member.name, member.client_endpoint); }

const Cell* RowReader::next() {
  if (wrong_.empty() && position_ >= row_.size()) wrong_ = "a cell is missing";
  return wrong_.empty() ? &row_[position_++] : nullptr;
}

std::uint64_t RowReader::number() {
  const Cell* found = next();
  if (!found) return 0;
  if (const auto* number = std::get_if<std::int64_t>(found)) return static_cast<std::uint64_t>(*number);
  fail_with("a cell should be a number");
  return 0;
}

milliseconds RowReader::time() { return milliseconds(static_cast<std::int64_t>(number())); }

std::string_view RowReader::view() {
  const Cell* found = next();
  if (!found) return {};
  if (const auto* text = std::get_if<std::string>(found)) return *text;
  if (const auto* bytes = std::get_if<Blob>(found)) return bytes->view();
  fail_with("a cell should be text");
  return {};
}

Blob RowReader::bytes() {
  const Cell* found = next();
  if (!found) return {};
  if (const auto* bytes = std::get_if<Blob>(found)) return *bytes;
  if (const auto* text = std::get_if<std::string>(found)) return Blob(*text);
  fail_with("a cell should be bytes");
  return {};
}

void RowReader::fail_with(std::string why) {
  if (wrong_.empty()) wrong_ = std::move(why);
}

Result<void> RowReader::complete(std::size_t table) const {
  const bool whole = wrong_.empty() && position_ == row_.size();
  if (whole) return {};
  return fail(Errc::kCorrupt,
              "the image's table " + std::string(table_descriptions()[table].name) +
                  " has a row that cannot be read: " + (wrong_.empty() ? "it has too many cells" : wrong_));
}

lease::Lease read_lease(RowReader& row, LeaseId id) {
  const milliseconds ttl = row.time();
  return lease::Lease{id, ttl, row.number() != 0};
}

config::Change read_put(RowReader& row, std::string_view key) {
  const std::string_view value = row.view();
  config::Change::Numbers numbers;
  numbers.create_revision = Revision(row.number());
  numbers.mod_revision = Revision(row.number());
  numbers.version = row.number();
  numbers.lease = LeaseId(row.number());
  return config::Change::put(key, value, numbers);
}

registry::Instance read_instance(RowReader& row, std::string id) {
  registry::Instance instance;
  instance.id = std::move(id);
  instance.address = row.text();
  instance.port = static_cast<std::uint16_t>(row.number());
  instance.tags = read_tags(row);
  instance.metadata = read_metadata(row);
  instance.weight = static_cast<std::uint32_t>(row.number());
  const std::uint64_t health = row.number();
  if (health > static_cast<std::uint64_t>(registry::Health::kCritical))
    row.fail_with("its health is unknown");
  instance.health = static_cast<registry::Health>(health);
  instance.maintenance = row.number() != 0;
  instance.lease = LeaseId(row.number());
  instance.mod_revision = Revision(row.number());
  return instance;
}

lock::Holder read_holder(RowReader& row, Token token) {
  lock::Holder holder;
  holder.token = token;
  holder.lease = LeaseId(row.number());
  holder.mode = read_mode(row);
  holder.owner = row.text();
  holder.attempt = row.number();
  holder.since = row.time();
  return holder;
}

lock::Waiter read_waiter(RowReader& row, lock::Ticket ticket) {
  lock::Waiter waiter;
  waiter.ticket = ticket;
  waiter.lease = LeaseId(row.number());
  waiter.mode = read_mode(row);
  waiter.owner = row.text();
  waiter.attempt = row.number();
  waiter.since = row.time();
  const milliseconds deadline = row.time();
  if (deadline.count() != kNoDeadline) waiter.deadline = deadline;
  return waiter;
}

}  // namespace holdfast::state
