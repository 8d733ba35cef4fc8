#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/chaos/fault_proxy.h"

namespace holdfast::chaos {

namespace {

/// The kernel's number of the socket bound to the port that is connected. Returns: empty if there is none.
std::string inode_of(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    const std::size_t colon = local.find(':');
    if (colon == std::string::npos || inode == "0") continue;
    if (std::stoul(local.substr(colon + 1), nullptr, 16) == port) return inode;
  }
  return {};
}

}  // namespace

int owner_of_port(std::uint16_t port, const std::vector<int>& processes) {
  const std::string inode = inode_of(port);
  if (inode.empty()) return -1;
  const std::string wanted = "socket:[" + inode + "]";
  for (std::size_t i = 0; i < processes.size(); ++i) {
    if (processes[i] <= 0) continue;
    std::error_code error;
    const std::string folder = "/proc/" + std::to_string(processes[i]) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (std::filesystem::read_symlink(entry.path(), error) == wanted) return static_cast<int>(i);
    }
  }
  return -1;
}

}  // namespace holdfast::chaos
