#include "cli/command_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"

namespace holdfast::cli {

namespace {

/// A program started with a standard descriptor closed would get it again as a socket, and print into it.
void open_standard_descriptors() {
  int descriptor = open("/dev/null", O_RDWR);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = dup(descriptor);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

void add_options(CLI::App& app, Options& options) {
  add_endpoints(app, "--endpoints", options.endpoints, "Any members of the cluster (127.0.0.1:2379)")
      ->envname("HOLDFAST_ENDPOINTS");
  add_duration(app, "--timeout", options.timeout, Zero::kRefused,
               "For reaching the cluster and for every call (5s)")
      ->envname("HOLDFAST_TIMEOUT");
  const std::map<std::string, Format> formats = {{"text", Format::kText}, {"json", Format::kJson}};
  app.add_option_function<std::string>(
         "-o,--output", [&options, formats](const std::string& text) { options.format = formats.at(text); },
         "text for people, json for scripts")
      ->check(CLI::IsMember(std::vector<std::string>{"text", "json"}))
      ->type_name("text|json");
}

/// One line that says what is wrong.
int refuse_usage(const std::string& message) {
  const std::string line = message.substr(0, message.find('\n'));
  complain(line + "; see holdfast COMMAND --help");
  return kUsage;
}

/// The word that names the command; "" if there is none.
std::string command_word(const std::vector<std::string>& words) {
  const std::set<std::string> with_value = {"--endpoints", "--timeout", "-o", "--output"};
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (words[index].empty() || words[index].front() != '-') return words[index];
    if (with_value.count(words[index]) != 0) ++index;
  }
  return "";
}

/// Cuts COMMAND off: what stands behind the first "--" of lock and register. CLI11 would read its words, and
/// split those in brackets. Returns: nullopt if there is a "--" and nothing behind it.
std::optional<std::vector<std::string>> cut_command(std::vector<std::string>& words,
                                                    const std::string& name) {
  const auto mark = std::find(words.begin(), words.end(), "--");
  if ((name != "lock" && name != "register") || mark == words.end()) return std::vector<std::string>();
  std::vector<std::string> command(mark + 1, words.end());
  words.erase(mark, words.end());
  if (command.empty()) return std::nullopt;
  return command;
}

}  // namespace

int run(int argc, char** argv) {
  open_standard_descriptors();
  Options options;
  Chosen chosen;
  CLI::App app("Registers services, takes locks and keeps configuration in a Holdfast cluster.", "holdfast");
  app.require_subcommand(1);
  app.fallthrough();
  add_options(app, options);
  add_config_commands(app, chosen);
  add_lease_commands(app, chosen);
  add_register_command(app, chosen);
  add_registry_commands(app, chosen);
  add_lock_commands(app, chosen);
  add_member_commands(app, chosen);
  add_leader_commands(app, chosen);
  add_status_command(app, chosen);

  std::vector<std::string> words(argv + 1, argv + argc);
  const std::string name = command_word(words);
  const std::function<bool(CLI::App*)> has_name = [&name](CLI::App* one) { return one->get_name() == name; };
  const bool is_known = name.empty() || !app.get_subcommands(has_name).empty();
  if (!is_known) return refuse_usage("there is no command " + name);
  auto command = cut_command(words, name);
  if (!command) return refuse_usage("there is no COMMAND behind --");
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the end
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return refuse_usage(error.what());
  }
  Context context{options, Output(options.format), std::move(*command)};
  const int status = chosen(context);
  if (context.output.is_complete()) return status;
  complain("standard output could not be written");
  return status == kDone ? static_cast<int>(kRefused) : status;
}

}  // namespace holdfast::cli
