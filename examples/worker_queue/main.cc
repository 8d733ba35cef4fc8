/// Workers that take turns. Each waits in the fair queue of one lock, does one unit of work when its turn
/// comes, and lines up again; start as many as you like, on as many machines. They share a ledger, the key
/// worker_queue/ledger:
///
///     {"unit": 7, "token": 42, "worker": "w1"}        the last unit that was done, under which grant, and by
///     whom
///
/// A lock alone cannot keep a worker that was paused (swapped out, suspended) from waking up and believing
/// that it is still its turn. The ledger can: it takes no unit under a smaller token than the last one it has
/// seen, and no write that did not see the write before it.
///
///     worker_queue --name w1 --units 10
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "holdfast/client.h"

namespace client = holdfast::client;

namespace {

constexpr const char* kLock = "worker_queue";
constexpr const char* kLedger = "worker_queue/ledger";

struct Ledger {
  std::uint64_t unit = 0;
  std::uint64_t token = 0;
  std::uint64_t revision = 0;  ///< of the key; 0: nobody has written it yet
};

client::Result<Ledger> read_ledger(client::Client& client) {
  const auto found = client.get(kLedger);
  if (!found) return tl::unexpected(found.error());
  if (found->entries.empty()) return Ledger{};
  const auto json = nlohmann::json::parse(found->entries.front().value, nullptr, false);
  if (!json.is_object()) {
    return tl::unexpected(client::Error{client::Errc::kInternal, std::string(kLedger) + " is no ledger", 0});
  }
  return Ledger{json.value("unit", std::uint64_t{0}), json.value("token", std::uint64_t{0}),
                found->entries.front().mod_revision};
}

/// The work itself, while the lock is held. Returns: the number of the unit that was done.
client::Result<std::uint64_t> do_one_unit(client::Client& client, const client::Lock& turn,
                                          const std::string& name) {
  const auto ledger = read_ledger(client);
  if (!ledger) return tl::unexpected(ledger.error());
  if (turn.token() <= ledger->token) {
    return tl::unexpected(
        client::Error{client::Errc::kNotHolder, "somebody with a later turn was here already", 0});
  }
  const std::uint64_t unit = ledger->unit + 1;
  const nlohmann::ordered_json done = {{"unit", unit}, {"token", turn.token()}, {"worker", name}};
  client::PutOptions only_after_what_was_read;
  only_after_what_was_read.if_revision = ledger->revision;
  const auto written = client.put(kLedger, done.dump(), only_after_what_was_read);
  if (!written) return tl::unexpected(written.error());
  std::cout << done.dump() << std::endl;
  return unit;
}

/// One turn: from lining up to the release.
client::Result<std::uint64_t> take_turn(client::Client& client, const std::string& name) {
  client::LockOptions options;
  options.owner = name;
  auto turn = client.lock(kLock, options);  // waits its place in the queue, as long as it takes
  if (!turn) return tl::unexpected(turn.error());
  auto unit = do_one_unit(client, *turn, name);
  if (const auto released = turn->release(); !released && unit) return tl::unexpected(released.error());
  return unit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Takes turns with other workers: one unit of work under the lock, then to the end of the queue.",
      "worker_queue");
  client::Options options;
  std::string name = "worker-" + std::to_string(getpid());
  std::uint64_t units = 5;
  app.add_option("--endpoints", options.endpoints, "Members of the cluster: HOST:PORT,...")
      ->delimiter(',')
      ->envname("HOLDFAST_ENDPOINTS");
  app.add_option("--name", name, "This worker's name");
  app.add_option("--units", units, "How many units it does before it ends (5)");
  CLI11_PARSE(app, argc, argv);

  client::Client client(options);
  for (std::uint64_t done = 0; done < units;) {
    const auto unit = take_turn(client, name);
    if (unit) {
      ++done;
      continue;
    }
    std::cerr << name << ": " << unit.error().message << std::endl;
    // A turn that was lost is taken again; a cluster that is away or an outcome nobody knows is for people to
    // look at.
    if (unit.error().code != client::Errc::kNotHolder && unit.error().code != client::Errc::kRevisionMismatch)
      return 1;
  }
  return 0;
}
