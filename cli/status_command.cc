#include <memory>

#include "cli/command.h"

/// status: the members as whichever of them answers sees them; works without a quorum.
namespace holdfast::cli {

namespace {

struct NoArguments {};

int status(Context& context, const NoArguments&) {
  client::Client client = context.connect();
  const auto found = client.status();
  if (!found) return fail(found.error());
  context.output.status(*found);
  return kDone;
}

}  // namespace

void add_status_command(CLI::App& app, Chosen& chosen) {
  choose(app.add_subcommand("status", "Show the cluster's members, their roles and how far they are"), chosen,
         std::make_shared<NoArguments>(), status);
}

}  // namespace holdfast::cli
