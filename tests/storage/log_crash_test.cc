#include <catch2/catch.hpp>
#include <functional>

#include "storage/failure.h"
#include "storage/log_database.h"
#include "tests/storage/fault_vfs.h"
#include "tests/storage/log_entries.h"
#include "tests/storage/reopenings.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

/// The log as it should be, without a disk.
struct Model {
  std::optional<Identity> identity;  // its data id is not compared
  raft::HardState hard_state;
  Index base_index;
  Term base_term;
  std::optional<raft::Membership> base_membership;
  std::string image_file;
  std::vector<raft::Entry> entries;
  friend bool operator==(const Model&, const Model&) = default;
};

/// One durable step: what it does to the database, and what to the model.
struct Step {
  const char* name;
  std::function<void(LogDatabase&)> run;
  std::function<void(Model&)> change;
};

Step write(const char* name, std::optional<raft::HardState> hard_state, std::vector<raft::Entry> list) {
  return {name,
          [hard_state, list](LogDatabase& log) {
            log.begin();
            log.write(hard_state, list);
            log.commit();
          },
          [hard_state, list](Model& model) {
            if (hard_state) model.hard_state = *hard_state;
            if (list.empty()) return;
            while (!model.entries.empty() && model.entries.back().index >= list.front().index) {
              model.entries.pop_back();
            }
            model.entries.insert(model.entries.end(), list.begin(), list.end());
          }};
}

raft::Membership membership_of(std::uint64_t member) {
  return {{{MemberId(member), "n" + std::to_string(member), "a:1", "its disk"}}, {}, {}};
}

raft::Entry membership_entry(std::uint64_t index, std::uint64_t term) {
  raft::Entry entry{Term(term), Index(index), raft::EntryKind::kMembership, {}};
  entry.membership = std::make_shared<const raft::Membership>(membership_of(term));
  return entry;
}

Step compact(std::uint64_t through, std::uint64_t term, std::uint64_t member) {
  return {"compact",
          [through, term, member](LogDatabase& log) {
            log.begin();
            log.compact(Index(through), Term(term), membership_of(member));
            log.commit();
          },
          [through, term, member](Model& model) {
            model.base_index = Index(through);
            model.base_term = Term(term);
            model.base_membership = membership_of(member);
            std::erase_if(model.entries,
                          [&](const raft::Entry& entry) { return entry.index <= Index(through); });
          }};
}

/// An image of another member, far ahead of the log or within it.
Step install(std::uint64_t index, std::uint64_t term, bool keeps_the_rest) {
  const std::string file = "image-" + std::to_string(index) + ".db";
  return {"install",
          [index, term, file](LogDatabase& log) {
            log.begin();
            log.install({Index(index), Term(term), membership_of(term)}, file);
            log.commit();
          },
          [index, term, file, keeps_the_rest](Model& model) {
            model.base_index = Index(index);
            model.base_term = Term(term);
            model.base_membership = membership_of(term);
            model.image_file = file;
            std::erase_if(model.entries, [&](const raft::Entry& entry) {
              return !keeps_the_rest || entry.index <= Index(index);
            });
          }};
}

Step without_effect(const char* name, std::function<void(LogDatabase&)> run) {
  return {name, std::move(run), [](Model&) {}};
}

