#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/faults.h"
#include "tests/chaos/history.h"
#include "tests/chaos/members.h"
#include "tests/chaos/waiting.h"

namespace holdfast::chaos {

/// The members that a fault is about.
struct Targets {
  std::size_t leader = 0;
  std::size_t other = 0;
};

/// Breaks a cluster, one fault after the other, and mends it again. Thread: the one that made the members.
class Nemesis {
 public:
  struct Surroundings {
    Members& members;
    HistoryFile& history;
    const Stop& stop;               ///< cuts a fault short
    std::vector<Process*> holders;  ///< processes of clients that take locks
    std::size_t size = 3;           ///< of the cluster when nobody comes or goes
  };

  explicit Nemesis(Surroundings surroundings) : around_(std::move(surroundings)) {}

  /// Breaks, waits, and mends. Returns: what went wrong that never may, beyond what clients see.
  std::vector<std::string> strike(const Fault& fault);
  /// Everybody is up, every connection as it should be. Idempotent.
  std::vector<std::string> heal(bool reset);
  /// The position of the leader, as soon as a running member knows one. Returns: nullopt if not within
  /// `limit`.
  std::optional<std::size_t> leader(milliseconds limit);

 private:
  using Wrongs = std::vector<std::string>;

  Targets choose(const Fault& fault);
  Wrongs break_it(const Fault& fault, Targets targets);
  void between(std::size_t from, std::size_t to, const Rule& rule);
  void between_all(const Rule& rule);
  void with_network(const Fault& fault, Targets targets);
  Wrongs roll();
  void fill_disk(std::size_t victim, milliseconds duration);
  Wrongs fill_disk_slowly(std::size_t victim, milliseconds duration);
  Wrongs transfer(const Fault& fault);

  // Who takes part; nemesis_members.cc.
  struct Change;
  Wrongs change_members(const Fault& fault, Targets targets);
  Wrongs change_under(const Fault& fault, const Change& change, const std::function<void()>& meanwhile);
  Wrongs restore_size(const Fault& fault);
  void strike_at_change(const Fault& fault, Targets targets);
  void note(const std::string& what);

  Surroundings around_;
};

}  // namespace holdfast::chaos
