#include "tests/fuzz/door_under_fire.h"

#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <functional>
#include <utility>

#include "base/check.h"
#include "base/logging.h"
#include "net/connect.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/rpc_connection.h"
#include "node/node.h"
#include "rpc/door.h"
#include "rpc/texts.h"
#include "schema/api.capnp.h"
#include "server/loop.h"
#include "tests/rpc/memory_stores.h"

namespace holdfast::fuzz {

namespace {

using asio::ip::tcp;

// What connections put stays: now and then the node begins anew.
constexpr std::size_t kInputsPerNode = 5000;
// Far beyond what any input needs; a node that goes on for ever would be found by the fuzzer's own limit.
constexpr int kMostTurns = 400;

/// Nobody else takes part.
struct NoPeers final : node::Transport {
  void send(raft::Message) override {}
  void set_members(const raft::Membership&, Index) override {}
};

}  // namespace

class DoorUnderFire::Impl final {
 public:
  Impl() : node_loop_(loop_), log_(node_loop_), image_(node_loop_) {
    raft::Restored restored;
    raft::Member self;
    self.id = MemberId(1);
    self.name = "n1";
    restored.membership.voters.push_back(self);
    node::Options options;
    options.raft.self = self.id;
    options.raft.election_timeout = milliseconds(5);
    options.raft.heartbeat_interval = milliseconds(1);
    options.raft.data_id = "data";
    options.cluster = ClusterId(7);
    options.name = self.name;
    options.client_endpoint = "127.0.0.1:1";
    node_ = std::make_unique<node::Node>(options,
                                         node::Ports{node_loop_, log_, image_, snapshots_, peers_, logging_},
                                         restored, std::make_unique<state::Machine>());
    node_loop_.on_alarm([this] { node_->on_alarm(); });
    door_ = std::make_unique<rpc::Door>(
        loop_, *node_, rpc::Identity{options.cluster, self.id, self.name, options.client_endpoint}, logging_);
    auto listener = net::Listener::open(loop_, Endpoint{"127.0.0.1", 0}, {},
                                        [this](net::Socket socket) { accept(std::move(socket)); });
    INVARIANT(listener, "loopback has a free port");
    listener_ = std::move(*listener);
    node_->start();
    while (!node_->is_leader()) turn();
  }

  ~Impl() {
    connection_.reset();
    turn();
    door_.reset();
    node_.reset();
  }

  void take(std::string_view bytes) {
    tcp::socket client(loop_.io());
    client.connect(tcp::endpoint(asio::ip::address_v4::loopback(), listener_->endpoint().port));
    client.non_blocking(true);
    asio::error_code ignored;
    asio::write(client, asio::buffer(bytes.data(), bytes.size()), ignored);
    client.shutdown(tcp::socket::shutdown_send, ignored);
    for (int turns = 0; turns < kMostTurns && !(accepted_ && over_); ++turns) turn();
    connection_.reset();
    accepted_ = over_ = false;
    turn();
  }

