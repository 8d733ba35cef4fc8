#pragma once

#include <deque>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "raft/core.h"

/// Plays a scenario: a script that drives several cores over a network and disks that do only what the script
/// says, and the transcript of everything they do. README.md beside this file lists the commands.
namespace holdfast::raft::scenarios {

/// What a command names: nX, else nobody; and a number.
MemberId read_id(std::istringstream& words);
std::uint64_t read_number(std::istringstream& words, std::uint64_t otherwise = 0);

/// Where the scenarios are.
const char* folder();

/// Returns: the scenario with the transcript as it is now; equal to `script` if that is as it was.
std::string play(const std::string& script);

class Interpreter {
 public:
  /// Returns: what happened, a line each. A command that cannot be understood is told so in the transcript.
  std::vector<std::string> run(const std::string& command);

 private:
  struct Member {
    std::unique_ptr<Core> core;
    Options options;
    std::deque<Persist> writes;
    Restored disk;
  };
  static raft::Member member_named(std::uint64_t number);

  void create(std::istringstream& words);
  void restart(std::istringstream& words);
  void propose(std::istringstream& words);
  void persist(std::istringstream& words);
  void carry(std::istringstream& words, bool deliver);
  void settle();
  void live(Duration time);
  void change(std::istringstream& words);
  void wipe(std::istringstream& words);
  void connect(MemberId a, MemberId b);
  void send_image(std::istringstream& words);
  void finish_install(MemberId id, bool whole);
  bool run_membership(const std::string& verb, std::istringstream& words);
  void tell_membership(MemberId id, const Output& output);
  void show(const std::string& what, std::istringstream& words);
  bool run_input(const std::string& verb, std::istringstream& words);
  bool run_world(const std::string& verb, std::istringstream& words);

  void start(MemberId id);
  void step(MemberId id, Input input);
  void tell(MemberId id, const Output& output);
  void complete_write(MemberId id);
  void send(const Message& message);
  void deliver(const Message& message);
  /// What is not said in a quiet command: the noise of messages and writes.
  void detail(const std::string& line) {
    if (!quiet_) lines_.push_back("  " + line);
  }
  void say(const std::string& line) { lines_.push_back("  " + line); }

  Instant now_ = Instant(milliseconds(0));
  Membership membership_;
  std::map<MemberId, Member> members_;
  std::deque<Message> network_;
  std::map<MemberId, bool> isolated_;
  std::map<MemberId, bool> deaf_;
  bool quiet_ = false;
  std::vector<std::string> lines_;
};

}  // namespace holdfast::raft::scenarios
