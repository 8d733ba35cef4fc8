#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/holding.h"
#include "cli/json.h"

/// lock: takes a lock and holds it until a signal or the end of standard input, or as long as COMMAND runs.
/// locks: shows who holds and who waits.
namespace holdfast::cli {

namespace {

struct LockArguments {
  std::string name;
  bool try_once = false;
  std::optional<milliseconds> wait;
  milliseconds ttl = std::chrono::seconds(10);
  std::string owner;
};

/// "build-7:4711": enough to find the process that holds a lock.
std::string default_owner() {
  std::array<char, 128> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return std::to_string(getpid());
  return std::string(host.data()) + ":" + std::to_string(getpid());
}

std::string describe_holder(client::Client& client, const std::string& name) {
  const auto locks = client.locks(name);
  if (!locks || locks->empty() || locks->front().holders.empty()) return "";
  const client::LockHolder& holder = locks->front().holders.front();
  return "held by '" + holder.owner + "' under token " + std::to_string(holder.token);
}

int not_acquired(client::Client& client, const LockArguments& arguments, const client::Error& error) {
  switch (error.code) {
    case client::Errc::kLockHeld: {
      const std::string holder = describe_holder(client, arguments.name);
      complain("lock " + arguments.name + " is " + (holder.empty() ? "held by another" : holder));
      return kRefused;
    }
    case client::Errc::kWaitTimedOut: {
      const std::string holder = describe_holder(client, arguments.name);
      complain("lock " + arguments.name + " was not acquired within " +
               to_text(arguments.wait.value_or(milliseconds(0))) +
               (holder.empty() ? "" : ": it is " + holder));
      return kRefused;
    }
    case client::Errc::kCancelled:
      complain("lock " + arguments.name + " was not acquired: the wait was ended by a signal");
      return kRefused;
    default:
      return fail(error);
  }
}

/// Releases. Returns: `status`, or what went wrong if that matters more.
int release(client::Lock& lock, const LockArguments& arguments, int status, bool has_command) {
  const auto released = lock.release();
  if (released) return status;
  if (released.error().code == client::Errc::kNotHolder ||
      released.error().code == client::Errc::kLeaseNotFound) {
    complain("lock " + arguments.name + " was lost before it was released");
    return kRefused;
  }
  const int failure = fail(released.error());
  complain("lock " + arguments.name + " is free when its lease has ended, within " + to_text(arguments.ttl));
  return has_command ? status : failure;
}

int run_command(Context& context, const LockArguments& arguments, Signals& signals, const Held& held,
                client::Lock& lock) {
  const ChildProcess::Exports exports = {{"HOLDFAST_LOCK", lock.name()},
                                         {"HOLDFAST_TOKEN", std::to_string(lock.token())},
                                         {"HOLDFAST_LEASE", lease_text(lock.lease())},
                                         {"HOLDFAST_ENDPOINTS", context.endpoints_text()}};
  auto command = ChildProcess::start(context.command, exports, signals.original_mask());
  if (!command) {
    complain(command.error().message);
    return release(lock, arguments, command.error().exit_status, true);
  }
  if (hold_for_command(held, signals, **command) == HoldEnd::kLost) {
    complain("lock " + arguments.name + " was lost; the command was ended");
    return kRefused;
  }
  return release(lock, arguments, *(*command)->ended(), true);
}

int run_lock(Context& context, const LockArguments& arguments) {
  Signals signals;
  Loss loss;
  client::Client client = context.connect();
  client::LockOptions options;
  options.queue = !arguments.try_once;
  options.wait = arguments.wait;
  options.ttl = arguments.ttl;
  options.owner = arguments.owner.empty() ? default_owner() : arguments.owner;
  options.on_lost = [&loss](const client::Error&) { loss.notify(); };
  options.keep_waiting = [&signals] { return !signals.is_stop_asked(); };
  auto lock = client.lock(arguments.name, std::move(options));
  if (!lock) return not_acquired(client, arguments, lock.error());

  const bool has_command = !context.command.empty();
  if (!has_command || context.output.format() == Format::kJson) {
    context.output.locked(lock->name(), lock->token(), lock->lease());
  }
  const Held held{arguments.ttl, [&lock] { return lock->safe_for(); }, loss};
  if (has_command) return run_command(context, arguments, signals, held, *lock);
  if (hold(held, signals) == HoldEnd::kLost) {
    complain("lock " + arguments.name + " was lost");
    return kRefused;
  }
  return release(*lock, arguments, kDone, false);
}

struct LocksArguments {
  std::string name;
};

int run_locks(Context& context, const LocksArguments& arguments) {
  client::Client client = context.connect();
  const auto locks = client.locks(arguments.name);
  const bool none = !locks && locks.error().code == client::Errc::kLockNotFound;
  if (!locks && !none) return fail(locks.error());
  context.output.locks(none ? std::vector<client::LockInfo>() : *locks);
  return kDone;
}

}  // namespace

void add_lock_commands(CLI::App& app, Chosen& chosen) {
  {
    auto arguments = std::make_shared<LockArguments>();
    CLI::App* command =
        app.add_subcommand("lock", "Hold a lock until a signal or the end of input, or while COMMAND runs");
    command->footer(
        "-- COMMAND [ARGUMENT...] holds the lock while COMMAND runs, with HOLDFAST_LOCK and HOLDFAST_TOKEN "
        "in its environment.");
    command->add_option("NAME", arguments->name)->required();
    CLI::Option* try_once =
        command->add_flag("--try", arguments->try_once, "Do not wait: take it now or exit 1");
    add_duration(*command, "--wait", arguments->wait, Zero::kAllowed,
                 "Wait for at most this long; without it, as long as it takes")
        ->excludes(try_once);
    add_duration(*command, "--ttl", arguments->ttl, Zero::kRefused,
                 "How long it stays locked after this process died (10s)");
    command->add_option("--owner", arguments->owner, "Who holds it, for people (host:pid)");
    choose(command, chosen, arguments, run_lock);
  }
  {
    auto arguments = std::make_shared<LocksArguments>();
    CLI::App* command = app.add_subcommand("locks", "Show who holds and who waits for a lock, or for all");
    command->add_option("NAME", arguments->name);
    choose(command, chosen, arguments, run_locks);
  }
}

}  // namespace holdfast::cli
