#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/output.h"
#include "holdfast/client.h"

/// What the commands share: how one is added to the command line, what it is given to run with, and how it
/// ends.
namespace holdfast::cli {

using std::chrono::milliseconds;

/// Scripts rely on these: DO NOT CHANGE THE NUMBERS.
enum ExitStatus : int {
  kDone = 0,
  kRefused = 1,      ///< or not found: nothing changed
  kUsage = 2,        ///< the command line is wrong; nobody was asked
  kUnavailable = 3,  ///< the cluster could not be reached, or the outcome is unknown
};

/// The options that every command takes.
struct Options {
  std::vector<std::string> endpoints = {"127.0.0.1:2379"};
  milliseconds timeout = std::chrono::seconds(5);  ///< reaching the cluster, and every single call
  Format format = Format::kText;
};

/// What a command runs with.
struct Context {
  Options options;
  Output output;
  /// COMMAND and its arguments, as they stood behind "--".
  std::vector<std::string> command;

  /// A client for these options. It writes without a session: a command makes one call and then ends, and one
  /// whose answer is lost says so instead of trying again behind the caller's back.
  client::Client connect() const;
  /// As HOLDFAST_ENDPOINTS has it, for COMMAND.
  std::string endpoints_text() const;
};

/// The command that the command line chose; run after all of it was read. Returns: the exit status.
using Chosen = std::function<int(Context&)>;

void add_config_commands(CLI::App& app, Chosen& chosen);
void add_lease_commands(CLI::App& app, Chosen& chosen);
void add_register_command(CLI::App& app, Chosen& chosen);
void add_registry_commands(CLI::App& app, Chosen& chosen);
void add_lock_commands(CLI::App& app, Chosen& chosen);
void add_member_commands(CLI::App& app, Chosen& chosen);
void add_leader_commands(CLI::App& app, Chosen& chosen);
void add_status_command(CLI::App& app, Chosen& chosen);

/// Makes `run(context, arguments)` what happens if `command` is chosen. `arguments` is owned by the closures
/// that read and use it.
template <typename Arguments>
void choose(CLI::App* command, Chosen& chosen, std::shared_ptr<Arguments> arguments,
            int (*run)(Context&, const Arguments&)) {
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
}

/// One line on stderr: "holdfast: <message>".
void complain(const std::string& message);
/// Tells on stderr what went wrong. Returns: the exit status that belongs to it.
int fail(const client::Error& error);

}  // namespace holdfast::cli
