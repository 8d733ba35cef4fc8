#include "snapshot.capnp.h"
#include "state/history.h"
#include "state/message.h"

namespace holdfast::state {

namespace {

void write(const config::Change& from, schema::HistoryChange::Builder to) {
  to.setDeleted(!from.is_put());
  to.setKey(data_of(from.key()));
  to.setValue(data_of(from.value()));
  to.setCreateRevision(from.create_revision().value());
  to.setModRevision(from.mod_revision().value());
  to.setVersion(from.version());
  to.setLease(from.lease().value());
}

config::Change read(schema::HistoryChange::Reader from) {
  const std::string_view key = view_of(from.getKey());
  if (from.getDeleted()) return config::Change::deletion(key, Revision(from.getModRevision()));
  return config::Change::put(key, view_of(from.getValue()),
                             {Revision(from.getCreateRevision()), Revision(from.getModRevision()),
                              from.getVersion(), LeaseId(from.getLease())});
}

}  // namespace

Blob encode_history(const std::vector<config::Change>& changes) {
  capnp::MallocMessageBuilder message(8 * 1024);
  auto to = message.initRoot<schema::HistoryPack>().initChanges(static_cast<unsigned>(changes.size()));
  for (unsigned i = 0; i < to.size(); ++i) write(changes[i], to[i]);
  return blob_of(message);
}

Result<std::vector<config::Change>> decode_history(const Blob& pack) {
  using Changes = std::vector<config::Change>;
  return read_message<schema::HistoryPack>(pack, [](schema::HistoryPack::Reader from) -> Result<Changes> {
    Changes changes;
    changes.reserve(from.getChanges().size());
    for (const auto change : from.getChanges()) changes.push_back(read(change));
    return changes;
  });
}

}  // namespace holdfast::state
