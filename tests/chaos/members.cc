#include "tests/chaos/members.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "tests/chaos/waiting.h"

namespace holdfast::chaos {

namespace {

std::string on_loopback(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

std::string in_ms(milliseconds time) { return std::to_string(time.count()) + "ms"; }

}  // namespace

ReservedPorts::ReservedPorts(std::size_t count) {
  constexpr std::uint16_t kFirst = 11'000, kBehindLast = 32'000;
  constexpr int kSpread = 97;  // programs that run at once begin to look apart
  std::uint16_t port = kFirst + static_cast<std::uint16_t>(getpid() * kSpread % (kBehindLast - kFirst));
  for (int tries = 0; sockets_.size() < count && tries < kBehindLast - kFirst; ++tries) {
    if (++port == kBehindLast) port = kFirst;
    const int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (one < 0 || bind(one, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      close(one);
      continue;
    }
    sockets_.push_back(one);
    ports_.push_back(port);
  }
  if (sockets_.size() < count) throw std::system_error(EADDRINUSE, std::generic_category(), "no free ports");
}

ReservedPorts::~ReservedPorts() {
  for (const int one : sockets_) close(one);
}

Members::Members(MembersOptions options)
    : options_(std::move(options)), pids_(options_.count + options_.spares, 0), proxy_(options_.seed) {
  const std::size_t places = options_.count + options_.spares;
  const ReservedPorts ports(2 * places);
  for (std::size_t i = 0; i < places; ++i) {
    auto member = std::make_unique<Member>();
    member->name = "n" + std::to_string(i + 1);
    member->disk = options_.directory + "/" + member->name;
    member->directory = member->disk + "/data";
    member->log = member->disk + ".log";
    member->part = i < options_.count ? Part::kMember : Part::kNone;
    member->client_port = member->client_door = ports[2 * i];
    member->peer_port = member->peer_door = ports[2 * i + 1];
    if (options_.proxied) {
      member->client_door = proxy_.open_door(member->name, member->client_port,
                                             [](std::uint16_t) { return std::string(kClients); });
      member->peer_door = proxy_.open_door(member->name, member->peer_port,
                                           [this](std::uint16_t port) { return who_dialled(port); });
    }
    members_.push_back(std::move(member));
  }
}

std::vector<std::size_t> Members::present() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < count(); ++i) {
    if (belongs(i)) all.push_back(i);
  }
  return all;
}

std::string Members::endpoint(std::size_t i) const { return on_loopback(members_[i]->client_door); }
std::string Members::own_endpoint(std::size_t i) const { return on_loopback(members_[i]->client_port); }
std::string Members::peer_address(std::size_t i) const { return on_loopback(members_[i]->peer_door); }

std::vector<std::string> Members::endpoints() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count(); ++i) all.push_back(endpoint(i));
  return all;
}

std::vector<std::string> Members::own_endpoints() const {
  std::vector<std::string> all;
  for (const std::size_t i : present()) all.push_back(own_endpoint(i));
  return all;
}

std::string Members::founders() const {
  std::string cluster;
  for (std::size_t i = 0; i < options_.count; ++i) {
    cluster += (i == 0 ? "" : ",") + name(i) + "=" + peer_address(i);
  }
  return cluster;
}

std::vector<std::string> Members::words(const Member& member) const {
  std::vector<std::string> all = {options_.program,
                                  "--name",
                                  member.name,
                                  "--data-dir",
                                  member.directory,
                                  "--listen",
                                  on_loopback(member.client_port),
                                  "--advertise",
                                  on_loopback(member.client_door),
                                  "--peer-listen",
                                  on_loopback(member.peer_port),
                                  "--peer-advertise",
                                  on_loopback(member.peer_door),
                                  "--cluster-token",
                                  "chaos",
                                  "--election-timeout",
                                  in_ms(options_.election_timeout),
                                  "--heartbeat-interval",
                                  in_ms(options_.heartbeat_interval)};
  all.insert(all.end(), options_.more_words.begin(), options_.more_words.end());
  if (!member.joins) {
    all.insert(all.end(), {"--cluster", founders()});
    return all;
  }
  std::string known;
  for (const std::size_t i : present()) {
    if (members_[i].get() != &member) known += (known.empty() ? "" : ",") + endpoint(i);
  }
  // As a service of it would always be started: what a former member left here is set aside.
  all.insert(all.end(), {"--join", known, "--rejoin"});
  return all;
}

Result<void> Members::start(std::size_t i) {
  Member& member = *members_[i];
  std::error_code none;
  std::filesystem::create_directories(member.disk, none);
  const auto size = std::filesystem::file_size(member.log, none);
  member.log_begin = none ? 0 : static_cast<std::streamoff>(size);
  auto started = member.process.start(words(member), member.log);
  note_pid(i);
  return started;
}

void Members::kill(std::size_t i) {
  members_[i]->process.kill();
  note_pid(i);
}

int Members::terminate(std::size_t i) {
  Process& process = members_[i]->process;
  if (!process.is_running()) return process.status();
  process.send(SIGTERM);
  const bool ended = process.wait_end(milliseconds(10'000));
  if (!ended) process.kill();
  note_pid(i);
  return ended ? process.status() : -1;
}

void Members::pause(std::size_t i) { members_[i]->process.send(SIGSTOP); }
void Members::go_on(std::size_t i) { members_[i]->process.send(SIGCONT); }

bool Members::is_running(std::size_t i) {
  const bool running = members_[i]->process.is_running();
  if (!running) note_pid(i);
  return running;
}

bool Members::await_ready(std::size_t i, milliseconds limit) {
  const auto says_ready = [&] { return log_count(i, "event=ready") > 0; };
  bool ready = false;
  wait_until([&] { return (ready = says_ready()) || !is_running(i); }, limit);
  return ready;
}

std::size_t Members::log_count(std::size_t i, const std::string& text) const {
  std::ifstream log(members_[i]->log);
  log.seekg(members_[i]->log_begin);
  std::size_t found = 0;
  for (std::string line; std::getline(log, line);) found += line.find(text) != std::string::npos ? 1 : 0;
  return found;
}

std::string Members::log_tail(std::size_t i) const {
  std::ifstream log(members_[i]->log);
  std::ostringstream text;
  text << log.rdbuf();
  const std::string all = text.str();
  return all.size() <= 3000 ? all : all.substr(all.size() - 3000);
}

std::string Members::who_dialled(std::uint16_t port) {
  std::vector<int> pids;
  {
    const std::lock_guard guard(mutex_);
    pids = pids_;
  }
  const int found = owner_of_port(port, pids);
  return found < 0 ? "nobody" : members_[static_cast<std::size_t>(found)]->name;
}

void Members::note_pid(std::size_t i) {
  const std::lock_guard guard(mutex_);
  pids_[i] = members_[i]->process.pid();
}

}  // namespace holdfast::chaos
