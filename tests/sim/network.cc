#include "tests/sim/network.h"

#include <utility>

namespace holdfast::sim {

Network::Network(Schedule& schedule, Verdict& verdict, Random random, NetworkOptions options, Deliver deliver)
    : schedule_(schedule),
      verdict_(verdict),
      random_(random),
      options_(options),
      deliver_(std::move(deliver)) {}

void Network::send(raft::Message message) {
  if (!connected(message.from, message.to) || random_.chance(options_.loss_percent)) return;
  if (random_.chance(options_.duplicate_percent)) carry(message);
  carry(std::move(message));
}

void Network::carry(raft::Message message) {
  schedule_.after(delay(), [this, message = std::move(message)]() mutable {
    if (!connected(message.from, message.to)) return;
    verdict_.trace(message.from.value(), message.to.value(), message.term.value(), message.body.index());
    deliver_(std::move(message));
  });
}

void Network::calm() {
  heal();
  options_.loss_percent = 0;
  options_.duplicate_percent = 0;
  options_.straggler_percent = 0;
}

Duration Network::delay() {
  auto slowest = options_.slowest * (random_.chance(options_.straggler_percent) ? 10 : 1);
  return Duration(static_cast<Duration::rep>(random_.between(
      static_cast<std::uint64_t>(options_.fastest.count()), static_cast<std::uint64_t>(slowest.count()))));
}

}  // namespace holdfast::sim
