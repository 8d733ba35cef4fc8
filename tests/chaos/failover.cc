#include "tests/chaos/failover.h"

#include <holdfast/client.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "tests/chaos/nemesis.h"
#include "tests/chaos/workload.h"

namespace holdfast::chaos {

namespace {

constexpr std::size_t kProbes = 3;
constexpr milliseconds kPatience{30'000};

client::Options options_of(const Members& members, std::size_t first) {
  client::Options options;
  options.endpoints = members.own_endpoints();
  std::rotate(options.endpoints.begin(),
              options.endpoints.begin() + static_cast<std::ptrdiff_t>(first % members.count()),
              options.endpoints.end());
  options.call_timeout = kPatience;
  return options;
}

/// Clients that are connected and idle until the moment of the kill.
class Probes {
 public:
  explicit Probes(const Members& members) {
    for (std::size_t i = 0; i < kProbes; ++i) {
      clients_.push_back(std::make_unique<client::Client>(options_of(members, i)));
    }
  }

  /// Everybody writes once, so that sessions and connections are there.
  bool warm() {
    for (const auto& client : clients_) {
      if (!client->put("failover/warm", "x")) return false;
    }
    return true;
  }

  /// Returns: when the first of them had its write acknowledged; 0: none had.
  std::int64_t first_acknowledged() {
    std::atomic<std::int64_t> first{INT64_MAX};
    std::vector<std::thread> threads;
    for (const auto& client : clients_) {
      threads.emplace_back([&first, &client] {
        if (!client->put("failover/probe", "x")) return;
        const std::int64_t now = clock_now();
        std::int64_t known = first;
        while (now < known && !first.compare_exchange_weak(known, now)) {
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return first == INT64_MAX ? 0 : first.load();
  }

 private:
  std::vector<std::unique_ptr<client::Client>> clients_;
};

/// A light load, so that there is something to replicate at the moment of the kill.
void load(const Members& members, const Stop& stop) {
  client::Client client(options_of(members, 1));
  while (!stop.wait_for(milliseconds(2))) static_cast<void>(client.put("failover/load", "x"));
}

}  // namespace

Result<std::vector<milliseconds>> measure_failover(const std::string& server_program,
                                                   const std::string& directory, std::size_t kills,
                                                   const Stop& stop,
                                                   const std::function<void(const std::string&)>& progress) {
  MembersOptions options;
  options.program = server_program;
  options.directory = directory;
  options.proxied = false;
  Members members(std::move(options));
  for (std::size_t i = 0; i < members.count(); ++i) {
    if (auto started = members.start(i); !started) return fail(started.error());
  }
  for (std::size_t i = 0; i < members.count(); ++i) {
    if (!members.await_ready(i, kPatience)) return fail(Errc::kUnavailable, members.log_tail(i));
  }
  auto history = HistoryFile::create(directory + "/history.jsonl");
  if (!history) return fail(history.error());
  Nemesis nemesis({members, **history, stop, {}});
  Probes probes(members);
  Stop stop_load;
  Workload workload(stop_load);
  workload.run([&] { load(members, stop_load); });

  std::vector<milliseconds> times;
  while (times.size() < kills && !stop.is_set()) {
    if (!probes.warm()) return fail(Errc::kUnavailable, "no write was acknowledged before a kill");
    const auto leader = nemesis.leader(kPatience);
    if (!leader) return fail(Errc::kUnavailable, "nobody leads");
    const std::int64_t killed = clock_now();
    members.kill(*leader);
    const std::int64_t acknowledged = probes.first_acknowledged();
    if (acknowledged == 0) return fail(Errc::kUnavailable, "nothing was acknowledged after a kill");
    times.push_back(milliseconds((acknowledged - killed) / 1000));
    progress(members.name(*leader) + " killed, " + std::to_string(times.back().count()) + " ms");
    if (auto started = members.start(*leader); !started) return fail(started.error());
    if (!members.await_ready(*leader, kPatience)) return fail(Errc::kUnavailable, members.log_tail(*leader));
    // Everybody has settled: the next election is not disturbed by the last one.
    stop.wait_for(milliseconds(1500));
  }
  return times;
}

std::string failover_summary(std::vector<milliseconds> times) {
  if (times.empty()) return "kills=0";
  std::sort(times.begin(), times.end());
  const std::size_t middle = times.size() / 2;
  const milliseconds median = times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  const auto in_ms = [](milliseconds time) { return std::to_string(time.count()); };
  return "kills=" + std::to_string(times.size()) + " median_ms=" + in_ms(median) +
         " min_ms=" + in_ms(times.front()) + " max_ms=" + in_ms(times.back());
}

}  // namespace holdfast::chaos
