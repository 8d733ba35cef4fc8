#include "tests/client/fake_world.h"

#include <utility>

namespace holdfast::fake {

Result<std::uint64_t> World::put(const std::string& key, const std::string& value,
                                 std::optional<std::uint64_t> expected) {
  auto found = entries.find(key);
  std::uint64_t present = found == entries.end() ? 0 : found->second.mod_revision;
  if (expected && *expected != present) {
    return fail(Errc::kRevisionMismatch, "it is at another revision", Revision(present));
  }
  Entry& entry = entries[key];
  ++revision;
  entry.key = key;
  entry.value = value;
  entry.create_revision = entry.version == 0 ? revision : entry.create_revision;
  entry.mod_revision = revision;
  ++entry.version;
  history.push_back(entry);
  tell();
  return revision;
}

std::uint64_t World::remove(const std::string& begin, const std::string& end, std::uint64_t& count) {
  ++revision;
  auto last = end.empty() ? entries.end() : entries.lower_bound(end);
  for (auto entry = entries.lower_bound(begin); entry != last; ++count) {
    history.push_back(Entry{entry->first, "", 0, revision, 0, true});
    entry = entries.erase(entry);
  }
  tell();
  return revision;
}

bool World::end_lease(std::uint64_t lease) {
  bool there = leases.erase(lease) == 1;
  for (auto& [name, claims] : locks) {
    drop_claim(name, lease, 0);
  }
  for (auto& [name, instances] : services) {
    std::erase_if(instances, [lease](const auto& row) { return row.second.lease == lease; });
  }
  ++revision;
  tell();
  return there;
}

void World::drop_claim(const std::string& lock, std::uint64_t lease, std::uint64_t token) {
  auto& claims = locks[lock];
  for (auto claim = claims.begin(); claim != claims.end();) {
    if (claim->lease == lease || (token != 0 && claim->token == token)) {
      for (auto& call : claim->calls) {
        call->fulfill(0);
      }
      claim = claims.erase(claim);
    } else {
      ++claim;
    }
  }
  grant_first(claims);
}

void World::grant_first(std::deque<Claim>& claims) {
  if (!claims.empty() && claims.front().token == 0) {
    claims.front().token = ++next_token;
    for (auto& call : std::exchange(claims.front().calls, {})) {
      call->fulfill(std::uint64_t(claims.front().token));
    }
  }
}

kj::Promise<void> World::changed() {
  auto listener = kj::newPromiseAndFulfiller<void>();
  listeners_.push_back(kj::mv(listener.fulfiller));
  return kj::mv(listener.promise);
}

void World::tell() {
  for (auto& listener : std::exchange(listeners_, {})) {
    listener->fulfill();
  }
}

}  // namespace holdfast::fake
