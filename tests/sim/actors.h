#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "client/session/watch_position.h"
#include "node/watch_hub.h"
#include "tests/sim/kept_lease.h"
#include "tests/sim/session.h"

/// Clients: each does one kind of thing again and again, until it is told to finish.
namespace holdfast::sim {

class Actor {
 public:
  virtual ~Actor() = default;
  virtual void start() = 0;
  /// Begins nothing new; idle() once what is under way is over.
  virtual void finish() = 0;
  virtual bool idle() const = 0;
  /// After everything is at rest.
  virtual void check() {}
  /// Lets go of its lease.
  virtual void abandon() {}
};

/// Puts, compares and swaps, deletes, attaches keys and instances to its lease, and reads.
class Writer final : public Actor {
 public:
  Writer(Surroundings surroundings, Random random, int number);
  void start() override;
  void finish() override { finishing_ = true; }
  bool idle() const override { return busy_ == 0; }
  void abandon() override { session_.abandon(); }

 private:
  void next();
  void again();
  void put();
  void remove();
  void place_instance();
  void read();
  void run(state::Operation operation, bool names_lease, std::function<void(const state::Reply&)> done);

  Surroundings world_;
  Random random_;
  Caller caller_;
  Session session_;
  std::string name_;
  int writes_ = 0;
  std::map<std::string, Revision> known_;
  LeaseId former_session_;
  int busy_ = 0;
  bool finishing_ = false;
};

/// Tries, queues, holds, releases, gives up, as the SDK's lock guard does it. Some have a lease for each
/// claim, which they revoke at its end, others one for all of them.
class Locker final : public Actor {
 public:
  Locker(Surroundings surroundings, Random random, int number);
  void start() override;
  void finish() override { finishing_ = true; }
  bool idle() const override { return !busy_; }
  void abandon() override { session_ ? session_->abandon() : lease().drop(); }

 private:
  KeptLease& lease() { return session_ ? session_->lease() : *lease_; }
  session::Repeat repeat() const { return session_ ? session::Repeat::kStamped : session::Repeat::kHarmless; }
  void next();
  void with_lease();
  void acquire();
  void granted(Token token);
  void hold(Token token);
  void let_go();
  void release(Token token);
  void cancel();
  void revoke(bool acknowledged);
  void over(bool acknowledged);

  template <typename Operation>
  void say(Operation operation, Duration total, std::function<void(const state::Reply&)> done);

  Surroundings world_;
  Random random_;
  Caller caller_;
  std::string name_;
  milliseconds ttl_;
  std::optional<Session> session_;
  std::optional<KeptLease> lease_;
  lock::Acquire wish_;
  std::uint64_t attempts_ = 0;
  Token held_;  // none: it does not believe that it holds anything
  bool busy_ = false;
  bool finishing_ = false;
};

/// Asks one member only, whatever has become of it: reads, and keeps a lease of its own, more often than is
/// reasonable. Now and then it lets the lease run out, or has it revoked by whoever leads, and asks on.
class LoyalClient final : public Actor {
 public:
  LoyalClient(Surroundings surroundings, Random random);
  void start() override;
  void finish() override { finishing_ = true; }
  bool idle() const override { return !granting_; }

 private:
  void next();
  void choose();
  void read();
  void keep_alive();
  void new_lease();
  void revoke();

  Surroundings world_;
  Random random_;
  Caller caller_;
  Member* member_ = nullptr;
  Instant moves_on_;
  LeaseId lease_;
  Instant lease_over_;  // from then on nobody keeps it
  bool granting_ = false;
  bool finishing_ = false;
};

/// Follows keys from some revision, on one member after another, and expects each change once, in order.
class Watcher final : public Actor, public node::WatchSink {
 public:
  Watcher(Surroundings surroundings, Random random);
  void start() override;
  void finish() override { finishing_ = true; }
  bool idle() const override;
  void check() override;
  void ready() override;

 private:
  void look_after();
  void open(Member& member);
  void take();
  void deliver();
  void on_connection(Duration delay, Callback<void()> what);
  void expect(const config::Change& change);
  bool wants(const config::Change& change) const;

  Surroundings world_;
  Random random_;
  config::KeyRange range_;
  Revision from_{1};
  session::WatchPosition position_{from_};
  std::size_t seen_ = 0;     // changes of the oracle that are behind
  node::ConfigBatch batch_;  // what the member has taken from its hub
  std::size_t sent_ = 0;     // of it, to the client
  bool sending_ = false;
  std::uint64_t connection_ = 0;
  Member* member_ = nullptr;
  std::uint64_t incarnation_ = 0;
  node::WatchId watch_ = 0;
  Instant move_on_;
  bool finishing_ = false;
};

/// Follows the registry, and ends with the picture that is true.
class RegistryWatcher final : public Actor, public node::WatchSink {
 public:
  RegistryWatcher(Surroundings surroundings, Random random);
  void start() override;
  void finish() override { finishing_ = true; }
  bool idle() const override;
  void check() override;
  void ready() override;

 private:
  bool alive() const { return member_ && member_->up() && member_->incarnation() == incarnation_; }
  /// What a removed member tells is not news.
  bool at_a_member() const;
  void look_after();
  void take();

  Surroundings world_;
  Random random_;
  Member* member_ = nullptr;
  std::uint64_t incarnation_ = 0;
  node::WatchId watch_ = 0;
  Instant move_on_;
  bool finishing_ = false;
  bool complete_ = false;
  std::map<registry::InstanceKey, registry::Instance> picture_;
};

}  // namespace holdfast::sim
