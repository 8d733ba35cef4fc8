#include "bench/micro/samples.h"

#include <cstdio>

#include "base/check.h"
#include "state/command.h"

namespace holdfast::bench {

std::string key_of(std::uint64_t number) {
  char key[32];
  std::snprintf(key, sizeof key, "/bench/key%09llu", static_cast<unsigned long long>(number));
  return key;
}

Blob put_command(std::uint64_t number) {
  config::Put put;
  put.key = key_of(number);
  put.value = Blob(std::string(kValueBytes, 'v'));
  auto bytes = state::encode({{}, ClusterTime(number), put});
  INVARIANT(bytes, "a put is smaller than an entry may be");
  return *std::move(bytes);
}

std::vector<raft::Entry> put_entries(Index first, Term term, std::size_t count) {
  std::vector<raft::Entry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({term, first + i, raft::EntryKind::kCommand, put_command(first.value() + i)});
  }
  return entries;
}

}  // namespace holdfast::bench
