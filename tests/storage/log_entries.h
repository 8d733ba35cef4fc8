#pragma once

#include <string>
#include <vector>

#include "raft/types.h"

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
