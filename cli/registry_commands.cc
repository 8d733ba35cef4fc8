#include <memory>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"

/// deregister, services, resolve. register is a file of its own.
namespace holdfast::cli {

namespace {

struct DeregisterArguments {
  std::string service;
  std::string id;
};

int deregister(Context& context, const DeregisterArguments& arguments) {
  client::Client client = context.connect();
  const auto done = client.deregister(arguments.service, arguments.id);
  if (!done) return fail(done.error());
  context.output.deregistered(arguments.service, arguments.id);
  return kDone;
}

struct NoArguments {};

int services(Context& context, const NoArguments&) {
  client::Client client = context.connect();
  const auto found = client.services();
  if (!found) return fail(found.error());
  context.output.services(*found);
  return kDone;
}

struct ResolveArguments {
  std::string service;
  client::ResolveOptions options;
  bool watch = false;
};

int watch_service(Context& context, client::Client& client, const ResolveArguments& arguments) {
  auto watch = client.watch_service(arguments.service, arguments.options);
  if (!watch) return fail(watch.error());
  while (context.output.is_complete()) {
    const auto instances = watch->next();
    if (!instances) return fail(instances.error());
    context.output.resolved(arguments.service, *instances);
  }
  return kDone;
}

int resolve(Context& context, const ResolveArguments& arguments) {
  client::Client client = context.connect();
  if (arguments.watch) return watch_service(context, client, arguments);
  const auto found = client.resolve(arguments.service, arguments.options);
  // A service is its instances: one that was never registered has none.
  const bool none = !found && found.error().code == client::Errc::kServiceNotFound;
  if (!found && !none) return fail(found.error());
  context.output.resolved(arguments.service, none ? std::vector<client::Instance>() : *found);
  return kDone;
}

}  // namespace

void add_registry_commands(CLI::App& app, Chosen& chosen) {
  {
    auto arguments = std::make_shared<DeregisterArguments>();
    CLI::App* command = app.add_subcommand("deregister", "Remove an instance, whoever registered it");
    command->add_option("SERVICE", arguments->service)->required();
    command->add_option("ID", arguments->id)->required();
    choose(command, chosen, arguments, deregister);
  }
  choose(app.add_subcommand("services", "List the services that have instances"), chosen,
         std::make_shared<NoArguments>(), services);
  {
    auto arguments = std::make_shared<ResolveArguments>();
    CLI::App* command = app.add_subcommand("resolve", "Show the instances of a service");
    command->add_option("SERVICE", arguments->service)->required();
    add_list(*command, "--tag", arguments->options.tags,
             "Only those with this tag; several: with all of them");
    command->add_flag("--healthy", arguments->options.healthy_only,
                      "Only those that are passing and not in maintenance");
    command->add_flag("--watch", arguments->watch, "Print them again whenever they change");
    choose(command, chosen, arguments, resolve);
  }
}

}  // namespace holdfast::cli
