/// A service and its caller, which know nothing of each other but the service's name.
///
///     microservice serve --id a &         listens on a free port and registers it as an instance of
///     "greeter" microservice serve --id b & microservice call Ada               resolves "greeter" and asks
///     one of its instances
///
/// Kill an instance and its lease ends: callers are no longer sent there. Until then a caller that meets a
/// dead one asks the next.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>

#include "examples/microservice/line_call.h"
#include "examples/microservice/line_server.h"
#include "holdfast/client.h"

namespace microservice {

namespace client = holdfast::client;

constexpr const char* kService = "greeter";

// Atomic: a signal may find any thread, the client's own too.
std::atomic<bool> stop_asked = false;

struct ServeOptions {
  std::string id;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

int serve(client::Client& client, const ServeOptions& options) {
  // Listen first, register then: nobody is sent to a port that does not answer yet.
  LineServer server(options.host, options.port);
  if (!server.is_listening()) {
    std::cerr << "microservice: cannot listen on " << options.host << ":" << options.port << std::endl;
    return 1;
  }
  client::Instance self;
  self.id = options.id;
  self.address = options.host;
  self.port = server.port();
  auto registration = client.register_instance(kService, self);
  if (!registration) {
    std::cerr << "microservice: " << registration.error().message << std::endl;
    return 1;
  }
  std::cout << options.id << " serves on " << options.host << ":" << server.port() << std::endl;
  while (!stop_asked) {
    server.serve(100, [&](const std::string& name) { return "Hello " + name + ", this is " + options.id; });
  }
  // And the other way round: first no new callers, then the end.
  return registration->deregister() ? 0 : 1;
}

int call(client::Client& client, const std::string& name) {
  client::ResolveOptions only_healthy;
  only_healthy.healthy_only = true;
  auto instances = client.resolve(kService, only_healthy);
  if (!instances) {
    std::cerr << "microservice: " << instances.error().message << std::endl;
    return 1;
  }
  // Every caller in an order of its own: that spreads the load.
  std::shuffle(instances->begin(), instances->end(), std::mt19937(static_cast<unsigned>(getpid())));
  for (const client::Instance& instance : *instances) {
    if (const auto reply = call_line(instance.address, instance.port, name)) {
      std::cout << *reply << std::endl;
      return 0;
    }
    std::cerr << "microservice: " << instance.id << " does not answer" << std::endl;
  }
  std::cerr << "microservice: no instance of " << kService << " answers" << std::endl;
  return 1;
}

}  // namespace microservice

int main(int argc, char** argv) {
  CLI::App app("Registers a TCP service, or finds and calls it.", "microservice");
  app.require_subcommand(1);
  app.fallthrough();
  holdfast::client::Options options;
  app.add_option("--endpoints", options.endpoints, "Members of the cluster: HOST:PORT,...")
      ->delimiter(',')
      ->envname("HOLDFAST_ENDPOINTS");
  microservice::ServeOptions serving;
  CLI::App* serve = app.add_subcommand("serve", "Answer callers until a signal");
  serve->add_option("--id", serving.id, "This instance's name")->required();
  serve->add_option("--host", serving.host, "The IPv4 address to listen at (127.0.0.1)");
  serve->add_option("--port", serving.port, "The port to listen on; 0: any free one");
  std::string name;
  CLI::App* call = app.add_subcommand("call", "Ask one of the instances for a greeting");
  call->add_option("NAME", name, "Who is to be greeted")->required();
  CLI11_PARSE(app, argc, argv);

  const auto ask_to_stop = [](int) { microservice::stop_asked = true; };
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  holdfast::client::Client client(options);
  return serve->parsed() ? microservice::serve(client, serving) : microservice::call(client, name);
}
