#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/signals.h"

/// lease grant, keep-alive, revoke, show, list.
namespace holdfast::cli {

namespace {

struct GrantArguments {
  milliseconds ttl{0};
};

int grant(Context& context, const GrantArguments& arguments) {
  client::Client client = context.connect();
  const auto lease = client.grant_lease(arguments.ttl);
  if (!lease) return fail(lease.error());
  context.output.lease_granted(*lease);
  return kDone;
}

struct LeaseArguments {
  client::LeaseId lease;
  bool once = false;
};

/// Returns: true if a signal to stop came before `limit` was over.
bool stopped_within(const Signals& signals, milliseconds limit) {
  pollfd waited{signals.stop_descriptor(), POLLIN, 0};
  return poll(&waited, 1, static_cast<int>(std::min<milliseconds>(limit, std::chrono::hours(1)).count())) > 0;
}

/// Renews every third of the TTL, and sooner after a renewal that failed. It gives up when nothing was heard
/// for a whole TTL: from then on the lease may be over.
int keep_alive(Context& context, const LeaseArguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const Signals signals;
  client::Client client = context.connect();
  milliseconds ttl{0};
  Clock::time_point kept_until{};
  while (true) {
    const Clock::time_point asked = Clock::now();
    const auto kept = client.keep_alive({arguments.lease});
    if (kept && (kept->empty() || kept->front().count() == 0)) {
      complain("lease " + lease_text(arguments.lease) + " has ended or never was");
      return kRefused;
    }
    if (kept) {
      ttl = kept->front();
      kept_until = asked + ttl;
      context.output.lease_kept(arguments.lease, ttl);
      if (arguments.once || !context.output.is_complete()) return kDone;
    } else {
      const int status = fail(kept.error());
      if (arguments.once || status != kUnavailable || Clock::now() >= kept_until) return status;
    }
    if (stopped_within(signals, kept ? ttl / 3 : std::max<milliseconds>(ttl / 20, milliseconds(10))))
      return kDone;
  }
}

int revoke(Context& context, const LeaseArguments& arguments) {
  client::Client client = context.connect();
  const auto revoked = client.revoke_lease(arguments.lease);
  if (!revoked) return fail(revoked.error());
  context.output.lease_revoked(arguments.lease);
  return kDone;
}

int show(Context& context, const LeaseArguments& arguments) {
  client::Client client = context.connect();
  const auto lease = client.show_lease(arguments.lease);
  if (!lease) return fail(lease.error());
  context.output.lease(*lease);
  return kDone;
}

struct NoArguments {};

int list(Context& context, const NoArguments&) {
  client::Client client = context.connect();
  const auto leases = client.list_leases();
  if (!leases) return fail(leases.error());
  context.output.leases(*leases);
  return kDone;
}

CLI::App* add_command_on_lease(CLI::App* leases, Chosen& chosen, const char* name, const char* description,
                               const std::shared_ptr<LeaseArguments>& arguments,
                               int (*run)(Context&, const LeaseArguments&)) {
  CLI::App* command = leases->add_subcommand(name, description);
  add_lease_id(*command, "ID", arguments->lease, "The lease")->required();
  choose(command, chosen, arguments, run);
  return command;
}

}  // namespace

void add_lease_commands(CLI::App& app, Chosen& chosen) {
  CLI::App* leases = app.add_subcommand("lease", "Grant, keep alive, revoke and show leases");
  leases->require_subcommand(1);
  leases->fallthrough();

  auto grant_arguments = std::make_shared<GrantArguments>();
  CLI::App* command = leases->add_subcommand("grant", "Begin a lease");
  add_duration(*command, "TTL", grant_arguments->ttl, Zero::kRefused, "How long it lasts without a keepalive")
      ->required();
  choose(command, chosen, grant_arguments, grant);

  auto kept = std::make_shared<LeaseArguments>();
  command =
      add_command_on_lease(leases, chosen, "keep-alive", "Renew a lease until a signal", kept, keep_alive);
  command->add_flag("--once", kept->once, "Renew once and return");

  add_command_on_lease(leases, chosen, "revoke", "End a lease and all that is attached to it",
                       std::make_shared<LeaseArguments>(), revoke);
  add_command_on_lease(leases, chosen, "show", "Show a lease and what is attached to it",
                       std::make_shared<LeaseArguments>(), show);
  choose(leases->add_subcommand("list", "List all leases"), chosen, std::make_shared<NoArguments>(), list);
}

}  // namespace holdfast::cli
