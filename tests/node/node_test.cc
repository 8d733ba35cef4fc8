#include "node/node.h"

#include <catch2/catch.hpp>

#include "node/reads.h"
#include "state/rows.h"
#include "tests/node/one_node.h"

namespace holdfast::node {
namespace {

/// A cluster of one.
struct Fixture : OneNode {
  Fixture() { node.start(); }

  static Options keeping_little_log() {
    Options options = OneNode::options();
    options.log_entries_kept = 2;
    return options;
  }
  void pass(Duration time) { OneNode::pass(node, time); }
  void lead() {
    pass(std::chrono::seconds(4));
    REQUIRE(node.is_leader());
  }
  void propose(state::Operation operation) {
    node.propose(std::move(operation), {}, std::chrono::seconds(2),
                 [this](state::Reply reply) { replies.push_back(std::move(reply)); });
  }
  void put() { propose(config::Put{"/a", Blob("v"), {}, {}}); }
  LeaseId grant(milliseconds ttl) {
    propose(state::GrantLease{ttl});
    settle();
    return std::get<state::LeaseGranted>(*replies.back()).lease;
  }

  Node node{keeping_little_log(), ports(), alone(), std::make_unique<state::Machine>()};
  std::vector<state::Reply> replies;
};

TEST_CASE_METHOD(Fixture, "a member that does not lead takes no proposal, read or keepalive") {
  put();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error().code == Errc::kNotLeader);
  std::optional<Errc> code;
  node.linearizable_read(milliseconds(10), [&](Result<void> ready) { code = ready.error().code; });
  CHECK(code == Errc::kNotLeader);
}

TEST_CASE_METHOD(Fixture, "a single member answers only after its own disk has the entry") {
  lead();
  put();
  loop.run();
  CHECK(replies.empty());
  log.sync();
  loop.run();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0]);
}

TEST_CASE_METHOD(Fixture, "the proposals of one turn go out as one write") {
  lead();
  for (int i = 0; i < 5; ++i) put();
  loop.run();
  CHECK(log.waiting.size() == 1);
  settle();
  CHECK(replies.size() == 5);
}

TEST_CASE_METHOD(Fixture, "the leader makes its client address known through the log") {
  lead();
  CHECK(node.machine().members().at(MemberId(1)).client_endpoint == "127.0.0.1:2379");
  std::optional<LeaderInfo> leader;
  node.when_leader_known(milliseconds(10), [&](Result<LeaderInfo> known) { leader = *known; });
  REQUIRE(leader);
  CHECK(leader->name == "n1");
}

TEST_CASE_METHOD(Fixture, "an image never stands above what is durable in the log") {
  lead();
  put();
  settle();
  // The next entry stays in the disk's cache while the image comes due.
  put();
  loop.run();
  loop.pass(std::chrono::seconds(6));
  node.on_alarm();
  loop.run();
  REQUIRE(images.commits.size() == 1);
  CHECK(images.commits[0] < log.written.back().index);
}

TEST_CASE_METHOD(Fixture, "a large image is handed over a slice a turn, and the log is compacted behind it") {
  lead();
  for (int i = 0; i < 1000; ++i) propose(config::Put{"/k" + std::to_string(i), Blob("v"), {}, {}});
  settle();
  Index applied = node.machine().applied();
  loop.pass(std::chrono::seconds(6));
  node.on_alarm();
  CHECK(images.slices == 1);
  loop.turn();
  CHECK(images.slices == 2);
  settle();
  CHECK(images.commits == std::vector{applied});
  CHECK(log.compacted.empty());
  images.sync();
  REQUIRE(log.compacted.size() == 1);
  CHECK(log.compacted[0].first == Index(applied.value() - 2));
}

/// A cluster of one whose images bring up two rows of the configuration each.
struct SmallImages : OneNode {
  static Options options() {
    Options options = OneNode::options();
    options.image_config_rows = 2;
    return options;
  }
  void put(const std::string& key) {
    node.propose(config::Put{key, Blob("v"), {}, {}}, {}, std::chrono::seconds(2),
                 [](const state::Reply&) {});
    settle();
  }
  /// Returns: how many rows the images bring up that follow each other from now on.
  std::vector<std::size_t> take_images() {
    std::vector<std::size_t> rows;
    loop.pass(std::chrono::seconds(6));
    for (node.on_alarm(), settle(); !images.waiting.empty(); settle()) {
      rows.push_back(0);
      for (const RowChange& row : std::exchange(images.open_rows, {})) {
        rows.back() += state::table_descriptions().at(row.table).name == "config";
      }
      images.sync();
    }
    return rows;
  }

