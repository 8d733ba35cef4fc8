#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/command.h"

/// put, get, del, watch.
namespace holdfast::cli {

namespace {

struct PutArguments {
  std::string key;
  std::string value;
  client::PutOptions options;
};

int put(Context& context, const PutArguments& arguments) {
  client::Client client = context.connect();
  const auto revision = client.put(arguments.key, arguments.value, arguments.options);
  if (!revision) return fail(revision.error());
  context.output.put(*revision);
  return kDone;
}

struct GetArguments {
  std::string key;
  client::GetOptions options;
};

int get(Context& context, const GetArguments& arguments) {
  client::Client client = context.connect();
  const auto result = client.get(arguments.key, arguments.options);
  if (!result) return fail(result.error());
  const bool found = arguments.options.prefix || !result->entries.empty();
  if (found || context.output.format() == Format::kJson) context.output.got(*result, arguments.options);
  if (!found) complain("key " + arguments.key + " does not exist");
  return found ? kDone : kRefused;
}

struct DeleteArguments {
  std::string key;
  client::DeleteOptions options;
};

int remove(Context& context, const DeleteArguments& arguments) {
  client::Client client = context.connect();
  const auto result = client.remove(arguments.key, arguments.options);
  if (!result) return fail(result.error());
  context.output.deleted(*result);
  if (result->deleted != 0 || arguments.options.prefix) return kDone;
  complain("key " + arguments.key + " does not exist");
  return kRefused;
}

struct WatchArguments {
  std::string key;
  client::WatchOptions options;
};

int watch(Context& context, const WatchArguments& arguments) {
  client::Client client = context.connect();
  auto watch = client.watch(arguments.key, arguments.options);
  if (!watch) return fail(watch.error());
  while (context.output.is_complete()) {
    const auto event = watch->next();
    if (!event) return fail(event.error());
    context.output.changed(*event);
  }
  return kDone;
}

}  // namespace

void add_config_commands(CLI::App& app, Chosen& chosen) {
  {
    auto arguments = std::make_shared<PutArguments>();
    CLI::App* command = app.add_subcommand("put", "Set a key to a value");
    command->add_option("KEY", arguments->key)->required();
    command->add_option("VALUE", arguments->value)->required();
    add_lease_id(*command, "--lease", arguments->options.lease, "Delete the key when this lease ends");
    add_number(*command, "--if-revision", arguments->options.if_revision,
               "Only if the key's mod_revision is this; 0: only if there is no such key");
    choose(command, chosen, arguments, put);
  }
  {
    auto arguments = std::make_shared<GetArguments>();
    CLI::App* command = app.add_subcommand("get", "Show a key, or all keys with a prefix");
    command->add_option("KEY", arguments->key)->required();
    command->add_flag("--prefix", arguments->options.prefix, "All keys that begin with KEY");
    add_number(*command, "--limit", arguments->options.limit, "At most this many; 0: all");
    command->add_flag("--keys-only", arguments->options.keys_only, "Leave the values out");
    command->add_flag("--serializable", arguments->options.serializable,
                      "From any member's own state: works without a quorum, may lag");
    choose(command, chosen, arguments, get);
  }
  {
    auto arguments = std::make_shared<DeleteArguments>();
    CLI::App* command = app.add_subcommand("del", "Delete a key, or all keys with a prefix");
    command->add_option("KEY", arguments->key)->required();
    command->add_flag("--prefix", arguments->options.prefix, "All keys that begin with KEY");
    choose(command, chosen, arguments, remove);
  }
  {
    auto arguments = std::make_shared<WatchArguments>();
    CLI::App* command = app.add_subcommand("watch", "Print every change of a key or prefix as it comes");
    command->add_option("KEY", arguments->key)->required();
    command->add_flag("--prefix", arguments->options.prefix, "All keys that begin with KEY");
    add_number(*command, "--from-revision", arguments->options.from_revision,
               "Begin with the changes of this revision; 0: with the next change");
    choose(command, chosen, arguments, watch);
  }
}

}  // namespace holdfast::cli
