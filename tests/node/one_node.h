#pragma once

#include <algorithm>

#include "base/logging.h"
#include "node/node.h"
#include "tests/node/fake_world.h"

namespace holdfast::node {

/// What a whole node runs on, while the test holds its disk, images and time in its hand. Fixtures derive
/// from it and add the node.
struct OneNode {
  /// Of member 1, "n1".
  static Options options() {
    Options options;
    options.raft.self = MemberId(1);
    options.raft.data_id = "data-1";
    options.name = "n1";
    options.client_endpoint = "127.0.0.1:2379";
    return options;
  }
  /// A cluster of that member alone.
  static raft::Restored alone() {
    raft::Restored restored;
    restored.membership.voters = {{MemberId(1), "n1", "127.0.0.1:2380", "data-1"}};
    return restored;
  }
  Ports ports() { return {loop, log, images, snapshots, transport, logging}; }

  /// Until nothing is left to do but wait: whatever is written to the log is durable.
  void settle() {
    loop.run();
    while (!log.waiting.empty()) {
      log.sync();
      loop.run();
    }
  }
  void pass(Node& node, Duration time) {
    const Instant end = loop.now() + time;
    while (loop.now() < end) {
      loop.pass(std::max(Duration(1), std::min(end, loop.alarm()) - loop.now()));
      node.on_alarm();
      settle();
    }
  }

  FakeLoop loop;
  FakeLog log;
  FakeImages images;
  FakeSnapshots snapshots;
  FakeTransport transport;
  NullLogSink logging;
};

}  // namespace holdfast::node