  Node node{options(), ports(), alone(), std::make_unique<state::Machine>()};
};

TEST_CASE_METHOD(SmallImages, "what one image does not bring up the next one does, at once") {
  node.start();
  pass(node, std::chrono::seconds(4));
  REQUIRE(node.is_leader());
  for (const char* key : {"/a", "/b", "/c", "/d", "/e"}) put(key);
  CHECK(take_images() == std::vector<std::size_t>{2, 2, 1});
  CHECK(take_images().empty());
  put("/c");
  CHECK(take_images() == std::vector<std::size_t>{1});
}

TEST_CASE_METHOD(SmallImages, "a member that ends brings up all that is left before it does") {
  node.start();
  pass(node, std::chrono::seconds(4));
  REQUIRE(node.is_leader());
  for (const char* key : {"/a", "/b", "/c", "/d", "/e"}) put(key);
  bool ended = false;
  node.stop([&ended] { ended = true; });
  settle();
  for (int image = 0; image < 3; ++image) {
    CHECK_FALSE(ended);
    REQUIRE(images.waiting.size() == 1);
    images.sync();
    pass(node, std::chrono::milliseconds(10));
  }
  pass(node, std::chrono::seconds(1));
  CHECK(ended);
  CHECK(images.commits.size() == 3);
}

/// A cluster of one whose leader takes one proposal at a time.
struct Crowded : OneNode {
  static Options taking_one_proposal() {
    Options options = OneNode::options();
    options.raft.max_uncommitted_bytes = 1;
    return options;
  }
  Node node{taking_one_proposal(), ports(), alone(), std::make_unique<state::Machine>()};
};

TEST_CASE_METHOD(Crowded,
                 "an expiry that is refused because too much waits to be committed comes again later") {
  node.start();
  pass(node, std::chrono::seconds(4));
  std::optional<LeaseId> lease;
  node.propose(state::GrantLease{milliseconds(1000)}, {}, std::chrono::seconds(2),
               [&](const state::Reply& reply) { lease = std::get<state::LeaseGranted>(*reply).lease; });
  settle();
  REQUIRE(lease);
  loop.pass(milliseconds(990));
  node.propose(config::Put{"/a", Blob("v"), {}, {}}, {}, std::chrono::seconds(2), [](const state::Reply&) {});
  loop.run();
  loop.pass(milliseconds(20));  // the lease is over, and the disk still writes
  int alarms = 0;
  for (; loop.alarm() <= loop.now() && alarms < 20; ++alarms) {
    node.on_alarm();
    for (int turn = 0; turn < 20; ++turn) loop.turn();
  }
  CHECK(alarms < 20);
  settle();
  CHECK(node.machine().leases().is_live(*lease));
  pass(node, milliseconds(20));
  CHECK_FALSE(node.machine().leases().is_live(*lease));
}

TEST_CASE_METHOD(Fixture, "a lease ends when its time is over, not before") {
  lead();
  LeaseId lease = grant(milliseconds(1000));
  pass(milliseconds(600));
  CHECK(node.machine().leases().is_live(lease));
  std::optional<milliseconds> ttl;
  node.keep_alive({lease}, milliseconds(100), [&](Result<std::vector<KeptAlive>> kept) {
    REQUIRE(kept);
    ttl = kept->front().ttl;
  });
  settle();
  CHECK(ttl == milliseconds(1000));
  pass(milliseconds(999));
  CHECK(node.machine().leases().is_live(lease));
  CHECK(node.remaining(lease) <= milliseconds(1));
  pass(milliseconds(2));
  CHECK_FALSE(node.machine().leases().is_live(lease));
}

