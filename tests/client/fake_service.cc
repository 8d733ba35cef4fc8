#include "tests/client/fake_service.h"

#include <algorithm>

#include "base/check.h"
#include "tests/client/fake_interfaces.h"

namespace holdfast::fake {

namespace {
struct IgnoreErrors final : kj::TaskSet::ErrorHandler {
  void taskFailed(kj::Exception&&) override {}
};
}  // namespace

Service::Service(int members) {
  std::promise<void> promise;
  auto ready = promise.get_future();
  thread_ = std::thread(
      [this, members, promise = std::move(promise)]() mutable { run_thread(members, std::move(promise)); });
  ready.wait();
}

Service::~Service() {
  loop_->stop();
  thread_.join();
}

void Service::run_thread(int members, std::promise<void> ready) {
  net::EventLoop loop;
  IgnoreErrors ignore;
  loop_ = &loop;
  tasks_ = kj::heap<kj::TaskSet>(ignore);
  members_.resize(static_cast<std::size_t>(members));
  endpoints_.resize(members_.size(), "127.0.0.1:0");
  for (int member = 0; member < members; ++member) {
    listen(member);
  }
  ready.set_value();
  loop.run();
  for (auto& member : members_) {
    member.listener.reset();
    drop(member);
  }
  tasks_ = nullptr;
  world_ = World();
  members_.clear();
}

void Service::post(std::function<void()> task) {
  loop_->post([task = std::move(task)]() { task(); });
}

void Service::listen(int member) {
  auto& place = endpoints_[static_cast<std::size_t>(member)];
  auto endpoint = parse_endpoint(place);
  auto listener =
      net::Listener::open(*loop_, endpoint ? *endpoint : Endpoint{"127.0.0.1", 0}, {},
                          [this, member](net::Socket socket) { accept(member, std::move(socket)); });
  INVARIANT(listener, "a test needs its member to listen");
  place = (*listener)->endpoint().to_string();
  members_[static_cast<std::size_t>(member)].listener = std::move(*listener);
}

void Service::accept(int member, net::Socket socket) {
  auto connection = std::make_shared<Connection>();
  connection->member = member;
  connection->rpc = std::make_unique<net::RpcConnection>(kj::heap<net::MessageStream>(std::move(socket)),
                                                         make_interfaces(Visit{*this, connection}));
  members_[static_cast<std::size_t>(member)].connections.push_back(connection);
  tasks_->add(connection->rpc->on_disconnect().then([this, connection]() { break_later(connection); }));
}

void Service::break_later(std::shared_ptr<Connection> connection) {
  connection->broken = true;
  tasks_->add(kj::evalLater([this, connection]() {
    auto& all = members_[static_cast<std::size_t>(connection->member)].connections;
    all.erase(std::remove(all.begin(), all.end(), connection), all.end());
    connection->rpc.reset();
  }));
}

void Service::drop(Member& member) {
  for (auto& connection : std::exchange(member.connections, {})) {
    connection->broken = true;
    connection->rpc.reset();
  }
}

void Service::stop_member(int member) {
  world([this, member](World&) {
    members_[static_cast<std::size_t>(member)].listener.reset();
    drop(members_[static_cast<std::size_t>(member)]);
  });
}

void Service::start_member(int member) {
  world([this, member](World&) { listen(member); });
}

void Service::freeze_member(int member, bool frozen) {
  world([this, member, frozen](World&) {
    auto& changed = members_[static_cast<std::size_t>(member)];
    changed.frozen = frozen;
    for (auto& call : frozen ? decltype(changed.waiting)() : std::exchange(changed.waiting, {})) {
      call->fulfill();
    }
  });
}

kj::Maybe<kj::Promise<void>> Service::when_thawed(int member) {
  auto& asked = members_[static_cast<std::size_t>(member)];
  if (!asked.frozen) {
    return nullptr;
  }
  auto thawed = kj::newPromiseAndFulfiller<void>();
  asked.waiting.push_back(kj::mv(thawed.fulfiller));
  return kj::mv(thawed.promise);
}

void Service::break_connections() {
  world([this](World&) {
    std::for_each(members_.begin(), members_.end(), [this](Member& member) { drop(member); });
  });
}

void Service::set_leader(int member) {
  world([this, member](World&) { leader_ = member; });
}

void Service::fault(const std::string& method, Fault fault) {
  world([&](World&) { faults_[method].push_back(fault); });
}

void Service::on_call(const std::string& method, int count, std::function<void(World&)> change) {
  world([&](World&) { changes_[{method, count}] = change; });
}

int Service::calls(const std::string& method) {
  return world([&](World&) { return calls_[method]; });
}

int Service::calls_at(int member, const std::string& method) {
  return world([&](World&) { return calls_[member_name(member) + " " + method]; });
}

kj::Promise<void> Service::Visit::run(const std::string& method, std::function<kj::Promise<void>()> serve,
                                      std::function<void(Errc)> refuse) const {
  int count = ++service.calls_[method];
  if (auto change = service.changes_.find({method, count}); change != service.changes_.end()) {
    change->second(world());
  }
  ++service.calls_[service.member_name(connection->member) + " " + method];
  KJ_IF_MAYBE (thawed, service.when_thawed(connection->member)) {
    return thawed->then([serve = std::move(serve)]() { return serve(); });
  }
  auto& faults = service.faults_[method];
  if (faults.empty()) {
    return serve();
  }
  Fault fault = faults.front();
  faults.pop_front();
  switch (fault.kind) {
    case Fault::Kind::kRefuse:
      refuse(fault.code);
      return kj::READY_NOW;
    case Fault::Kind::kHang:
      return kj::NEVER_DONE;
    case Fault::Kind::kLoseCall:
      break;
    case Fault::Kind::kLoseAnswer:
      // What it does, it does at once; what it would wait for is lost as well.
      service.tasks_->add(serve());
      break;
  }
  service.break_later(connection);
  return kj::NEVER_DONE;
}

bool eventually(const std::function<bool()>& holds, int times) {
  std::promise<void> never;
  auto waiting = never.get_future();
  for (int i = 0; i < times; ++i) {
    if (holds()) {
      return true;
    }
    waiting.wait_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace holdfast::fake
