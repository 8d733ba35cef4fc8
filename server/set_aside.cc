#include "server/set_aside.h"

#include <string>
#include <system_error>
#include <utility>

#include "server/identity.h"

namespace holdfast::server {

namespace {

namespace fs = std::filesystem;
using SetAside = std::optional<fs::path>;

// A cluster that is there answers at once, and one that elects within seconds.
constexpr milliseconds kAskClusterFor{3000};

/// What a directory says of itself; nothing if it is damaged or was never a member's.
std::optional<storage::Identity> identity_in(storage::DataDirectory& directory) {
  storage::LogStoreOptions options;
  options.location = directory.log();
  auto log = storage::SqliteLogStore::open(std::move(options));
  return log ? (*log)->identity() : std::nullopt;
}

fs::path free_name(const fs::path& directory) {
  fs::path name = directory;
  name += ".set-aside";
  for (int number = 2; fs::exists(name); ++number) {
    name = directory;
    name += ".set-aside-" + std::to_string(number);
  }
  return name;
}

}  // namespace

Result<SetAside> set_old_data_aside(const Options& options, const AskCluster& ask) {
  std::error_code error;
  if (!fs::exists(options.data_dir / "log.db", error)) return SetAside();
  auto directory = storage::DataDirectory::open(options.data_dir);
  if (!directory) return fail(directory.error());
  const auto known = identity_in(**directory);
  Options named = options;
  if (!named.name && known) named.name = known->name;

  auto cluster = ask(kAskClusterFor);
  // Nobody may be there because all wait for each other, after a power cut: then this member goes on with
  // what it has. If it was removed meanwhile a majority will refuse it, and at its next start there is
  // somebody to ask.
  if (!cluster && known && cluster.error().code == Errc::kUnavailable) return SetAside();
  if (!cluster) return fail(cluster.error());
  const raft::Member* self = find_member(cluster->membership, named.name.value_or(kDefaultName));
  if (self && known && !self->data_id.empty() && self->data_id == known->data_id) return SetAside();
  if (auto awaited = joining_identity(named, *cluster); !awaited) return fail(awaited.error());

  const fs::path from = (*directory)->path();
  const fs::path to = free_name(from);
  fs::rename(from, to, error);
  if (error) {
    return fail(Errc::kStorage, "the data directory \"" + from.string() + "\" cannot be renamed to \"" +
                                    to.string() + "\": " + error.message() +
                                    "; move its files elsewhere, and start with --join alone");
  }
  return SetAside(to);
}

}  // namespace holdfast::server