TEST_CASE_METHOD(Fixture, "keepalives one by one share confirmations, and each is answered") {
  lead();
  LeaseId lease = grant(milliseconds(10'000));
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    node.keep_alive({lease}, milliseconds(500), [&](const Result<std::vector<KeptAlive>>& kept) {
      answered += kept && kept->front().ttl == milliseconds(10'000) ? 1 : 0;
    });
    settle();
  }
  CHECK(answered < 20);
  pass(Reads::kGather);
  CHECK(answered == 20);
}

TEST_CASE_METHOD(Fixture, "a keepalive waits for a revocation that is in the log undecided") {
  lead();
  LeaseId lease = grant(milliseconds(1000));
  propose(state::RevokeLease{lease});
  std::optional<milliseconds> ttl;
  node.keep_alive({lease}, milliseconds(500), [&](Result<std::vector<KeptAlive>> kept) {
    REQUIRE(kept);
    ttl = kept->front().ttl;
  });
  loop.run();
  CHECK_FALSE(ttl);
  settle();
  CHECK(ttl == milliseconds(0));
}

TEST_CASE_METHOD(Fixture, "a waiter's time in the queue is kept through the log") {
  lead();
  LeaseId holder = grant(milliseconds(60000));
  LeaseId waiter = grant(milliseconds(60000));
  lock::Acquire acquire;
  acquire.lock = "deploy";
  acquire.lease = holder;
  propose(acquire);
  acquire.lease = waiter;
  acquire.queue = true;
  acquire.wait = milliseconds(500);
  propose(acquire);
  settle();
  std::optional<Errc> outcome;
  node.grants().await("deploy", waiter, 0, [&](Result<Grant> grant) { outcome = grant.error().code; });
  pass(milliseconds(490));
  CHECK_FALSE(outcome);
  pass(milliseconds(20));
  CHECK(outcome == Errc::kWaitTimedOut);
}

TEST_CASE_METHOD(Fixture, "a call whose time is over while the disk stalls is unknown") {
  lead();
  put();
  loop.run();
  loop.pass(milliseconds(2000) + milliseconds(20));
  node.on_alarm();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error().code == Errc::kUnknown);
}

TEST_CASE_METHOD(Fixture, "short of space a leader refuses writes, reads on, and takes writes again") {
  lead();
  node.space_changed({true, 1 << 20, 64 << 20});
  put();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error().code == Errc::kDiskFull);
  bool read = false;
  node.linearizable_read(std::chrono::seconds(1), [&](Result<void> ready) { read = ready.has_value(); });
  settle();
  CHECK(read);
  node.space_changed({false, 1 << 30, 64 << 20});
  put();
  settle();
  REQUIRE(replies.size() == 2);
  CHECK(replies[1]);
}

TEST_CASE_METHOD(Fixture, "a change of the membership is answered when it is committed and applied") {
  lead();
  raft::Membership target = node.membership();
  target.learners.push_back({MemberId(2), "n2", "127.0.0.1:2382"});
  std::optional<Index> changed;
  node.change_membership(target, std::chrono::seconds(1), [&](Result<Index> done) { changed = *done; });
  CHECK(transport.members.learners.size() == 1);
  CHECK_FALSE(changed);
  settle();
  REQUIRE(changed);
  CHECK(changed == log.written.back().index);
  std::optional<Errc> refused;
  target.voters.clear();
  node.change_membership(target, std::chrono::seconds(1),
                         [&](Result<Index> done) { refused = done.error().code; });
  CHECK(refused == Errc::kInvalidArgument);
}

TEST_CASE_METHOD(Fixture, "stopping refuses new calls, answers what is in the log and writes a last image") {
  lead();
  put();
  loop.run();
  put();  // not in the log yet
  bool stopped = false;
  node.stop([&] { stopped = true; });
  CHECK(node.is_stopping());
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error().code == Errc::kStopping);
  put();
  REQUIRE(replies.size() == 2);
  CHECK(replies[1].error().code == Errc::kStopping);
  loop.run();
  CHECK(replies.size() == 2);
  CHECK(images.commits.empty());
  settle();
  REQUIRE(replies.size() == 3);
  CHECK(replies[2]);
  CHECK_FALSE(stopped);
  REQUIRE(images.commits.size() == 1);
  images.sync();
  CHECK(stopped);
}

TEST_CASE_METHOD(Fixture, "stopping does not wait for ever for what is in the log") {
  lead();
  put();
  loop.run();
  bool stopped = false;
  node.stop([&] { stopped = true; });
  loop.pass(options().raft.election_timeout);
  node.on_alarm();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error().code == Errc::kUnknown);
  settle();
  REQUIRE(images.commits.size() == 1);
  images.sync();
  CHECK(stopped);
}

}  // namespace
}  // namespace holdfast::node
