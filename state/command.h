#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/blob.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "config/config_table.h"
#include "lock/lock_table.h"
#include "registry/registry_table.h"

/// What the log carries: a wish, with nothing in it that replicas could see differently. Encoded by
/// schema/command.capnp through encode() and decode().
namespace holdfast::state {

struct GrantLease {
  milliseconds ttl{0};
};
struct RevokeLease {
  LeaseId lease;
};
/// Ends leases whose time is over, and goes on removing what is attached to those already ending. Proposed
/// only by the leader, in its own term.
struct EndLeases {
  std::vector<LeaseId> leases;
};
struct RegisterInstance {
  std::string service;
  registry::Instance instance;
};
struct DeregisterInstance {
  std::string service;
  std::string id;
  LeaseId lease;  ///< none: whoever registered it
};
struct CancelAcquire {
  std::string lock;
  LeaseId lease;
  std::uint64_t attempt = 0;
};
struct ReleaseLock {
  std::string lock;
  Token token;
};
struct TimeOutWaiters {
  std::vector<lock::OverdueWaiter> waiters;
};
/// Where clients reach a member; proposed by the leader, which learned it from the peers' handshake.
struct AnnounceMember {
  MemberId member;
  std::string name;
  std::string client_endpoint;
  std::uint16_t feature_level = 1;  ///< the highest that it supports
};
/// From here on all members understand more: feature_level.h. Proposed only by the leader.
struct RaiseFeatureLevel {
  std::uint16_t level = 1;
};

using Operation = std::variant<GrantLease, RevokeLease, EndLeases, config::Put, config::Delete,
                               RegisterInstance, DeregisterInstance, lock::Acquire, CancelAcquire,
                               ReleaseLock, TimeOutWaiters, AnnounceMember, RaiseFeatureLevel>;

/// Exactly-once: the machine keeps the outcome under (session, sequence) until the client has acknowledged
/// it. A session is a lease. No session (zero): the command runs each time it is committed. Ref: Diss. §6.3
struct Stamp {
  LeaseId session;
  std::uint64_t sequence = 0;            ///< from 1, never reused within the session
  std::uint64_t acknowledged_below = 0;  ///< every outcome with a smaller sequence may be forgotten
};

struct Command {
  Stamp stamp;
  ClusterTime time{0};  ///< stamped by the leader when it proposes
  Operation operation;
};

/// A command, and the feature level that it says it needs.
struct Decoded {
  Command command;
  std::uint16_t level = 1;
};

/// Errors: kLimitExceeded if the encoding is larger than limits::kMaxEntryBytes.
Result<Blob> encode(const Command& command);
/// Errors: kCorrupt; kNotEnabled if it needs a higher level than `supported`: another version wrote it.
Result<Decoded> decode(const Blob& bytes, std::uint16_t supported);
/// Of a command that puts one; empty if it does something else or cannot be read. Valid as long as `bytes`
/// are.
std::string_view key_of_put(const Blob& bytes);
/// As this version understands it.
Result<Command> decode(const Blob& bytes);

}  // namespace holdfast::state
