#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "tests/chaos/fault_proxy.h"
#include "tests/chaos/process.h"

namespace holdfast::chaos {

struct MembersOptions {
  std::string program;  ///< holdfastd
  std::string directory;
  std::size_t count = 3;   ///< that found the cluster
  std::size_t spares = 0;  ///< places for those who come later
  milliseconds election_timeout{1000};
  milliseconds heartbeat_interval{100};
  std::uint64_t seed = 1;
  std::vector<std::string> more_words = {};  ///< for the command lines of all
  bool proxied = true;                       ///< false: members and clients talk to each other directly
};

/// Ports on loopback that nobody else is given while this lives. They lie below those that the kernel gives
/// to whoever connects: else a connection could take the port of a member that is down.
class ReservedPorts {
 public:
  /// Errors: std::system_error.
  explicit ReservedPorts(std::size_t count);
  ~ReservedPorts();
  ReservedPorts(const ReservedPorts&) = delete;
  ReservedPorts& operator=(const ReservedPorts&) = delete;
  std::uint16_t operator[](std::size_t i) const { return ports_[i]; }

 private:
  std::vector<int> sockets_;
  std::vector<std::uint16_t> ports_;
};

/// Servers n1, n2, ... on loopback, each in its place, some places still or again empty. All they say to each
/// other, and all that clients say to them, goes through the proxy: routes are (member, member) and
/// ("clients", member). Thread: the one that made it, if not said otherwise.
class Members {
 public:
  static constexpr const char* kClients = "clients";
  /// kLeaving: it is being removed, and may end because of that.
  enum class Part { kNone, kMember, kLeaving };

  explicit Members(MembersOptions options);

  /// Of places.
  std::size_t count() const { return members_.size(); }
  Part part(std::size_t i) const { return members_[i]->part; }
  bool belongs(std::size_t i) const { return part(i) == Part::kMember; }
  void set_part(std::size_t i, Part part) { members_[i]->part = part; }
  /// The places of those who belong.
  std::vector<std::size_t> present() const;
  /// From now on this place is that of a member which comes into the running cluster.
  void let_join(std::size_t i) { members_[i]->joins = true; }
  /// Where other members reach it. Thread: any.
  std::string peer_address(std::size_t i) const;
  const std::string& name(std::size_t i) const { return members_[i]->name; }
  /// Where clients reach it: its door in the proxy. Thread: any.
  std::string endpoint(std::size_t i) const;
  std::vector<std::string> endpoints() const;
  /// Where it listens itself, behind the proxy. Thread: any.
  std::string own_endpoint(std::size_t i) const;
  /// Of those who belong.
  std::vector<std::string> own_endpoints() const;
  /// The disk that its data directory is on.
  const std::string& disk(std::size_t i) const { return members_[i]->disk; }
  const std::string& data_directory(std::size_t i) const { return members_[i]->directory; }

  Result<void> start(std::size_t i);
  /// SIGKILL, and gone.
  void kill(std::size_t i);
  /// SIGTERM. Returns: the exit status, or -1 if it did not end within 10 s (then it is killed).
  int terminate(std::size_t i);
  void pause(std::size_t i);
  void go_on(std::size_t i);
  bool is_running(std::size_t i);
  int status(std::size_t i) const { return members_[i]->process.status(); }
  /// 0: it does not run.
  int pid(std::size_t i) const { return members_[i]->process.pid(); }
  /// Waits until it says that it is ready since its last start. Returns: false if not within `limit`, or if
  /// it ended.
  bool await_ready(std::size_t i, milliseconds limit);
  /// How many lines of its log, since its last start, contain the text.
  std::size_t log_count(std::size_t i, const std::string& text) const;
  /// The last lines of its log.
  std::string log_tail(std::size_t i) const;

  FaultProxy& proxy() { return proxy_; }

 private:
  struct Member {
    std::string name;
    std::string disk;
    std::string directory;
    std::string log;
    std::uint16_t client_port = 0;
    std::uint16_t peer_port = 0;
    std::uint16_t client_door = 0;
    std::uint16_t peer_door = 0;
    std::streamoff log_begin = 0;  // of its last start
    Part part = Part::kNone;
    bool joins = false;  // it was not among those who founded the cluster, or came back later
    Process process;
  };

  std::vector<std::string> words(const Member& member) const;
  std::string founders() const;
  std::string who_dialled(std::uint16_t port);
  void note_pid(std::size_t i);

  const MembersOptions options_;
  std::vector<std::unique_ptr<Member>> members_;
  std::mutex mutex_;       // guards pids_: the proxy's thread asks for them
  std::vector<int> pids_;  // 0: it does not run
  FaultProxy proxy_;
};

}  // namespace holdfast::chaos
