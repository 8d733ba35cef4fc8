#pragma once

#include <functional>
#include <memory>

#include "client/session/sequence.h"
#include "tests/sim/kept_lease.h"

namespace holdfast::sim {

/// The session under which a client's writes are stamped: a kept lease, and a new one after its end.
class Session {
 public:
  /// The number of one write; given back with this, at the end of its call.
  class Open {
   public:
    Open(std::shared_ptr<session::Sequence> sequence, std::uint64_t number)
        : sequence_(std::move(sequence)), number_(number) {}
    Open(Open&&) = default;
    Open& operator=(Open&&) = default;
    ~Open() {
      if (sequence_) sequence_->end(number_);
    }
    state::Stamp stamp() const {
      session::Stamp stamp = sequence_->stamp(number_);
      return {stamp.session, stamp.sequence, stamp.acknowledged_below};
    }
    LeaseId session() const { return sequence_->session(); }

   private:
    // Owners: the session while it lasts, and its open writes.
    std::shared_ptr<session::Sequence> sequence_;
    std::uint64_t number_;
  };

  Session(Surroundings surroundings, Caller& caller, Random random, milliseconds ttl);

  void start() { renew(); }
  /// Lets the lease run out, and takes no new one.
  void abandon();
  /// Zero while there is none.
  LeaseId id() const { return lease_.id(); }

  KeptLease& lease() { return lease_; }

  /// Waits for a session and for room in its window. Errors: kUnavailable.
  void begin(Instant deadline, std::function<void(Result<Open>)> done);
  /// The service does not know that session any more.
  void ended(LeaseId session);
  void ask_whether_alive(LeaseId session, std::function<void(Result<bool>)> done) {
    lease_.ask(session, milliseconds(500), std::move(done));
  }

 private:
  void renew();

  Surroundings world_;
  KeptLease lease_;
  milliseconds ttl_;
  bool wanted_ = true;
  std::shared_ptr<session::Sequence> sequence_;
};

}  // namespace holdfast::sim
