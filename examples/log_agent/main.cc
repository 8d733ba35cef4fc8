/// A log agent: it runs on every machine and collects the log files that its configuration names. To change
/// what a machine collects, somewhere on the network somebody says
///
///     holdfast put /logagent/10.0.0.7/collect '[{"path": "/var/log/app.log", "topic": "app"}]'
///
/// and the agent at 10.0.0.7 follows at once. What it collects comes out as JSON lines, {"topic", "path",
/// "line"}; a real one would send them to a message queue. It is listed by `holdfast resolve log-agent` for
/// as long as it lives.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "examples/log_agent/collect_list.h"
#include "examples/log_agent/followed_key.h"
#include "examples/log_agent/tail.h"
#include "holdfast/client.h"

namespace log_agent {

namespace client = holdfast::client;

/// How often the files are looked at.
constexpr client::milliseconds kLookEvery{100};

// Atomic: a signal may find any thread, the client's own too.
std::atomic<bool> stop_asked = false;

void say(const std::string& message) { std::cerr << "log_agent: " << message << std::endl; }

void print(const Collected& collected, std::string_view line) {
  const nlohmann::ordered_json json = {{"topic", collected.topic}, {"path", collected.path}, {"line", line}};
  // Logs hold any bytes; what is not UTF-8 is replaced. Flushed at once: the reader follows, too.
  std::cout << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

/// The files being collected, as the newest good configuration has them.
class Collection {
 public:
  /// Starts and stops tails so that they are those of the document. A malformed document changes nothing: a
  /// slip in the configuration must not stop the collecting.
  void configure(const std::optional<std::string>& document) {
    const auto wanted = parse_collect_list(document.value_or("[]"));
    if (!wanted) {
      say("the configuration is malformed and not heeded: " + wanted.error());
      return;
    }
    std::map<Collected, Tail> next;
    for (const Collected& collected : *wanted) {
      auto running = tails_.extract(collected);
      if (running.empty()) {
        say("start " + collected.path + " (topic " + collected.topic + ")");
        next.emplace(collected, Tail(collected.path));
      } else {
        next.insert(std::move(running));
      }
    }
    for (const auto& [collected, tail] : tails_)
      say("stop " + collected.path + " (topic " + collected.topic + ")");
    tails_ = std::move(next);
  }

  void collect() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& [collected, tail] : tails_) {
      tail.collect(now, [&file = collected](std::string_view line) { print(file, line); });
    }
  }

 private:
  std::map<Collected, Tail> tails_;
};

/// The address from which this machine reaches the service: the one under which the service's other users
/// reach it.
client::Result<std::string> own_address(client::Client& client) {
  auto address = client.who_am_i();
  if (address) address->resize(address->rfind(':'));
  return address;
}

int run(client::Client& client, const std::string& ip) {
  client::Instance self;
  self.id = ip;
  self.address = ip;
  const auto registration = client.register_instance("log-agent", self);
  if (!registration) {
    say("cannot register: " + registration.error().message);
    return 1;
  }
  const std::string key = "/logagent/" + ip + "/collect";
  say("following " + key);
  FollowedKey configuration(client, key);
  Collection collection;
  while (!stop_asked) {
    // The one place where it waits. Without the cluster it goes on collecting what it was last told to.
    const auto changed = configuration.next(kLookEvery);
    if (!changed) say("cannot follow " + key + ": " + changed.error().message);
    if (changed && *changed) collection.configure((*changed)->text);
    collection.collect();
  }
  return 0;  // the registration's destructor deregisters
}

}  // namespace log_agent

int main(int argc, char** argv) {
  CLI::App app("Collects the log files that /logagent/IP/collect names.", "log_agent");
  holdfast::client::Options options;
  std::string ip;
  app.add_option("--endpoints", options.endpoints, "Members of the cluster: HOST:PORT,...")
      ->delimiter(',')
      ->envname("HOLDFAST_ENDPOINTS");
  app.add_option("--ip", ip, "This machine's address (the one from which it reaches the cluster)");
  CLI11_PARSE(app, argc, argv);

  const auto ask_to_stop = [](int) { log_agent::stop_asked = true; };
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);

  holdfast::client::Client client(options);
  if (ip.empty()) {
    const auto address = log_agent::own_address(client);
    if (!address) {
      log_agent::say("cannot tell this machine's address: " + address.error().message);
      return 1;
    }
    ip = *address;
  }
  return log_agent::run(client, ip);
}
