#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "server/options.h"
#include "tests/server/scratch.h"

namespace holdfast::server {

namespace {

using test::Scratch;

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

Result<Parsed> parse(std::vector<std::string> arguments, std::map<std::string, std::string> variables = {}) {
  return parse_options(arguments, environment(std::move(variables)));
}

}  // namespace

TEST_CASE("without options it is one node on loopback") {
  const auto parsed = parse({});
  REQUIRE(parsed);
  const Options& options = parsed->options;
  CHECK_FALSE(options.name);
  CHECK(options.data_dir == "holdfast-data");
  CHECK(options.listen.to_string() == "127.0.0.1:2379");
  CHECK(options.peer_listen.to_string() == "127.0.0.1:2380");
  CHECK(options.cluster.empty());
  CHECK(options.election_timeout == milliseconds(800));
  CHECK(options.heartbeat_interval == milliseconds(100));
}

TEST_CASE("the command line goes before the environment, the environment before the file") {
  struct Case {
    bool line, variable, file;
    const char* expected;
  };
  const Case cases[] = {
      {false, false, false, "holdfast-data"}, {false, false, true, "from-file"},
      {false, true, false, "from-variable"},  {false, true, true, "from-variable"},
      {true, false, false, "from-line"},      {true, false, true, "from-line"},
      {true, true, false, "from-line"},       {true, true, true, "from-line"},
  };
  const Scratch scratch;
  for (const Case& one : cases) {
    const std::string file =
        scratch.write("options.toml", one.file ? "data-dir = \"from-file\"\n" : "# nothing\n");
    std::vector<std::string> arguments = {"--config", file};
    if (one.line) arguments.insert(arguments.end(), {"--data-dir", "from-line"});
    std::map<std::string, std::string> variables;
    if (one.variable) variables["HOLDFAST_DATA_DIR"] = "from-variable";
    const auto parsed = parse(arguments, variables);
    REQUIRE(parsed);
    CHECK(parsed->options.data_dir == one.expected);
  }
}

TEST_CASE("every option can come from each of the three places") {
  const std::map<std::string, std::string> all = {
      {"name", "n2"},
      {"data-dir", "D"},
      {"listen", "127.0.0.1:1"},
      {"peer-listen", "127.0.0.1:2"},
      {"advertise", "10.0.0.1:3"},
      {"peer-advertise", "10.0.0.1:4"},
      {"cluster", "n1=10.0.0.2:4,n2=10.0.0.1:4"},
      {"cluster-token", "T"},
      {"election-timeout", "2s"},
      {"heartbeat-interval", "50ms"},
      {"max-connections", "77"},
      {"handshake-timeout", "3s"},
      {"log-level", "warn"},
      {"log-format", "json"},
  };
  std::vector<std::string> line;
  std::map<std::string, std::string> variables;
  std::string dashes;
  std::string underscores;
  for (const auto& [name, value] : all) {
    line.insert(line.end(), {"--" + name, value});
    std::string variable = "HOLDFAST_";
    std::string key = name;
    std::replace(key.begin(), key.end(), '-', '_');
    for (const char c : key) variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    variables[variable] = value;
    dashes += name + " = \"" + value + "\"\n";
    underscores += key + " = \"" + value + "\"\n";
  }
  const Scratch scratch;
  const Result<Parsed> results[] = {
      parse(line), parse({}, variables), parse({"--config", scratch.write("dashes.toml", dashes)}),
      parse({}, {{"HOLDFAST_CONFIG", scratch.write("underscores.toml", underscores)}})};
  for (const auto& parsed : results) {
    REQUIRE(parsed);
    const Options& options = parsed->options;
    CHECK(options.name == "n2");
    CHECK(options.data_dir == "D");
    CHECK(options.listen.port == 1);
    CHECK(options.peer_listen.port == 2);
    CHECK(options.advertise == Endpoint{"10.0.0.1", 3});
    CHECK(options.peer_advertise == Endpoint{"10.0.0.1", 4});
    CHECK(options.cluster.size() == 2);
    CHECK(options.cluster_token == "T");
    CHECK(options.election_timeout == milliseconds(2000));
    CHECK(options.heartbeat_interval == milliseconds(50));
    CHECK(options.max_connections == 77);
    CHECK(options.handshake_timeout == milliseconds(3000));
    CHECK(options.log_level == LogLevel::kWarn);
    CHECK(options.log_format == LogFormat::kJson);
  }
}

TEST_CASE("a cluster in the file may be a text, a list or a table") {
  const Scratch scratch;
  for (const char* text : {"cluster = \"a=h:1,b=h:2\"\n", "cluster = [\"a=h:1\", \"b=h:2\"]\n",
                           "[cluster]\na = \"h:1\"\nb = \"h:2\"\n"}) {
    const auto parsed = parse({"--config", scratch.write("options.toml", text)});
    REQUIRE(parsed);
    CHECK(parsed->options.cluster ==
          std::vector<ClusterMember>{{"a", Endpoint{"h", 1}}, {"b", Endpoint{"h", 2}}});
  }
}

TEST_CASE("what is wrong is named where it was given") {
  const Scratch scratch;
  struct Case {
    std::vector<std::string> arguments;
    std::map<std::string, std::string> variables;
    std::vector<std::string> named;
  };
  const std::string unknown = scratch.write("unknown.toml", "nmae = \"n1\"\n");
  const std::string broken = scratch.write("broken.toml", "name = \"n1\"\nlisten =\n");
  const std::string typed = scratch.write("typed.toml", "name = true\n");
  const std::string missing = (scratch.path() / "missing.toml").string();
  const Case cases[] = {
      {{"--colour", "red"}, {}, {"--colour"}},
      {{"surplus"}, {}, {"surplus"}},
      {{"--listen"}, {}, {"--listen"}},
      {{"--listen", "nowhere"}, {}, {"--listen", "nowhere"}},
      {{"--listen", "0.0.0.0:2379"}, {}, {"--listen", "--advertise"}},
      {{"--advertise", "h:0"}, {}, {"--advertise", "port 0"}},
      {{}, {{"HOLDFAST_LISTEN", "h:99999"}}, {"HOLDFAST_LISTEN", "h:99999"}},
      {{"--election-timeout", "1000"}, {}, {"--election-timeout", "1000", "unit"}},
      {{"--election-timeout", "1ms"}, {}, {"--election-timeout", "too short"}},
      {{"--heartbeat-interval", "900ms"}, {}, {"--heartbeat-interval", "--election-timeout"}},
      {{"--max-connections", "0"}, {}, {"--max-connections", "at least 1"}},
      {{"--max-connections", "10k"}, {}, {"--max-connections", "10k"}},
      {{"--log-level", "loud"}, {}, {"--log-level", "loud", "debug"}},
      {{"--log-format", "xml"}, {}, {"--log-format", "xml"}},
      {{"--name", "a b"}, {}, {"--name", "a b"}},
      {{"--name", ""}, {}, {"--name"}},
      {{"--cluster", "n1"}, {}, {"--cluster", "n1"}},
      {{"--cluster", "n1=h:1,n1=h:2"}, {}, {"--cluster", "twice"}},
      {{"--cluster", "n1=h:1,n2=h:1"}, {}, {"--cluster", "h:1"}},
      {{"--cluster", "n1=h:1,"}, {}, {"--cluster"}},
      {{"--config", unknown}, {}, {unknown, "nmae"}},
      {{"--config", broken}, {}, {broken, "line 2"}},
      {{"--config", typed}, {}, {typed, "name"}},
      {{"--config", missing}, {}, {missing}},
  };
  for (const Case& one : cases) {
    const auto parsed = parse(one.arguments, one.variables);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::kInvalidArgument);
    CHECK(parsed.error().message.find('\n') == std::string::npos);
    for (const std::string& name : one.named) CHECK_THAT(parsed.error().message, Catch::Contains(name));
  }
}

TEST_CASE("durations have a unit") {
  CHECK(parse_duration("1500ms") == milliseconds(1500));
  CHECK(parse_duration("10s") == milliseconds(10'000));
  CHECK(parse_duration("2m") == milliseconds(120'000));
  CHECK(parse_duration("1h") == milliseconds(3'600'000));
  for (const char* wrong : {"", "10", "s", "-1s", "1.5s", "10 s", "10S", "99999999999s"})
    CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("help and version are answers, not options") {
  for (const char* asked : {"--help", "-h", "--version"}) {
    const auto parsed = parse({asked});
    REQUIRE(parsed);
    CHECK_THAT(parsed->print, Catch::Contains("holdfastd"));
  }
}

}  // namespace holdfast::server
