#include "client/link.h"

#include <kj/timer.h>

#include <utility>

#include "client/clock.h"
#include "client/wire.h"

namespace holdfast::sdk {

namespace {
constexpr milliseconds kProbeInterval{1000};
constexpr milliseconds kProbePatience{2000};
/// Probes in a row that found no leader: longer than an election takes.
constexpr int kMostLeaderless = 3;
}  // namespace

Link::Link(net::EventLoop& loop, kj::Own<net::MessageStream> stream, std::string address)
    : loop_(loop),
      address_(std::move(address)),
      connection_(kj::mv(stream)),
      service_(connection_.bootstrap().castAs<schema::Holdfast>()),
      leases_(service_.leasesRequest().send().getLeases()),
      config_(service_.configRequest().send().getConfig()),
      registry_(service_.registryRequest().send().getRegistry()),
      locks_(service_.locksRequest().send().getLocks()),
      cluster_(service_.clusterRequest().send().getCluster()),
      ended_(connection_.on_disconnect().catch_([](kj::Exception&&) {}).fork()) {}

kj::Promise<void> Link::useless() {
  if (!probing_) {
    probing_ = true;
    useless_ = probe({}, 0).exclusiveJoin(ended()).fork();
  }
  return useless_.addBranch();
}

kj::Promise<void> Link::probe(std::string leader, int leaderless) {
  struct Answer {
    bool came = false;
    std::string leader;
  };
  auto answer =
      cluster_.selfRequest()
          .send()
          .then(
              [](auto&& response) {
                return Answer{true, text_of(response.getMember().getLeader())};
              },
              [](kj::Exception&&) { return Answer{}; })
          .exclusiveJoin(loop_.timer().afterDelay(delay(kProbePatience)).then([]() { return Answer{}; }));
  return answer.then([this, leader = std::move(leader), leaderless](Answer got) mutable -> kj::Promise<void> {
    in_touch_ = !got.leader.empty();
    int in_a_row = in_touch_ ? 0 : leaderless + 1;
    bool another = in_touch_ && !leader.empty() && got.leader != leader;
    if (!got.came || in_a_row >= kMostLeaderless || another) {
      return kj::READY_NOW;
    }
    return loop_.timer()
        .afterDelay(delay(kProbeInterval))
        .then([this, leader = in_touch_ ? std::move(got.leader) : std::move(leader), in_a_row]() mutable {
          return probe(std::move(leader), in_a_row);
        });
  });
}

}  // namespace holdfast::sdk
