#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/holding.h"
#include "cli/json.h"

/// register: keeps an instance registered until a signal, or as long as COMMAND runs. It never reads standard
/// input.
namespace holdfast::cli {

namespace {

struct RegisterArguments {
  std::string service;
  client::Instance instance;
  HostPort address;
  milliseconds ttl = std::chrono::seconds(10);
};

std::string name_of(const RegisterArguments& arguments) {
  return arguments.service + "/" + arguments.instance.id;
}

/// Deregisters. Returns: the exit status; what somebody else has removed already is no failure.
int end_registration(client::Registration& registration) {
  const auto done = registration.deregister();
  if (done) return kDone;
  const int status = fail(done.error());
  return status == kRefused ? static_cast<int>(kDone) : status;
}

int run_command(Context& context, const RegisterArguments& arguments, Signals& signals, const Loss& loss,
                client::Registration& registration) {
  if (context.output.format() == Format::kJson) {
    context.output.registered(arguments.service, arguments.instance.id, registration.lease());
  }
  const ChildProcess::Exports exports = {{"HOLDFAST_SERVICE", arguments.service},
                                         {"HOLDFAST_INSTANCE", arguments.instance.id},
                                         {"HOLDFAST_LEASE", lease_text(registration.lease())},
                                         {"HOLDFAST_ENDPOINTS", context.endpoints_text()}};
  auto command = ChildProcess::start(context.command, exports, signals.original_mask());
  if (!command) {
    complain(command.error().message);
    return command.error().exit_status;
  }
  const Held held{arguments.ttl, [&registration] { return registration.safe_for(); }, loss};
  if (hold_for_command(held, signals, **command) == HoldEnd::kLost) {
    complain(name_of(arguments) + " is no longer registered: its lease was lost; the command was ended");
    return kRefused;
  }
  end_registration(registration);
  return *(*command)->ended();
}

int run_register(Context& context, const RegisterArguments& arguments) {
  Signals signals;
  Loss loss;
  const bool has_command = !context.command.empty();
  client::Client client = context.connect();
  client::Instance instance = arguments.instance;
  instance.address = arguments.address.host;
  instance.port = arguments.address.port;
  client::RegisterOptions options;
  options.ttl = arguments.ttl;
  // COMMAND was told its lease and ends with it; alone, the registration is what matters and is made anew.
  options.re_register = !has_command;
  options.on_lost = [&loss, &arguments, has_command](const client::Error& error) {
    loss.notify();
    if (!has_command) complain(name_of(arguments) + ": " + error.message + "; registering anew");
  };
  auto registration = client.register_instance(arguments.service, std::move(instance), std::move(options));
  if (!registration) return fail(registration.error());
  if (has_command) return run_command(context, arguments, signals, loss, *registration);

  context.output.registered(arguments.service, arguments.instance.id, registration->lease());
  hold_until_stopped(signals);
  return end_registration(*registration);
}

}  // namespace

void add_register_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<RegisterArguments>();
  CLI::App* command = app.add_subcommand(
      "register", "Register an instance of a service for as long as this, or COMMAND, runs");
  command->footer("-- COMMAND [ARGUMENT...] registers for as long as COMMAND runs.");
  command->add_option("SERVICE", arguments->service)->required();
  command->add_option("--id", arguments->instance.id, "The instance's name within its service")->required();
  add_host_port(*command, "--address", arguments->address, "Where it is reached")->required();
  add_list(*command, "--tag", arguments->instance.tags, "May be given several times");
  add_pairs(*command, "--meta", arguments->instance.metadata, "May be given several times");
  add_duration(*command, "--ttl", arguments->ttl, Zero::kRefused,
               "How long it stays after this process died (10s)");
  choose(command, chosen, arguments, run_register);
}

}  // namespace holdfast::cli
