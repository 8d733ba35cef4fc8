#include <catch2/catch.hpp>
#include <optional>

#include "tests/node/one_node.h"

namespace holdfast::node {
namespace {

/// A member of the version before, on whose log a newer one has written: a put that it understands, and
/// behind that whatever the test says.
struct OlderMember : OneNode {
  explicit OlderMember(state::Operation newer)
      : node(older(), ports(), restored(std::move(newer)),
             std::make_unique<state::Machine>(state::level::kFirst)) {
    node.start();
    pass(node, std::chrono::seconds(4));
  }

  Options older() {
    Options options = OneNode::options();
    options.feature_level = state::level::kFirst;
    options.outdated = [this](const Error& why) {
      ++stopped;
      error = why;
    };
    return options;
  }
  static raft::Restored restored(state::Operation newer) {
    raft::Restored restored = alone();
    restored.hard_state.term = Term(1);
    const state::Operation put = config::Put{"/a", Blob("v"), {}, {}};
    for (const state::Operation& operation : {put, newer, put}) {
      raft::Entry entry;
      entry.term = Term(1);
      entry.index = Index(restored.entries.size() + 1);
      entry.payload = state::encode({{}, {}, operation}).value();
      restored.entries.push_back(std::move(entry));
    }
    return restored;
  }

  int stopped = 0;
  Error error;
  Node node;
};

}  // namespace

TEST_CASE("a member that is too old stops in front of what it does not understand, and says why") {
  const config::Delete bounded{config::KeyRange::prefix("/"), {}, 1, true};
  for (const state::Operation& newer :
       {state::Operation(bounded), state::Operation(state::RaiseFeatureLevel{state::level_of(bounded)})}) {
    OlderMember member(newer);
    CHECK(member.stopped == 1);
    CHECK(member.error.code == Errc::kNotEnabled);
    CHECK(member.error.message.find("start the version") != std::string::npos);
    CHECK(member.node.machine().applied() == Index(1));
    CHECK(member.node.machine().config().find("/a") != nullptr);
  }
}

TEST_CASE("what every version understands stops nobody") {
  OlderMember member(config::Delete{config::KeyRange::prefix("/"), {}});
  CHECK(member.stopped == 0);
  CHECK(member.node.is_leader());
  CHECK(member.node.machine().feature_level() == state::level::kFirst);
  std::optional<Errc> refused;
  member.node.propose(config::Delete{config::KeyRange::prefix("/"), {}, 1, true}, {}, std::chrono::seconds(1),
                      [&](state::Reply reply) { refused = reply.error().code; });
  CHECK(refused == Errc::kNotEnabled);
}

}  // namespace holdfast::node
