#include <initializer_list>

#include "tests/sim/world.h"

namespace holdfast::sim {

namespace {

FaultOptions draw_faults(Random& random, Duration election_timeout) {
  FaultOptions faults;
  faults.election_timeout = election_timeout;
  // Some worlds have hardly a quiet moment.
  faults.between = milliseconds(random.chance(40) ? random.between(40, 200) : random.between(150, 1500));
  if (random.chance(15)) faults.wipe = 20;
  for (std::uint64_t* weight :
       {&faults.crash, &faults.crash_all, &faults.stop, &faults.pause, &faults.crash_leader,
        &faults.oversleep, &faults.usurp, &faults.partition, &faults.clog, &faults.slow_disk,
        &faults.hand_over, &faults.wipe, &faults.failing_disk, &faults.full_disk, &faults.flipped_bit}) {
    if (random.chance(40)) *weight = 0;
  }
  // And in some, leaders are deposed again and again without hearing of it.
  if (random.chance(25)) {
    faults = {.between = faults.between,
              .election_timeout = election_timeout,
              .crash = 1,
              .crash_leader = 1,
              .crash_all = 0,
              .stop = 0,
              .pause = 0,
              .oversleep = 4,
              .usurp = 4,
              .partition = 1,
              .clog = 1,
              .slow_disk = 0,
              .hand_over = 0,
              .wipe = 0,
              .failing_disk = 0,
              .full_disk = 0,
              .flipped_bit = 0};
    faults.between = milliseconds(random.between(300, 900));
  }
  return faults;
}

NetworkOptions draw_network(Random& random) {
  NetworkOptions network;
  network.slowest = milliseconds(random.between(1, 20));
  if (random.chance(30)) return network;
  network.loss_percent = static_cast<double>(random.below(random.chance(20) ? 31 : 12));
  network.duplicate_percent = static_cast<double>(random.below(random.chance(30) ? 51 : 20));
  network.straggler_percent = static_cast<double>(random.below(15));
  return network;
}

node::Options draw_node(Random& random, bool large_image) {
  node::Options node;
  node.image_interval = milliseconds(random.between(150, 2500));
  node.image_after_bytes = random.chance(30) ? 2000 : 1 << 20;
  node.history_memory_bytes = random.chance(50) ? random.below(3000) : 1 << 20;
  node.log_entries_kept = random.below(60);
  // Most leaders keep so little that who was away for a moment has to be sent an image, in many pieces.
  node.log_bytes_kept = random.chance(70) ? random.below(random.chance(50) ? 2000 : 20'000) : 64 << 20;
  if (random.chance(50)) node.log_entries_kept = random.below(10);
  if (random.chance(40)) node.image_interval = milliseconds(random.between(100, 400));
  // A large image in small pieces, each overtaken by others, would take all day.
  node.snapshot_piece_bytes = large_image ? random.between(16'384, 65'536) : random.between(64, 4096);
  node.snapshot_patience = milliseconds(random.between(2000, 10'000));
  node.raft.max_append_bytes = random.chance(30) ? 300 : 1 << 20;
  node.raft.max_appends_in_flight = random.between(1, 64);
  if (random.chance(30)) node.raft.max_bytes_in_flight = random.between(200, 4000);
  if (random.chance(20)) node.raft.max_uncommitted_bytes = random.between(500, 5000);
  node.raft.promotion_lag = random.chance(50) ? random.below(40) : 1000;
  if (random.chance(50)) node.image_config_rows = random.between(1, 8);
  return node;
}

/// Tiny ones now and then: who runs into them is refused, or reads history.
void draw_bounds(Random& random, bool large_values, node::Bounds& bounds) {
  if (random.chance(15)) bounds.proposals = random.between(1, 4);
  // What a client sends fits at least alone.
  if (random.chance(15)) bounds.proposal_bytes = large_values ? 1 << 19 : random.between(3000, 8000);
  if (random.chance(30)) bounds.watch_queue_bytes = random.between(200, 3000);
}

/// Half of the worlds keep the members they began with, but for lost disks.
ChurnOptions draw_churn(Random& random) {
  ChurnOptions churn;
  churn.spares = 1;
  if (random.chance(50)) return churn;
  churn.spares = random.between(1, 4);
  churn.between = milliseconds(random.between(60, 800));
  for (std::uint64_t* weight :
       {&churn.add, &churn.promote, &churn.remove, &churn.replace, &churn.demote, &churn.several}) {
    if (random.chance(25)) *weight = 0;
  }
  if (random.chance(25)) {
    churn.many_hands = true;
    churn.between = milliseconds(random.between(10, 60));
    churn.several = churn.replace = 4;
  }
  return churn;
}

}  // namespace

WorldOptions draw_options(std::uint64_t seed) {
  Random random(seed ^ 0x5eed5eed5eed5eed);
  WorldOptions options;
  constexpr std::size_t kVoters[] = {1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 7};
  options.voters = kVoters[random.below(std::size(kVoters))];
  options.learners = random.chance(80) ? 0 : random.between(1, 2);
  options.writers = static_cast<int>(random.between(1, 5));
  options.lockers = static_cast<int>(random.between(0, 5));
  options.loyal_clients = static_cast<int>(random.below(4));
  options.watchers = static_cast<int>(random.between(1, 3));
  options.trouble = milliseconds(random.between(2000, 6000));
  options.election_timeout = milliseconds(random.between(200, 600));
  options.heartbeats_per_election_timeout = static_cast<int>(random.between(3, 8));
  options.large_values = random.chance(10);
  if (random.chance(70)) options.drift_permille = kMostDriftPermille;
  if (random.chance(30)) options.session_window = random.between(1, 3);
  options.disk.slowest = milliseconds(random.between(1, 15));
  options.disk.stall_percent = static_cast<double>(random.below(3));
  options.faults = draw_faults(random, options.election_timeout);
  options.network = draw_network(random);
  options.disk.sqlite = random.chance(10);
  options.node = draw_node(random, options.large_values || options.disk.sqlite);
  options.churn = draw_churn(random);
  options.lax_links = random.chance(40);
  if (!options.disk.sqlite) options.faults.flipped_bit = 0;
  if (!options.disk.sqlite) draw_bounds(random, options.large_values, options.node.bounds);
  if (random.chance(50)) options.node.raft.commit_news_delay = milliseconds(random.between(1, 100));
  return options;
}

}  // namespace holdfast::sim
