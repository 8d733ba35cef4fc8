#include "tests/fuzz/machine_check.h"

#include "base/check.h"
#include "tests/state/rows_of_image.h"

namespace holdfast::fuzz {

void go_on(state::Machine& machine) {
  const auto apply = [&machine](state::Operation operation) {
    const auto bytes = state::encode({{}, machine.time(), std::move(operation)});
    INVARIANT(bytes, "a small command can be encoded");
    static_cast<void>(machine.apply(machine.applied().next(), *bytes));
  };
  state::EndLeases end;
  for (const auto& [id, lease] : machine.leases().all()) end.leases.push_back(id);
  apply(std::move(end));
  apply(state::GrantLease{milliseconds(1000)});
  lock::Acquire acquire;
  acquire.lock = "deploy";
  acquire.lease = LeaseId(machine.applied().value());
  apply(acquire);
  apply(config::Put{"/z", Blob("z"), {}, {}});
  apply(config::Delete{config::KeyRange::prefix(""), {}});
}

std::vector<RowChange> image_of(state::Machine& machine) {
  std::vector<RowChange> rows = state::rows_of_image(machine);
  for (auto packs = machine.take_history(2); !packs.empty(); packs = machine.take_history(2)) {
    for (const state::HistoryPack& pack : packs) {
      INVARIANT(state::decode_history(state::encode_history(pack.changes)), "a pack of history can be read");
    }
  }
  return rows;
}

void check_image(state::Machine& machine) {
  state::Machine loaded;
  for (const RowChange& row : image_of(machine)) {
    if (row.removed) continue;  // of a key that came and went
    INVARIANT(loaded.load(row.table, row.cells), "a row that was written can be read");
  }
  INVARIANT(loaded.finish_loading(), "an image that was written can be loaded");
  INVARIANT(loaded.digest() == machine.digest(), "an image keeps the digest");
  go_on(machine);
  go_on(loaded);
  INVARIANT(loaded.digest() == machine.digest(),
            "a machine from an image goes on like the one that wrote it");
}

}  // namespace holdfast::fuzz
