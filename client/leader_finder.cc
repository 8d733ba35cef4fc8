#include "client/leader_finder.h"

#include <kj/timer.h>

#include <algorithm>
#include <utility>

#include "client/clock.h"
#include "client/wire.h"

namespace holdfast::sdk {

namespace {
constexpr int kCallsBeforeLook = 8;
constexpr Duration kPause = std::chrono::seconds(1);
/// When the leader's address cannot be reached from here.
constexpr Duration kLongestPause = std::chrono::minutes(1);
constexpr milliseconds kPatience{1000};
}  // namespace

LeaderFinder::LeaderFinder(net::EventLoop& loop, Channel& calls, Channel& keepalives)
    : loop_(loop), calls_(calls), keepalives_(keepalives), pause_(kPause), tasks_(*this) {}

void LeaderFinder::called() {
  if (looking_ || ++calls_since_look_ < kCallsBeforeLook || now() < next_look_) {
    return;
  }
  looking_ = true;
  calls_since_look_ = 0;
  tasks_.add(look());
}

kj::Promise<void> LeaderFinder::look() {
  return calls_.link(now() + kPatience)
      .then([this](Result<kj::Own<Link>> linked) -> kj::Promise<std::string> {
        if (!linked) {
          return std::string();
        }
        auto& link = **linked;
        return ask(link).attach(kj::mv(*linked));
      })
      .exclusiveJoin(
          loop_.timer().afterDelay(delay(2 * Duration(kPatience))).then([]() { return std::string(); }))
      .then([this](std::string leader) -> kj::Promise<bool> {
        if (leader.empty()) {
          return true;
        }
        return calls_.move_to(leader).then([this, leader](bool reached) -> kj::Promise<bool> {
          if (!reached) {
            return false;
          }
          return keepalives_.move_to(leader);
        });
      })
      .then([this](bool well) {
        pause_ = well ? kPause : std::min(2 * pause_, kLongestPause);
        next_look_ = now() + pause_;
        looking_ = false;
      });
}

kj::Promise<std::string> LeaderFinder::ask(Link& link) {
  return link.cluster().selfRequest().send().then([this, &link](auto&& self) -> kj::Promise<std::string> {
    if (self.getMember().getRole() == schema::Cluster::Role::LEADER ||
        self.getMember().getLeader().size() == 0) {
      return std::string();
    }
    auto request = link.cluster().statusRequest();
    request.initCall().setTimeoutMs(static_cast<std::uint32_t>(kPatience.count()));
    return request.send().then([this](auto&& response) {
      auto status = response.getStatus();
      std::string leader;
      for (auto member : status.getMembers()) {
        std::string endpoint = text_of(member.getEndpoint());
        calls_.learn(endpoint);
        keepalives_.learn(endpoint);
        if (member.getName() == status.getLeader()) {
          leader = endpoint;
        }
      }
      return leader;
    });
  });
}

void LeaderFinder::taskFailed(kj::Exception&&) {
  looking_ = false;
  pause_ = std::min(2 * pause_, kLongestPause);
  next_look_ = now() + pause_;
}

}  // namespace holdfast::sdk
