#include "server/server.h"

#include <unistd.h>

#include <random>
#include <utility>

#include "server/descriptors.h"
#include "server/identity.h"
#include "server/join.h"
#include "server/log_runner.h"
#include "server/set_aside.h"

namespace holdfast::server {

namespace {

// A stop that takes longer is cut short: everything that was acknowledged is durable.
constexpr int kStopSeconds = 4;
// Connections are closed once nobody has asked anything for so long: a call that is on its way then would not
// be answered, and its caller could not know whether it had been carried out.
constexpr auto kQuiet = 20 * kj::MILLISECONDS;
// Somebody always asks something; who was refused for so long does not mean to go.
constexpr auto kLongestFarewell = 500 * kj::MILLISECONDS;
constexpr milliseconds kAskAgain{60'000};
// Between two signs of life on a connection to another member: as often as elections could be called for, but
// not so often that a busy machine is taken for a dead one.
constexpr milliseconds kLeastAlive{250};
constexpr milliseconds kMostAlive{1000};

// A message less to each follower, and one less from it, for every write of who waits for each. Watchers at
// followers wait for it: no longer than people can tell. Ref: docs/decisions/0038-news-of-a-commit.md
constexpr milliseconds kCommitNewsDelay{1};

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::open(const Options& options, net::EventLoop& loop, LogSink& logging,
                                             Callback<void(int status)> ended) {
  std::unique_ptr<Server> server(new Server(options, loop, logging, std::move(ended)));
  const AskCluster ask = [&](Duration within) { return ask_cluster(loop, options.join, within); };
  if (options.rejoin) {
    auto aside = set_old_data_aside(options, ask);
    if (!aside) return fail(aside.error());
    if (*aside) {
      logging.write(LogLevel::kWarn, "old_data_set_aside",
                    {{"from", options.data_dir.string()}, {"to", (*aside)->string()}});
    }
  }
  auto disk = open_disk(options, ask, server->poster(), server->fatal_handler(),
                        [&loop] { return std::make_unique<LogRunner>(loop); });
  if (!disk) return fail(disk.error());
  server->disk_ = *std::move(disk);
  if (auto taken = server->take_ports(); !taken) return fail(taken.error());
  if (auto made = server->make_node(); !made) return fail(made.error());
  return server;
}

Server::Server(const Options& options, net::EventLoop& loop, LogSink& logging, Callback<void(int)> ended)
    : options_(options),
      loop_(loop),
      logging_(logging),
      ended_(std::move(ended)),
      node_loop_(loop),
      visitors_(loop, options.handshake_timeout, logging),
      tasks_(*this) {}

Server::~Server() noexcept(false) {
  // Calls that a connection's end cancelled let go of the node in the loop's next turn, not before.
  visitors_.clear();
  loop_.wait_scope().poll();
}

Result<void> Server::take_ports() {
  net::Listener::Options listener_options;
  listener_options.logging = &logging_;
  listener_options.max_connections = client_connections(options_.max_connections, raise_descriptor_limit());
  auto listener = net::Listener::open(loop_, options_.listen, listener_options,
                                      [this](net::Socket socket) { accept(std::move(socket)); });
  if (!listener) return fail(listener.error());
  listener_ = *std::move(listener);
  client_endpoint_ = options_.advertise.value_or(listener_->endpoint()).to_string();

  peer::Options peer_options;
  peer_options.self = {disk_.identity.cluster, disk_.identity.member, disk_.identity.name, client_endpoint_};
  peer_options.self.peer_address = peer_address();
  peer_options.self.feature_level = state::kSupportedLevel;
  peer_options.listen = options_.peer_listen;
  peer_options.timing.alive_interval = std::clamp(options_.election_timeout, kLeastAlive, kMostAlive);
  peer_options.seed = random_seed();
  auto transport = peer::Transport::open(loop_, std::move(peer_options), logging_);
  if (!transport) return fail(transport.error());
  transport_ = *std::move(transport);
  return {};
}

std::string Server::peer_address() const {
  if (options_.peer_advertise) return options_.peer_advertise->to_string();
  const raft::Member* self = find_member(disk_.identity.membership, disk_.identity.name);
  return self ? self->peer_address : options_.peer_listen.to_string();
}

Result<void> Server::make_node() {
  auto beginning = begin(disk_, poster(), fatal_handler());
  if (!beginning) return fail(beginning.error());
  node::Options node_options;
  node_options.raft.self = disk_.identity.member;
  node_options.raft.data_id = disk_.identity.data_id;
  node_options.raft.election_timeout = options_.election_timeout;
  node_options.raft.heartbeat_interval = options_.heartbeat_interval;
  node_options.raft.commit_news_delay = kCommitNewsDelay;
  node_options.raft.seed = random_seed();
  node_options.cluster = disk_.identity.cluster;
  node_options.name = disk_.identity.name;
  node_options.client_endpoint = client_endpoint_;
  node_options.outdated = [](const Error&) { _exit(kCannotRun); };
  node_ = std::make_unique<node::Node>(
      std::move(node_options),
      node::Ports{node_loop_, *disk_.log, *disk_.image, *disk_.snapshots, *transport_, logging_},
      std::move(beginning->restored), std::move(beginning->machine));
  node_loop_.on_alarm([this] { node_->on_alarm(); });
  rpc::Identity identity{disk_.identity.cluster, disk_.identity.member, disk_.identity.name, client_endpoint_,
                         founders_of(disk_.identity)};
  door_ = std::make_unique<rpc::Door>(loop_, *node_, std::move(identity), logging_);
  return {};
}

storage::Poster Server::poster() {
  return [&loop = loop_](Callback<void()> task) { loop.post(std::move(task)); };
}

storage::FatalHandler Server::fatal_handler() {
  return [&logging = logging_](const std::string& message) {
    logging.write(LogLevel::kError, "storage_failed", {{"error", message}});
    // At once, whatever else is under way: nothing further may be promised.
    _exit(kDiskFailed);
  };
}

void Server::start() {
  logging_.write(LogLevel::kInfo, "starting",
                 {{"name", name()},
                  {"data_dir", options_.data_dir.string()},
                  {"listen", listener_->endpoint().to_string()},
                  {"peer_listen", transport_->endpoint().to_string()},
                  {"members", node_->membership().voters.size()}});
  started_ = true;
  disk_.space->tell([this](const node::Space& space) { node_->space_changed(space); });
  disk_.log->start();
  disk_.image->start();
  node_->start();
  node_loop_.load(node::Load::kLight);  // the state has just been read
  transport_->start(peer_events(), disk_.identity.data_id);
  tell_when_ready();
}

peer::Events Server::peer_events() {
  peer::Events events;
  events.received = [this](raft::Message message) { node_->receive(std::move(message)); };
  events.connected = [this](MemberId member, std::string client_endpoint, std::string data_id,
                            std::uint16_t feature_level) {
    refusals_.erase(member);
    node_->peer_connected(member, std::move(client_endpoint), std::move(data_id), feature_level);
  };
  events.lost = [this](MemberId member) { node_->peer_lost(member); };
  events.refused = [this](MemberId member, std::string reason) { peer_refused(member, reason); };
  return events;
}

void Server::accept(net::Socket socket) {
  if (!started_ || stopping_) return;
  visitors_.take(std::move(socket), [this](std::string address) { return door_->visit(std::move(address)); });
}

void Server::tell_when_ready() {
  node_->when_leader_known(kAskAgain, [this](Result<node::LeaderInfo> leader) {
    if (stopping_) return;
    if (!leader) {
      logging_.write(LogLevel::kWarn, "no_leader", {{"name", name()}, {"error", leader.error().message}});
      return loop_.post([this] { tell_when_ready(); });
    }
    logging_.write(LogLevel::kInfo, "ready",
                   {{"name", name()}, {"endpoint", client_endpoint_}, {"leader", leader->name}});
  });
}

void Server::peer_refused(MemberId member, const std::string& reason) {
  if (stopping_) return;
  refusals_.add(member);
  if (!refusals_.by_majority(node_->membership())) return;
  stopping_ = true;
  logging_.write(LogLevel::kError, "refused_by_majority", {{"name", name()}, {"reason", reason}});
  end(kCannotRun);
}

void Server::stop() {
  if (stopping_) return;
  stopping_ = true;
  logging_.write(LogLevel::kInfo, "stopping", {{"name", name()}});
  listener_.reset();
  node_->stop([this] { finish(); });
  door_->stop();
  tasks_.add(loop_.timer().afterDelay(kStopSeconds * kj::SECONDS).then([this] {
    if (finishing_) return;
    cut_short_ = true;
    logging_.write(LogLevel::kWarn, "stop_cut_short", {{"name", name()}});
    finish();
  }));
}

void Server::finish() {
  if (std::exchange(finishing_, true)) return;
  close_when_quiet(loop_.timer().now() + kLongestFarewell);
}

void Server::close_when_quiet(kj::TimePoint at_the_latest) {
  tasks_.add(loop_.timer().afterDelay(kQuiet).then([this, at_the_latest] {
    if (visitors_.are_quiet() || loop_.timer().now() >= at_the_latest) return end(kStopped);
    close_when_quiet(at_the_latest);
  }));
}

void Server::end(int status) {
  if (!ended_) return;
  logging_.write(LogLevel::kInfo, "stopped", {{"name", name()}});
  auto ended = std::exchange(ended_, {});
  ended(status);
}

void Server::taskFailed(kj::Exception&& exception) {
  logging_.write(LogLevel::kDebug, "connection_failed", {{"error", exception.getDescription().cStr()}});
}

}  // namespace holdfast::server
