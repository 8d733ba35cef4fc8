#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tests/chaos/members.h"
#include "tests/chaos/nemesis.h"

namespace holdfast::chaos {

/// Three real servers, ready, in a directory of their own; gone with the test whatever happens.
struct ReadyServers {
  std::string directory = make_directory();
  Members members;
  Stop stop;
  std::unique_ptr<HistoryFile> history = *HistoryFile::create(directory + "/history.jsonl");
  Nemesis nemesis{{members, *history, stop, {}}};

  /// `options`: without program and directory.
  explicit ReadyServers(MembersOptions options) : members(placed(std::move(options), directory)) {
    for (std::size_t i = 0; i < members.count(); ++i) REQUIRE(members.start(i));
    for (std::size_t i = 0; i < members.count(); ++i) REQUIRE(members.await_ready(i, milliseconds(20'000)));
  }
  ~ReadyServers() {
    std::error_code ignored;
    for (std::size_t i = 0; i < members.count(); ++i) members.kill(i);
    std::filesystem::remove_all(directory, ignored);
  }
  ReadyServers(const ReadyServers&) = delete;
  ReadyServers& operator=(const ReadyServers&) = delete;

  std::size_t find_leader() {
    const auto found = nemesis.leader(milliseconds(20'000));
    REQUIRE(found);
    return *found;
  }

 private:
  static std::string make_directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "holdfast-chaos-test.XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    return pattern;
  }
  static MembersOptions placed(MembersOptions options, const std::string& directory) {
    options.program = HOLDFASTD;
    options.directory = directory;
    return options;
  }
};

}  // namespace holdfast::chaos
