#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/lock.h"
#include "holdfast/registration.h"
#include "holdfast/result.h"
#include "holdfast/types.h"
#include "holdfast/watch.h"

namespace holdfast::client {

struct Options {
  std::vector<std::string> endpoints = {"127.0.0.1:2379"};  ///< "host:port" of any members
  milliseconds connect_timeout = std::chrono::seconds(1);   ///< to one member
  milliseconds call_timeout = std::chrono::seconds(5);      ///< of a call, with its retries
  /// TTL of the session under which writes are exactly-once; it begins with the first write. Zero: no
  /// session, and a write whose answer is lost is reported as kUnknown instead of being repeated.
  milliseconds session_ttl = std::chrono::seconds(30);
  /// Where the client's callbacks run; none: on its I/O thread, which they must not block.
  std::function<void(std::function<void()>)> executor = {};
};

/// A connection to a Holdfast cluster. It owns one I/O thread, follows the leader, and moves to another
/// member when the one it talks to fails. Every call blocks the caller for at most its timeout. Thread: any,
/// several at once; but not from the client's own callbacks unless an executor is set.
class Client {
 public:
  /// Reaches nobody yet. Errors of the options show in the first call.
  explicit Client(Options options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  /// Ends the session and every lease the client keeps alive; what it guards is released.
  ~Client();

  // Configuration. Returns: of put, the revision.
  Result<std::uint64_t> put(std::string_view key, std::string_view value, PutOptions options = {});
  Result<GetResult> get(std::string_view key, GetOptions options = {});
  Result<DeleteResult> remove(std::string_view key, DeleteOptions options = {});
  Result<Watch> watch(std::string_view key, WatchOptions options = {});

  // Leases that the caller keeps alive himself.
  Result<LeaseInfo> grant_lease(milliseconds ttl);
  /// Returns: for each lease its TTL; zero: it has ended or never was.
  Result<std::vector<milliseconds>> keep_alive(const std::vector<LeaseId>& leases);
  Result<void> revoke_lease(LeaseId lease);
  Result<LeaseInfo> show_lease(LeaseId lease);
  Result<std::vector<LeaseInfo>> list_leases();

  // Registry.
  Result<Registration> register_instance(std::string service, Instance instance,
                                         RegisterOptions options = {});
  Result<void> deregister(std::string_view service, std::string_view id);
  Result<std::vector<ServiceInfo>> services();
  Result<std::vector<Instance>> resolve(std::string_view service, ResolveOptions options = {});
  Result<ServiceWatch> watch_service(std::string service, ResolveOptions options = {});

  // Locks. lock() waits as its options say; the client's call timeout bounds only reaching the cluster.
  Result<Lock> lock(std::string name, LockOptions options = {});
  /// Ends a lock() that waits in the queue, from another thread: it returns kCancelled.
  void cancel_waiting_locks();
  Result<std::vector<LockInfo>> locks(std::string_view name = {});

  // Cluster.
  Result<ClusterStatus> status();
  /// Who takes part, as the leader knows it.
  Result<Membership> members();
  /// Adds a member, whose process is started with --join. It begins as a learner and becomes a voter once it
  /// has caught up, if it does so within the call timeout; what it is then says the result.
  /// Errors: kMemberExists, kChangeInProgress, kInvalidArgument.
  Result<MemberChange> add_member(std::string_view name, std::string_view peer_address,
                                  AddMemberOptions options = {});
  /// Makes a learner a voter. Errors: kMemberNotFound, kNotCaughtUp, kChangeInProgress, kWouldLoseQuorum.
  Result<MemberChange> promote_member(std::string_view name);
  /// Errors: kMemberNotFound, kChangeInProgress, kWouldLoseQuorum.
  Result<MemberChange> remove_member(std::string_view name);
  /// Puts a new member in the place of another, in one change, once the new one has caught up as a learner.
  /// Errors: as add_member and remove_member; kNotCaughtUp: it is a learner now; calling again goes on.
  Result<MemberChange> replace_member(std::string_view name, std::string_view new_name,
                                      std::string_view new_peer_address);
  /// Hands leadership to a voter. Errors: kMemberNotFound, kInvalidArgument (a learner), kUnavailable.
  Result<LeadershipTransfer> transfer_leadership(std::string_view name);
  /// This process's address as the cluster sees it: "host:port".
  Result<std::string> who_am_i();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::client
