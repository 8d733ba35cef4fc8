#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/command.h"

/// member list, add, promote, remove, replace; leader transfer.
namespace holdfast::cli {

namespace {

struct NoArguments {};

int list(Context& context, const NoArguments&) {
  client::Client client = context.connect();
  const auto found = client.members();
  if (!found) return fail(found.error());
  context.output.members(*found);
  return kDone;
}

struct MemberArguments {
  std::string name;
  HostPort peer;
  std::string new_name;
  bool learner = false;
};

std::string text_of(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

int add(Context& context, const MemberArguments& arguments) {
  client::Client client = context.connect();
  const auto added = client.add_member(arguments.name, text_of(arguments.peer), {arguments.learner});
  if (!added) return fail(added.error());
  context.output.member_changed("added", *added);
  if (!arguments.learner && added->part == "learner") {
    complain("member " + arguments.name + " was added and is a learner still: it has not caught up within " +
             to_text(context.options.timeout) +
             "; start it with holdfastd --join, then make it a voter with " + "holdfast member promote " +
             arguments.name);
  }
  return kDone;
}

int promote(Context& context, const MemberArguments& arguments) {
  client::Client client = context.connect();
  const auto promoted = client.promote_member(arguments.name);
  if (!promoted) return fail(promoted.error());
  context.output.member_changed("promoted", *promoted);
  return kDone;
}

int remove(Context& context, const MemberArguments& arguments) {
  client::Client client = context.connect();
  const auto removed = client.remove_member(arguments.name);
  if (!removed) return fail(removed.error());
  context.output.member_removed(*removed);
  return kDone;
}

int replace(Context& context, const MemberArguments& arguments) {
  client::Client client = context.connect();
  const auto replaced = client.replace_member(arguments.name, arguments.new_name, text_of(arguments.peer));
  if (!replaced && replaced.error().code == client::Errc::kNotCaughtUp) {
    complain("member " + arguments.new_name + " is a learner and has not caught up within " +
             to_text(context.options.timeout) + ", so " + arguments.name + " is a member still; start " +
             arguments.new_name + " with holdfastd --join, then repeat this command");
    return kRefused;
  }
  if (!replaced) return fail(replaced.error());
  context.output.member_replaced(arguments.name, *replaced);
  return kDone;
}

int transfer(Context& context, const MemberArguments& arguments) {
  client::Client client = context.connect();
  const auto handed_over = client.transfer_leadership(arguments.name);
  if (!handed_over) return fail(handed_over.error());
  context.output.leadership_transferred(*handed_over);
  return kDone;
}

CLI::App* add_command_on_member(CLI::App* members, Chosen& chosen, const char* name, const char* description,
                                const char* word, const std::shared_ptr<MemberArguments>& arguments,
                                int (*run)(Context&, const MemberArguments&)) {
  CLI::App* command = members->add_subcommand(name, description);
  command->add_option(word, arguments->name, "The member's name")->required();
  choose(command, chosen, arguments, run);
  return command;
}

}  // namespace

void add_member_commands(CLI::App& app, Chosen& chosen) {
  CLI::App* members = app.add_subcommand("member", "Show and change who takes part in the cluster");
  members->require_subcommand(1);
  members->fallthrough();
  choose(members->add_subcommand("list", "List the members and how far each is"), chosen,
         std::make_shared<NoArguments>(), list);

  auto added = std::make_shared<MemberArguments>();
  CLI::App* command = add_command_on_member(
      members, chosen, "add", "Add a member, and make it a voter once it has caught up", "NAME", added, add);
  add_host_port(*command, "PEER", added->peer, "Where other members reach it")->required();
  command->add_flag("--learner", added->learner, "Leave it a learner, which does not vote");

  add_command_on_member(members, chosen, "promote", "Make a learner a voter", "NAME",
                        std::make_shared<MemberArguments>(), promote);
  add_command_on_member(members, chosen, "remove", "Remove a member", "NAME",
                        std::make_shared<MemberArguments>(), remove);

  auto replaced = std::make_shared<MemberArguments>();
  command = add_command_on_member(members, chosen, "replace",
                                  "Put a new member in the place of another, in one step", "OLD", replaced,
                                  replace);
  command->add_option("NEW", replaced->new_name, "The new member's name")->required();
  add_host_port(*command, "PEER", replaced->peer, "Where other members reach the new one")->required();
}

void add_leader_commands(CLI::App& app, Chosen& chosen) {
  CLI::App* leader = app.add_subcommand("leader", "Hand leadership over");
  leader->require_subcommand(1);
  leader->fallthrough();
  add_command_on_member(leader, chosen, "transfer", "Make a voter the leader", "NAME",
                        std::make_shared<MemberArguments>(), transfer);
}

}  // namespace holdfast::cli
