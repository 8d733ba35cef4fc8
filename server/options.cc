#include "server/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <map>
#include <set>

#include "server/option_values.h"
#include "server/options_file.h"
#include "server/version.h"

namespace holdfast::server {

namespace {

constexpr const char* kFileOption = "config";

struct Source {
  std::string name;  // what an error calls it
  std::string text;
};

std::string variable_of(const std::string& option) {
  std::string name = "HOLDFAST_";
  for (const char c : option)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::optional<Source> from_environment(const Environment& environment, const std::string& option) {
  const std::string variable = variable_of(option);
  auto text = environment(variable);
  if (!text) return std::nullopt;
  return Source{variable, *std::move(text)};
}

const char* const kFooter =
    "Every option can also be given as a variable (--data-dir: HOLDFAST_DATA_DIR) or as a key of the TOML\n"
    "file (data-dir = \"D\"). The command line goes before the environment, the environment before the "
    "file.\n"
    "\n"
    "Alone, holdfastd is one durable node: data in ./holdfast-data, clients on 127.0.0.1:2379.\n"
    "\n"
    "Exit status: 0 stopped by SIGTERM or SIGINT; 1 it could not run, or a majority of the cluster refused\n"
    "it; 2 wrong options; 74 the disk failed.";

/// The command line as texts. Errors: kInvalidArgument.
Result<std::map<std::string, std::string>> read_command_line(const std::vector<std::string>& arguments,
                                                             std::string& print) {
  CLI::App app(
      "One member of a Holdfast cluster: leases, locks, registered services and watchable configuration.",
      "holdfastd");
  app.footer(kFooter);
  app.set_version_flag("--version", version_text(), "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  std::map<std::string, std::string> given;
  for (const OptionValue& option : option_values()) {
    if (option.placeholder.empty()) {
      app.add_flag_callback(
          "--" + option.name, [&text = given[option.name]] { text = "true"; }, option.help);
      continue;
    }
    app.add_option("--" + option.name, given[option.name], option.help)
        ->type_name(option.placeholder)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  app.add_option(std::string("--") + kFileOption, given[kFileOption], "Read options from this TOML file")
      ->type_name("FILE");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    print = app.help();
  } catch (const CLI::CallForVersion&) {
    print = version_text() + "\n";
  } catch (const CLI::ParseError& error) {
    return fail(Errc::kInvalidArgument, std::string(error.what()) + "; see holdfastd --help");
  }
  for (auto option = given.begin(); option != given.end();) {
    option = app.count("--" + option->first) == 0 ? given.erase(option) : std::next(option);
  }
  return given;
}

Result<void> apply(const OptionValue& option, const Source& source, Options& options) {
  if (auto applied = option.apply(source.text, options); !applied) {
    return fail(Errc::kInvalidArgument, source.name + ": " + applied.error().message);
  }
  return {};
}

}  // namespace

Result<Parsed> parse_options(const std::vector<std::string>& arguments, const Environment& environment) {
  Parsed parsed;
  const auto given = read_command_line(arguments, parsed.print);
  if (!given) return fail(given.error());
  if (!parsed.print.empty()) return parsed;

  std::map<std::string, std::string> file;
  std::string file_name;
  if (auto named = given->find(kFileOption); named != given->end()) {
    file_name = named->second;
  } else if (auto variable = from_environment(environment, kFileOption)) {
    file_name = variable->text;
  }
  if (!file_name.empty()) {
    auto read = read_options_file(file_name);
    if (!read) return fail(read.error());
    file = *std::move(read);
  }

  for (const OptionValue& option : option_values()) {
    std::optional<Source> source;
    if (auto text = given->find(option.name); text != given->end()) {
      source = Source{"--" + option.name, text->second};
    } else if (auto variable = from_environment(environment, option.name)) {
      source = std::move(variable);
    } else if (auto key = file.find(option.name); key != file.end()) {
      source = Source{option.name + " in " + file_name, key->second};
    }
    if (!source) continue;
    if (auto applied = apply(option, *source, parsed.options); !applied) return fail(applied.error());
  }
  if (auto fit = check_together(parsed.options); !fit) return fail(fit.error());
  return parsed;
}

}  // namespace holdfast::server
