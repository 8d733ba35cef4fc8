#include <unistd.h>

#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "net/event_loop.h"
#include "server/logging.h"
#include "server/options.h"
#include "server/server.h"

namespace holdfast::server {

namespace {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

int complain(const Error& error, int status) {
  std::cerr << "holdfastd: " << error.message << std::endl;
  return status;
}

/// The first signal stops the server, the second ends the process at once; so does the first while there is
/// no server yet: one that asks its way into a cluster has nothing to put in order.
void wait_for_signal(asio::signal_set& signals, Server*& server) {
  signals.async_wait([&signals, &server](const asio::error_code& error, int) {
    if (error) return;
    if (server == nullptr) _exit(kStopped);
    server->stop();
    signals.async_wait([](const asio::error_code& cancelled, int) {
      if (!cancelled) _exit(kCannotRun);
    });
  });
}

int run(const Options& options) {
  Logging logging(options.log_level, options.log_format);
  net::EventLoop loop;
  asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
  Server* running = nullptr;
  wait_for_signal(signals, running);
  int status = kStopped;
  auto server = Server::open(options, loop, logging, [&](int ended_with) {
    status = ended_with;
    asio::error_code ignored;
    signals.clear(ignored);  // from here on a further signal ends the process as if nobody handled it
    loop.stop();
  });
  if (!server) {
    return complain(server.error(),
                    server.error().code == Errc::kInvalidArgument ? kWrongOptions : kCannotRun);
  }
  running = server->get();
  running->start();
  loop.run();
  // Whatever was too slow to finish in time would be waited for here: a disk that hangs, for ever.
  if ((*server)->was_cut_short()) _exit(status);
  server->reset();
  return status;
}

int parse_and_run(int count, char** arguments) {
  // A write to a closed pipe, or beyond the largest file this user may have, is to fail like any other.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const auto parsed =
      parse_options(std::vector<std::string>(arguments + 1, arguments + count), environment_variable);
  if (!parsed) return complain(parsed.error(), kWrongOptions);
  if (!parsed->print.empty()) {
    std::cout << parsed->print;
    return kStopped;
  }
  return run(parsed->options);
}

}  // namespace

}  // namespace holdfast::server

int main(int count, char** arguments) { return holdfast::server::parse_and_run(count, arguments); }
