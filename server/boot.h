#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "raft/core.h"
#include "server/join.h"
#include "server/options.h"
#include "state/machine.h"
#include "storage/data_directory.h"
#include "storage/failure.h"
#include "storage/identity.h"
#include "storage/image_store.h"
#include "storage/log_store.h"
#include "storage/snapshot_store.h"
#include "storage/space_watch.h"

namespace holdfast::server {

/// A member's durable part: its directory, locked, with the two stores open. In the order of destruction's
/// reverse.
struct Disk {
  std::unique_ptr<storage::DataDirectory> directory;
  std::unique_ptr<storage::SpaceWatch> space;
  std::unique_ptr<storage::SqliteLogStore> log;
  std::unique_ptr<storage::SqliteImageStore> image;
  std::unique_ptr<storage::SqliteSnapshotStore> snapshots;
  storage::Identity identity;
  bool first_boot = false;
};

/// What a node starts from.
struct Beginning {
  std::unique_ptr<state::Machine> machine;
  raft::Restored restored;
};

/// Asks the cluster that --join names; see ask_cluster().
using AskCluster = std::function<Result<ClusterView>(Duration within)>;

/// Opens the data directory and finds out who this member is; nothing is written about that yet, so that a
/// first boot that fails for another reason can be tried again with other options.
/// Errors: as server/identity.h and server/join.h; kStorage, kCorrupt.
Result<Disk> open_disk(const Options& options, const AskCluster& ask, storage::Poster post,
                       storage::FatalHandler fatal, storage::RunnerFactory log_runner);

/// Makes the directory this member's, if it is new, and reads the state. Errors: kStorage, kCorrupt.
Result<Beginning> begin(Disk& disk, storage::Poster post, storage::FatalHandler fatal);

}  // namespace holdfast::server
