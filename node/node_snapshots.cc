#include <memory>
#include <utility>

#include "base/check.h"
#include "node/node_impl.h"

/// How another member's image takes the place of this one's state:
///
///     the file is whole --> nothing is applied, no image is begun --> the one under way is durable
///       --> the core lets its log stand still --> the store installs (file, log and base in one step)
///       --> the machine is exchanged, whoever waited on the old one is answered --> the core goes on from
///       there
///
/// The loop turns all the while: heartbeats are answered, and what the old machine knows can still be read.
namespace holdfast::node {

namespace {

/// Filled on the store's thread, taken over on the loop.
class MachineLoader final : public ImageLoader {
 public:
  explicit MachineLoader(std::uint16_t feature_level) : machine(feature_level) {}
  Result<void> take(std::size_t table, const Row& row) override { return machine.load(table, row); }
  Revision history_wanted() const override { return machine.history_wanted(); }
  Result<void> take_history(const HistoryRow& row) override { return machine.load_history(row.changes); }
  Result<void> finish() override { return machine.finish_loading(); }
  state::Machine machine;
};

}  // namespace

void Node::Impl::piece_received(MemberId from, raft::InstallSnapshot piece) {
  if (stopping_ || space_.low) return;
  receiver_.receive(from, std::move(piece));
}

void Node::Impl::piece_answered(MemberId from, const raft::InstallReply& reply) {
  sender_.receive(now(), from, reply);
}

void Node::Impl::image_received(const raft::Snapshot& snapshot) {
  driver_.hold_applying(true);
  imager_.suspend(lifetime_.guard([this, snapshot] { install(snapshot); }));
}

void Node::Impl::install(const raft::Snapshot& snapshot) {
  // It may have caught up, or even been elected, while the image came.
  if (stopping_ || machine_->applied() >= snapshot.index || !driver_.begin_install(snapshot)) {
    return give_up_install(nullptr);
  }
  // Owners: the store, and the completion until it has run. It holds the old machine then, which is too large
  // to be freed on the loop.
  auto loader = std::make_shared<MachineLoader>(options_.feature_level);
  ports_.snapshot_store.install(snapshot, loader,
                                lifetime_.guard([this, snapshot, loader](const Result<void>& done) {
                                  if (done) {
                                    installed(snapshot, loader->machine);
                                  } else {
                                    driver_.abandon_install();
                                    give_up_install(&done.error());
                                    if (done.error().code == Errc::kNotEnabled) stop_applying(done.error());
                                  }
                                  settle();
                                }));
}

void Node::Impl::installed(const raft::Snapshot& snapshot, state::Machine& fresh) {
  INVARIANT(fresh.applied() == snapshot.index, "an image stands where its sender said");
  INVARIANT(!in_office_, "whoever leads in office applies its own log");
  const Revision before = machine_->revision();
  watches_.replacing(fresh);
  machine_->swap(fresh);
  watches_.replaced(before);
  imager_.replaced();
  receiver_.installed();
  ports_.logging.write(LogLevel::kInfo, "snapshot_installed",
                       {{"index", snapshot.index},
                        {"term", snapshot.term},
                        {"revision", machine_->revision()},
                        {"before", before}});
  // What happened in between is told to nobody: whoever waited for it asks again.
  proposals_.passed_over(snapshot.index);
  membership_calls_.passed_over();
  grants_.fail_all(not_leader());
  driver_.installed(snapshot);
  driver_.hold_applying(false);
  tell_leader();
}

void Node::Impl::give_up_install(const Error* why) {
  if (why) {
    ports_.logging.write(LogLevel::kWarn, "snapshot_not_installed", {{"error", why->message}});
  }
  receiver_.given_up(why != nullptr);
  imager_.resume();
  driver_.hold_applying(false);
}

}  // namespace holdfast::node
