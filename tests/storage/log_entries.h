#pragma once

#include <string>
#include <vector>

#include "raft/types.h"
#include "storage/identity.h"

/// Entries first..last of one term, each with a payload of its own.
inline std::vector<holdfast::raft::Entry> entries(std::uint64_t first, std::uint64_t last,
                                                  std::uint64_t term) {
  using namespace holdfast;
  std::vector<raft::Entry> list;
  for (std::uint64_t index = first; index <= last; ++index) {
    list.push_back({Term(term), Index(index), raft::EntryKind::kCommand,
                    Blob("entry " + std::to_string(index) + " of term " + std::to_string(term))});
  }
  return list;
}

inline holdfast::raft::HardState hard_state(std::uint64_t term, std::uint64_t vote) {
  return {holdfast::Term(term), holdfast::MemberId(vote)};
}

/// Of a member that came into its cluster later: an identity with all that can be written of one.
inline holdfast::storage::Identity some_identity() {
  using namespace holdfast;
  storage::Identity identity;
  identity.cluster = ClusterId(11);
  identity.member = MemberId(1);
  identity.name = "n1";
  identity.membership.voters = {{MemberId(1), "n1", "a:1"}, {MemberId(2), "n2", "b:1"}};
  identity.founders = {{{}, "n8", "h:1"}, {{}, "n9", "i:1"}};
  return identity;
}
