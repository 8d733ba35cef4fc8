#include "tests/sim/network.h"

#include <iterator>
#include <string>
#include <utility>
#include <variant>

namespace holdfast::sim {

Network::Network(Schedule& schedule, Verdict& verdict, Random random, NetworkOptions options, Deliver deliver)
    : schedule_(schedule),
      verdict_(verdict),
      random_(random),
      options_(options),
      deliver_(std::move(deliver)) {}

void Network::send(const Greeting& from, raft::Message message) {
  if (!connected(message.from, message.to) || random_.chance(options_.loss_percent)) return;
  if (clogged_.count({message.from, message.to}) != 0) return held_.push_back({from, std::move(message)});
  if (random_.chance(options_.duplicate_percent)) carry({from, message});
  carry({from, std::move(message)});
}

void Network::carry(Letter letter) {
  static constexpr const char* kinds[] = {"vote?",       "vote",    "append",   "appended",
                                          "timeout_now", "install", "installed"};
  static_assert(std::size(kinds) == std::variant_size_v<raft::Body>);
  schedule_.after(delay(), [this, letter = std::move(letter)]() mutable {
    raft::Message& message = letter.message;
    if (!connected(message.from, message.to)) return;
    const std::string link = std::to_string(message.from.value()) + ">" + std::to_string(message.to.value());
    if (const auto* piece = std::get_if<raft::InstallSnapshot>(&message.body))
      verdict_.trace("piece", link, piece->snapshot.index.value(), piece->offset, piece->size);
    if (const auto* reply = std::get_if<raft::InstallReply>(&message.body))
      verdict_.trace(reply->refused ? "piece refused" : "piece wanted", link, reply->index.value(),
                     reply->next_offset);
    verdict_.trace(kinds[message.body.index()], link, message.term.value());
    deliver_(letter.from, std::move(message));
  });
}

void Network::unclog() {
  clogged_.clear();
  for (Letter& letter : std::exchange(held_, {})) carry(std::move(letter));
}

void Network::calm() {
  heal();
  unclog();
  options_.loss_percent = 0;
  options_.duplicate_percent = 0;
  options_.straggler_percent = 0;
}

Duration Network::request_delay() {
  if (!random_.chance(options_.straggler_percent / 4)) return delay();
  return milliseconds(random_.between(100, 3000));
}

Duration Network::delay() {
  auto slowest = options_.slowest * (random_.chance(options_.straggler_percent) ? 10 : 1);
  return Duration(static_cast<Duration::rep>(random_.between(
      static_cast<std::uint64_t>(options_.fastest.count()), static_cast<std::uint64_t>(slowest.count()))));
}

}  // namespace holdfast::sim
