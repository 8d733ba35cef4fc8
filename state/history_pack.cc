#include "snapshot.capnp.h"
#include "state/history.h"
#include "state/message.h"

namespace holdfast::state {

namespace {

void write(const config::Change& from, schema::HistoryChange::Builder to) {
  to.setDeleted(from.type == config::ChangeType::kDelete);
  to.setKey(data_of(from.key));
  to.setValue(data_of(from.entry.value.view()));
  to.setCreateRevision(from.entry.create_revision.value());
  to.setModRevision(from.entry.mod_revision.value());
  to.setVersion(from.entry.version);
  to.setLease(from.entry.lease.value());
}

SharedChange read(schema::HistoryChange::Reader from) {
  config::Change change;
  change.type = from.getDeleted() ? config::ChangeType::kDelete : config::ChangeType::kPut;
  change.key = string_of(from.getKey());
  change.entry.value = Blob(view_of(from.getValue()));
  change.entry.create_revision = Revision(from.getCreateRevision());
  change.entry.mod_revision = Revision(from.getModRevision());
  change.entry.version = from.getVersion();
  change.entry.lease = LeaseId(from.getLease());
  return std::make_shared<const config::Change>(std::move(change));
}

}  // namespace

Blob encode_history(const std::vector<SharedChange>& changes) {
  capnp::MallocMessageBuilder message(8 * 1024);
  auto to = message.initRoot<schema::HistoryPack>().initChanges(static_cast<unsigned>(changes.size()));
  for (unsigned i = 0; i < to.size(); ++i) write(*changes[i], to[i]);
  return blob_of(message);
}

Result<std::vector<SharedChange>> decode_history(const Blob& pack) {
  using Changes = std::vector<SharedChange>;
  return read_message<schema::HistoryPack>(pack, [](schema::HistoryPack::Reader from) -> Result<Changes> {
    Changes changes;
    changes.reserve(from.getChanges().size());
    for (const auto change : from.getChanges()) changes.push_back(read(change));
    return changes;
  });
}

}  // namespace holdfast::state
