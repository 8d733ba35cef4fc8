#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace microservice {

/// A TCP server for requests of one line: one thread, one poll().
class LineServer {
 public:
  using Answer = std::function<std::string(const std::string& line)>;

  /// Listens at `host` (an IPv4 address) and `port`; 0: any free one. Check is_listening().
  LineServer(const std::string& host, std::uint16_t port);
  ~LineServer();
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

  bool is_listening() const { return listener_ >= 0; }
  std::uint16_t port() const { return port_; }
  /// Answers what comes within the next `limit_ms` milliseconds, each line with a line.
  void serve(int limit_ms, const Answer& answer);

 private:
  void accept_caller();
  /// Returns: false if the caller is gone.
  bool read_lines(int caller, std::string& unfinished, const Answer& answer);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::map<int, std::string> callers_;  ///< descriptor, and the line it has not finished
};

}  // namespace microservice
