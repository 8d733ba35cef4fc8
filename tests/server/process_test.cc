#include "tests/server/process.h"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "net/event_loop.h"
#include "net/listener.h"
#include "tests/server/scratch.h"

namespace holdfast::test {

namespace {

using Catch::Contains;

/// Ports that were free a moment ago.
std::vector<std::uint16_t> free_ports(std::size_t count) {
  net::EventLoop loop;
  std::vector<std::unique_ptr<net::Listener>> listeners;
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < count; ++i) {
    auto listener = net::Listener::open(loop, Endpoint{"127.0.0.1", 0}, {}, [](net::Socket) {});
    REQUIRE(listener);
    ports.push_back((*listener)->endpoint().port);
    listeners.push_back(std::move(*listener));
  }
  return ports;
}

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

std::vector<std::string> alone(const std::string& directory) {
  return {"--data-dir",           directory,     "--listen",           "127.0.0.1:0",
          "--peer-listen",        "127.0.0.1:0", "--election-timeout", "200ms",
          "--heartbeat-interval", "50ms"};
}

std::vector<std::string> with(std::vector<std::string> arguments, std::vector<std::string> more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a wrong option is one line and status 2") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--colour"}, {"--listen", "nowhere"}, {"--log-level", "loud"}}) {
    Process process(arguments);
    CHECK(process.wait() == 2);
    CHECK_THAT(process.output(), Contains("holdfastd: ") && Contains(arguments[0]));
    CHECK(lines(process.output()) == 1);
  }
}

TEST_CASE("help and version end with status 0") {
  Process help({"--help"});
  CHECK(help.wait() == 0);
  CHECK_THAT(help.output(), Contains("--cluster-token") && Contains("HOLDFAST_"));
  Process version({"--version"});
  CHECK(version.wait() == 0);
  CHECK_THAT(version.output(), Contains("holdfastd "));
}

TEST_CASE("one node becomes ready, stops on SIGTERM, and starts again with the same options") {
  const Scratch scratch;
  for (const int number : {SIGTERM, SIGINT}) {
    Process process(alone((scratch.path() / "data").string()));
    REQUIRE(process.wait_for("event=ready"));
    process.signal(number);
    CHECK(process.wait() == 0);
  }
}

TEST_CASE("a member that asks its way into a cluster ends at once when it is told to") {
  const Scratch scratch;
  net::EventLoop loop;
  // It takes the question and never answers.
  std::vector<net::Socket> asked;
  auto silent = net::Listener::open(loop, Endpoint{"127.0.0.1", 0}, {},
                                    [&](net::Socket socket) { asked.push_back(std::move(socket)); });
  REQUIRE(silent);
  Process process(with(alone((scratch.path() / "data").string()),
                       {"--name", "n4", "--join", (*silent)->endpoint().to_string()}));
  const Instant give_up = loop.now() + std::chrono::seconds(10);
  while (asked.empty() && loop.now() < give_up) {
    loop.run_until(loop.timer().afterDelay(10 * kj::MILLISECONDS));
  }
  REQUIRE(!asked.empty());
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
}

TEST_CASE("a second process on the same data directory is refused") {
  const Scratch scratch;
  const std::string directory = (scratch.path() / "data").string();
  Process first(alone(directory));
  REQUIRE(first.wait_for("event=ready"));
  Process second(alone(directory));
  CHECK(second.wait() == 1);
  CHECK_THAT(second.output(), Contains("holdfastd: ") && Contains(directory));
  CHECK(lines(second.output()) == 1);
  // The first is not disturbed.
  first.signal(SIGTERM);
  CHECK(first.wait() == 0);
}

TEST_CASE("a port in use is named, and the directory is still free to be set up otherwise") {
  const Scratch scratch;
  const std::string directory = (scratch.path() / "data").string();
  net::EventLoop loop;
  auto taken = net::Listener::open(loop, Endpoint{"127.0.0.1", 0}, {}, [](net::Socket) {});
  REQUIRE(taken);
  const std::string port = (*taken)->endpoint().to_string();
  for (const char* option : {"--listen", "--peer-listen"}) {
    Process process(with(alone(directory), {option, port, "--name", "wrong"}));
    CHECK(process.wait() == 1);
    CHECK_THAT(process.output(), Contains("holdfastd: ") && Contains(port));
    CHECK(lines(process.output()) == 1);
  }
  Process process(with(alone(directory), {"--name", "right"}));
  CHECK(process.wait_for("event=ready name=right"));
}

TEST_CASE("a directory that cannot be used is named") {
  const Scratch scratch;
  const std::string file = scratch.write("file", "not a directory");
  Process process(alone(file));
  CHECK(process.wait() == 1);
  CHECK_THAT(process.output(), Contains("holdfastd: ") && Contains(file));
}