/// A member's life in short: every kind of write that the log knows, some after a checkpoint, so that the
/// write-ahead log is also met reused.
std::vector<Step> life() {
  const auto checkpoint =
      without_effect("checkpoint", [](LogDatabase& log) { log.checkpoint(Checkpoint::kPassive); });
  std::vector<raft::Entry> large = entries(9, 12, 3);
  for (raft::Entry& entry : large) entry.payload = Blob(std::string(9000, 'x'));
  std::vector<raft::Entry> mixed = entries(35, 44, 7);
  mixed[2].payload = Blob(std::string(20'000, 'x'));
  return {
      {"first boot", [](LogDatabase& log) { log.set_identity(some_identity()); },
       [](Model& model) { model.identity = some_identity(); }},
      write("vote", hard_state(1, 2), {}),
      write("append", std::nullopt, entries(1, 5, 1)),
      write("append with a new term", hard_state(2, 0), entries(6, 8, 2)),
      checkpoint,
      write("replace a conflicting tail", hard_state(3, 1), entries(4, 8, 3)),
      write("append large entries", std::nullopt, large),
      compact(6, 3, 1),
      without_effect("remove compacted rows",
                     [](LogDatabase& log) {
                       while (log.remove_compacted(2)) {
                       }
                     }),
      without_effect("shrink", [](LogDatabase& log) { log.shrink(); }),
      write("vote again", hard_state(4, 2), {}),
      checkpoint,
      write("append after the checkpoint", std::nullopt, entries(13, 14, 4)),
      write("replace more than the model has in one row", hard_state(5, 1), entries(10, 11, 5)),
      compact(7, 3, 2),
      install(9, 3, true),
      install(30, 6, false),
      without_effect("remove what the image overtook",
                     [](LogDatabase& log) {
                       while (log.remove_compacted(2)) {
                       }
                     }),
      write("append behind the image", hard_state(6, 1), entries(31, 33, 6)),
      write("append a membership", std::nullopt, {membership_entry(34, 6)}),
      write("replace the membership", hard_state(7, 1), {membership_entry(34, 7)}),
      compact(33, 6, 5),
      write("append one large entry among small ones", std::nullopt, mixed),
      install(39, 7, true),
      write("replace all behind a base inside a pack", hard_state(8, 1), entries(40, 43, 8)),
      compact(41, 8, 6),
      without_effect("remove what is compacted whole",
                     [](LogDatabase& log) {
                       while (log.remove_compacted(1)) {
                       }
                     }),
      without_effect("close", [](LogDatabase& log) { log.checkpoint(Checkpoint::kTruncate); }),
  };
}

Model read(LogDatabase& log) {
  LogContents contents = log.load();
  Model model{log.identity(),           contents.hard_state, contents.base_index,        contents.base_term,
              contents.base_membership, contents.image_file, std::move(contents.entries)};
  if (model.identity) model.identity->data_id.clear();
  return model;
}

std::uint64_t last_of(const Model& model) {
  return model.entries.empty() ? model.base_index.value() : model.entries.back().index.value();
}

/// Runs the steps until one fails. Returns: how many were acknowledged.
std::size_t live(const Location& location, const std::vector<Step>& steps, std::string& failure) {
  std::size_t acknowledged = 0;
  try {
    LogDatabase log(location);
    log.load();
    for (const Step& step : steps) {
      step.run(log);
      ++acknowledged;
    }
  } catch (const StorageFailure& error) {
    failure = error.what();
  }
  return acknowledged;
}

/// The state after each number of steps.
std::vector<Model> expectations(const std::vector<Step>& steps) {
  std::vector<Model> models(1);
  for (const Step& step : steps) {
    models.push_back(models.back());
    step.change(models.back());
  }
  return models;
}

std::uint64_t operations_of(const std::vector<Step>& steps) {
  FaultyDisk disk(1);
  const FaultVfs vfs(disk);
  std::string failure;
  const std::size_t done = live({"log.db", vfs.name()}, steps, failure);
  INFO(failure);
  REQUIRE(done == steps.size());
  return disk.operations();
}

/// Whatever was acknowledged is there, and at most the step that was under way beside it, whole.
void check_every_fault(Fault fault, Loss loss) {
  const std::vector<Step> steps = life();
  const std::vector<Model> models = expectations(steps);
  const std::uint64_t operations = operations_of(steps);
  REQUIRE(operations > 50);
  for (std::uint64_t k = 1; k <= operations; ++k) {
    FaultyDisk disk(k);
    const FaultVfs vfs(disk);
    const Location location{"log.db", vfs.name()};
    disk.fail_at(k, fault);
    std::string failure;
    const std::size_t acknowledged = live(location, steps, failure);
    INFO("fault at operation " << k << ", after " << acknowledged << " steps: " << failure);
    REQUIRE(acknowledged < steps.size());
    CHECK_FALSE(failure.empty());
    if (acknowledged > 0 && fault != Fault::kPowerCut) {
      CHECK(disk.operations_after_fault() == 0);  // nothing is tried again
    }
    disk.restart(loss);
    count_reopening();
    try {
      LogDatabase log(location);
      const Model recovered = read(log);
      const bool as_acknowledged = recovered == models[acknowledged];
      const bool with_the_next = recovered == models[acknowledged + 1];
      CHECK((as_acknowledged || with_the_next));
      // And it can go on from there.
      const std::uint64_t next = last_of(recovered) + 1;
      log.begin();
      log.write(hard_state(9, 1), entries(next, next + 1, 9));
      log.commit();
    } catch (const StorageFailure& error) {
      // Only random bytes where the header of the write-ahead log was being written may be refused.
      INFO(error.what());
      CHECK(loss == Loss::kGarble);
      CHECK(std::string(error.what()).find("its header is damaged") != std::string::npos);
    }
  }
}

/// Opens the log again and again, with the power going at a later operation each time, until it opens whole.
Model recover_with_cuts(FaultyDisk& disk, const Location& location) {
  for (std::uint64_t k = 1;; ++k) {
    disk.fail_at(k, Fault::kPowerCut);
    count_reopening();
    try {
      LogDatabase log(location);
      return read(log);
    } catch (const StorageFailure&) {
    }
    REQUIRE(disk.operations() >= k);
    disk.restart(Loss::kTear);
  }
}

}  // namespace

TEST_CASE("a power cut while the log recovers from a power cut loses nothing") {
  const std::vector<Step> steps = life();
  const std::vector<Model> models = expectations(steps);
  const std::uint64_t operations = operations_of(steps);
  for (std::uint64_t k = 1; k <= operations; k += 5) {
    FaultyDisk disk(k);
    const FaultVfs vfs(disk);
    const Location location{"log.db", vfs.name()};
    disk.fail_at(k, Fault::kPowerCut);
    std::string failure;
    const std::size_t acknowledged = live(location, steps, failure);
    INFO("fault at operation " << k << ", after " << acknowledged << " steps");
    disk.restart(Loss::kTear);
    const Model recovered = recover_with_cuts(disk, location);
    const bool as_acknowledged = recovered == models[acknowledged];
    const bool with_the_next = recovered == models[acknowledged + 1];
    CHECK((as_acknowledged || with_the_next));
  }
}

TEST_CASE("after a power cut at any operation the log holds what was acknowledged") {
  check_every_fault(Fault::kPowerCut, Loss::kOmit);
}

TEST_CASE("after a power cut that tears writes the log holds what was acknowledged") {
  check_every_fault(Fault::kPowerCut, Loss::kTear);
}

TEST_CASE("after a power cut that garbles writes the log holds what was acknowledged or is refused") {
  check_every_fault(Fault::kPowerCut, Loss::kGarble);
}

TEST_CASE("after a failed write or sync the log holds what was acknowledged") {
  check_every_fault(Fault::kIoError, Loss::kTear);
}

TEST_CASE("after the disk was full the log holds what was acknowledged") {
  check_every_fault(Fault::kFull, Loss::kTear);
}