  std::string record(
      const std::function<void(schema::Holdfast::Client, kj::Vector<kj::Promise<void>>&)>& calls) {
    tcp::acceptor acceptor(loop_.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    auto stream =
        net::connect(loop_, Endpoint{"127.0.0.1", acceptor.local_endpoint().port()}, milliseconds(1000));
    net::RpcConnection client(loop_.run_until(kj::mv(stream)));
    tcp::socket far = acceptor.accept();
    far.non_blocking(true);
    kj::Vector<kj::Promise<void>> open;
    calls(client.bootstrap().castAs<schema::Holdfast>(), open);
    for (int i = 0; i < 20; ++i) turn();
    std::string bytes(1 << 16, '\0');
    asio::error_code nothing;
    bytes.resize(far.read_some(asio::buffer(bytes), nothing));
    return bytes;
  }

 private:
  void accept(net::Socket socket) {
    accepted_ = true;
    connection_ = std::make_unique<net::RpcConnection>(kj::heap<net::MessageStream>(std::move(socket)),
                                                       door_->visit("fuzzer"));
    ended_ = connection_->on_disconnect()
                 .then([this] { over_ = true; }, [this](kj::Exception&&) { over_ = true; })
                 .eagerlyEvaluate(nullptr);
  }

  void turn() {
    auto turned = kj::newPromiseAndFulfiller<void>();
    loop_.post([fulfiller = kj::mv(turned.fulfiller)]() mutable { fulfiller->fulfill(); });
    loop_.run_until(kj::mv(turned.promise));
  }

  net::EventLoop loop_;
  NullLogSink logging_;
  NoPeers peers_;
  server::NodeLoop node_loop_;
  test::MemoryLog log_;
  test::MemoryImage image_;
  test::NoSnapshots snapshots_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<rpc::Door> door_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::RpcConnection> connection_;
  kj::Promise<void> ended_ = kj::READY_NOW;
  bool accepted_ = false;
  bool over_ = false;
};

DoorUnderFire::DoorUnderFire() : impl_(std::make_unique<Impl>()) {}
DoorUnderFire::~DoorUnderFire() = default;

void DoorUnderFire::take(std::string_view bytes) {
  if (++taken_ % kInputsPerNode == 0) {
    impl_.reset();  // one loop a thread
    impl_ = std::make_unique<Impl>();
  }
  impl_->take(bytes);
}

std::vector<std::string> DoorUnderFire::record_calls() {
  using schema::Holdfast;
  using Open = kj::Vector<kj::Promise<void>>;
  const auto config = [](Holdfast::Client door, Open& open) {
    auto service = door.configRequest().send().getConfig();
    auto put = service.putRequest();
    put.initCall().setTimeoutMs(100);
    put.initPut().setKey(rpc::as_data("/a"));
    put.getPut().setValue(rpc::as_data("1"));
    open.add(put.send().ignoreResult());
    auto get = service.getRequest();
    get.initGet().initRange().setBegin(rpc::as_data("/"));
    open.add(get.send().ignoreResult());
    auto remove = service.deleteRequest();
    remove.initDelete().initRange().setBegin(rpc::as_data("/"));
    open.add(remove.send().ignoreResult());
  };
  const auto leases = [](Holdfast::Client door, Open& open) {
    auto service = door.leasesRequest().send().getLeases();
    auto grant = service.grantRequest();
    grant.setTtlMs(1000);
    open.add(grant.send().ignoreResult());
    auto keep = service.keepAliveRequest();
    keep.initLeases(2).set(0, 4);
    open.add(keep.send().ignoreResult());
    open.add(service.listRequest().send().ignoreResult());
  };
  const auto locks = [](Holdfast::Client door, Open& open) {
    auto service = door.locksRequest().send().getLocks();
    auto acquire = service.acquireRequest();
    acquire.initAcquire().setLock("deploy");
    acquire.getAcquire().setLease(4);
    acquire.getAcquire().setQueue(true);
    open.add(acquire.send().ignoreResult());
    open.add(service.showRequest().send().ignoreResult());
  };
  const auto registry = [](Holdfast::Client door, Open& open) {
    auto service = door.registryRequest().send().getRegistry();
    auto add = service.registerRequest();
    add.setService("web");
    add.initInstance().setId("web-1");
    add.getInstance().setAddress("h");
    add.getInstance().setLease(4);
    open.add(add.send().ignoreResult());
    open.add(service.servicesRequest().send().ignoreResult());
  };
  const auto cluster = [](Holdfast::Client door, Open& open) {
    auto service = door.hereRequest().send().getHoldfast().clusterRequest().send().getCluster();
    open.add(service.statusRequest().send().ignoreResult());
    open.add(service.membersRequest().send().ignoreResult());
    open.add(service.whoAmIRequest().send().ignoreResult());
  };
  std::vector<std::string> said;
  for (const auto& calls :
       std::vector<std::function<void(Holdfast::Client, Open&)>>{config, leases, locks, registry, cluster}) {
    said.push_back(impl_->record(calls));
  }
  return said;
}

}  // namespace holdfast::fuzz