TEST_CASE("another name or token than the directory's is refused with status 2") {
  const Scratch scratch;
  const std::string directory = (scratch.path() / "data").string();
  {
    Process first(with(alone(directory), {"--name", "n1", "--cluster-token", "T"}));
    REQUIRE(first.wait_for("event=ready"));
    first.signal(SIGTERM);
    REQUIRE(first.wait() == 0);
  }
  Process renamed(with(alone(directory), {"--name", "n2", "--cluster-token", "T"}));
  CHECK(renamed.wait() == 2);
  CHECK_THAT(renamed.output(), Contains("--name"));
  Process other(with(alone(directory), {"--cluster-token", "U"}));
  CHECK(other.wait() == 2);
  CHECK_THAT(other.output(), Contains("--cluster-token"));
}

TEST_CASE(
    "who joins with another token than the cluster's is refused with status 2 and leaves no directory") {
  const Scratch scratch;
  Process founder(with(alone((scratch.path() / "n1").string()), {"--cluster-token", "T"}));
  REQUIRE(founder.wait_for("event=ready"));
  const std::string ready = founder.output().substr(founder.output().find("event=ready"));
  REQUIRE(ready.find(" leader=") != std::string::npos);
  const std::string found = ready.substr(ready.find("endpoint=") + 9);
  const std::string endpoint = found.substr(0, found.find(' '));
  const auto join = [&](const std::string& token) {
    return with(alone((scratch.path() / "n2").string()),
                {"--name", "n2", "--join", endpoint, "--cluster-token", token});
  };
  Process stranger(join("U"));
  CHECK(stranger.wait() == 2);
  CHECK_THAT(stranger.output(), Contains("holdfastd: ") && Contains("--cluster-token"));
  CHECK(lines(stranger.output()) == 1);
  // With the cluster's token it comes one step further.
  Process unknown(join("T"));
  CHECK(unknown.wait() == 1);
  CHECK_THAT(unknown.output(), Contains("member add n2"));
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "n2"));
}

// All members of a cluster that are started with --rejoin would otherwise wait for each other for ever.
TEST_CASE("a member that finds nobody to ask whether it may rejoin goes on with the directory that it has") {
  const Scratch scratch;
  const std::string directory = (scratch.path() / "data").string();
  {
    Process first(alone(directory));
    REQUIRE(first.wait_for("event=ready"));
    first.signal(SIGTERM);
    REQUIRE(first.wait() == 0);
  }
  Process again(with(alone(directory), {"--join", local(free_ports(1)[0]), "--rejoin"}));
  CHECK(again.wait_for("event=ready"));
  CHECK_THAT(again.output(), !Contains("old_data_set_aside"));
}

TEST_CASE("the log is JSON if asked for") {
  const Scratch scratch;
  Process json(with(alone((scratch.path() / "a").string()), {"--log-format", "json"}));
  CHECK(json.wait_for("\"event\":\"ready\""));
}

TEST_CASE("three members become ready, and one with another token is refused by the others and ends") {
  const Scratch scratch;
  const auto ports = free_ports(6);
  const std::string cluster = "n1=" + local(ports[0]) + ",n2=" + local(ports[1]) + ",n3=" + local(ports[2]);
  const auto member = [&](std::size_t number, const std::string& token) {
    const std::string name = "n" + std::to_string(number);
    return std::vector<std::string>{"--name",
                                    name,
                                    "--data-dir",
                                    (scratch.path() / name).string(),
                                    "--listen",
                                    local(ports[2 + number]),
                                    "--peer-listen",
                                    local(ports[number - 1]),
                                    "--cluster",
                                    cluster,
                                    "--cluster-token",
                                    token,
                                    "--election-timeout",
                                    "300ms",
                                    "--heartbeat-interval",
                                    "50ms"};
  };
  Process first(member(1, "T"));
  Process second(member(2, "T"));
  REQUIRE(first.wait_for("event=ready"));
  REQUIRE(second.wait_for("event=ready"));
  {
    Process stranger(member(3, "U"));
    CHECK(stranger.wait() == 1);
    CHECK_THAT(stranger.output(), Contains("refused"));
  }
  std::filesystem::remove_all(scratch.path() / "n3");
  Process third(member(3, "T"));
  REQUIRE(third.wait_for("event=ready"));
  for (Process* process : {&first, &second, &third}) process->signal(SIGTERM);
  for (Process* process : {&first, &second, &third}) CHECK(process->wait() == 0);
}

}  // namespace holdfast::test
