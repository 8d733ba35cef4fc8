#include "bench/load.h"

#include <memory>
#include <vector>

#include "bench/workload.h"
#include "net/connect.h"
#include "net/event_loop.h"
#include "net/rpc_connection.h"

namespace holdfast::bench {
namespace {

class Run {
 public:
  Run(const Load& load, const std::function<void(std::uint64_t)>& progress)
      : load_(load), progress_(progress), workload_(make_workload(load)) {}

  Result<Figures> to_the_end() {
    try {
      const std::vector<Endpoint> targets = targets_of_calls();
      for (std::size_t i = 0; i < load_.connections; ++i) connect(targets[i % targets.size()]);
      on_all_lanes([this](std::size_t lane) { return workload_->prepare(lane, services_of(lane)); });
      start_ = reported_ = loop_.now();
      on_all_lanes([this](std::size_t lane) { return run(lane); });
    } catch (const kj::Exception& e) {
      return fail(Errc::kUnavailable, e.getDescription().cStr());
    }
    figures_.elapsed = loop_.now() - start_;
    return std::move(figures_);
  }

 private:
  template <typename Start>
  void on_all_lanes(Start start) {
    auto lanes = kj::heapArrayBuilder<kj::Promise<void>>(load_.in_flight);
    for (std::size_t lane = 0; lane < load_.in_flight; ++lane) lanes.add(start(lane));
    loop_.run_until(kj::joinPromises(lanes.finish()));
  }
  Services& services_of(std::size_t lane) { return services_[lane % services_.size()]; }

  /// The leader, unless the calls are to stay where they are.
  std::vector<Endpoint> targets_of_calls() {
    if (load_.spread || load_.serializable) return load_.endpoints;
    auto stream = loop_.run_until(net::connect(loop_, load_.endpoints.front(), milliseconds(5000)));
    net::RpcConnection connection(kj::mv(stream));
    auto cluster = connection.bootstrap().castAs<schema::Holdfast>().clusterRequest().send().getCluster();
    auto status = loop_.run_until(cluster.statusRequest().send());
    for (const auto member : status.getStatus().getMembers()) {
      if (member.getRole() != schema::Cluster::Role::LEADER) continue;
      if (auto leader = parse_endpoint(member.getEndpoint().cStr())) return {*leader};
    }
    return load_.endpoints;
  }

  void connect(const Endpoint& endpoint) {
    auto stream = loop_.run_until(net::connect(loop_, endpoint, milliseconds(5000)));
    connections_.push_back(std::make_unique<net::RpcConnection>(kj::mv(stream)));
    auto door = connections_.back()->bootstrap().castAs<schema::Holdfast>();
    services_.push_back({loop_.run_until(door.configRequest().send()).getConfig(),
                         loop_.run_until(door.locksRequest().send()).getLocks(),
                         loop_.run_until(door.leasesRequest().send()).getLeases()});
  }

  kj::Promise<void> run(std::size_t lane) {
    if (sent_ == load_.total) return kj::READY_NOW;
    ++sent_;
    const Instant sent_at = loop_.now();
    return workload_->once(lane, services_of(lane))
        .catch_([](kj::Exception&& e) { return kj::Maybe<kj::String>(kj::str(e.getDescription())); })
        .then([this, lane, sent_at](kj::Maybe<kj::String> why) {
          answered(sent_at, why == nullptr);
          KJ_IF_MAYBE (text, why) {
            if (figures_.first_error.empty()) figures_.first_error = text->cStr();
          }
          return run(lane);
        });
  }

  void answered(Instant sent_at, bool good) {
    const Instant now = loop_.now();
    if (good) {
      figures_.count += workload_->weight();
      figures_.latencies.record(static_cast<std::uint64_t>((now - sent_at).count()));
    } else {
      ++figures_.errors;
    }
    if (now - reported_ >= std::chrono::seconds(1)) {
      reported_ = now;
      progress_(sent_);
    }
  }

  const Load& load_;
  const std::function<void(std::uint64_t)>& progress_;
  const std::unique_ptr<Workload> workload_;
  net::EventLoop loop_;
  std::vector<std::unique_ptr<net::RpcConnection>> connections_;
  std::vector<Services> services_;
  std::uint64_t sent_ = 0;
  Instant start_;
  Instant reported_;
  Figures figures_;
};

}  // namespace

Result<Figures> run(const Load& load, const std::function<void(std::uint64_t)>& progress) {
  return Run(load, progress).to_the_end();
}

}  // namespace holdfast::bench
