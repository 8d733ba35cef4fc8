#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::client {

using std::chrono::milliseconds;

/// A lease's number; 16 hexadecimal digits where people see it. Zero: none.
struct LeaseId {
  std::uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
  friend auto operator<=>(const LeaseId&, const LeaseId&) = default;
};
std::string to_string(LeaseId lease);
/// Returns: nullopt if the text is not 1 to 16 hexadecimal digits.
std::optional<LeaseId> parse_lease(const std::string& text);

// --- Configuration
// ----------------------------------------------------------------------------------------------

struct KeyValue {
  std::string key;
  std::string value;
  std::uint64_t create_revision = 0;
  std::uint64_t mod_revision = 0;
  std::uint64_t version = 0;
  LeaseId lease;
};

struct PutOptions {
  LeaseId lease = {};
  std::optional<std::uint64_t> if_revision = {};  ///< the key's mod_revision must be this; 0: must not exist
};
struct GetOptions {
  bool prefix = false;
  std::uint64_t limit = 0;  ///< 0: none
  bool keys_only = false;
  bool count_only = false;
  bool serializable = false;  ///< from the state of whichever member answers; may lag, works without a quorum
};
struct GetResult {
  std::uint64_t revision = 0;
  std::uint64_t count = 0;  ///< keys in the range, whatever the limit
  bool more = false;        ///< the limit cut the list
  std::vector<KeyValue> entries;
};
struct DeleteOptions {
  bool prefix = false;
  /// All keys of the prefix at one revision, or, if they are more than one command may delete (10,000),
  /// kLimitExceeded. Otherwise so many keys go in several steps, each at a revision of its own.
  bool atomic = false;
  std::optional<std::uint64_t> if_revision = {};
};
struct DeleteResult {
  std::uint64_t revision = 0;  ///< after the last key
  std::uint64_t deleted = 0;
};
struct WatchOptions {
  bool prefix = false;
  std::uint64_t from_revision = 0;  ///< inclusive; 0: from now on
};
struct WatchEvent {
  enum class Type { kPut, kDelete } type = Type::kPut;
  KeyValue entry;  ///< of a delete: the key, and the deletion's revision as mod_revision
};

// --- Leases
// -----------------------------------------------------------------------------------------------------

struct LeaseInfo {
  LeaseId lease;
  milliseconds ttl{0};
  milliseconds remaining{0};
  std::vector<std::string> attached;
};

// --- Registry
// ---------------------------------------------------------------------------------------------------

enum class Health { kPassing, kWarning, kCritical };

struct Instance {
  std::string id = {};
  std::string address = {};
  std::uint16_t port = 0;
  std::vector<std::string> tags = {};
  std::map<std::string, std::string> metadata = {};
  std::uint32_t weight = 1;
  Health health = Health::kPassing;
  bool maintenance = false;
  LeaseId lease = {};  ///< set by the service
  friend bool operator==(const Instance&, const Instance&) = default;
};
struct ResolveOptions {
  std::vector<std::string> tags = {};
  std::map<std::string, std::string> metadata = {};
  bool healthy_only = false;
  bool serializable = false;
};
struct ServiceInfo {
  std::string name;
  std::uint64_t instances = 0;
};

// --- Locks
// ------------------------------------------------------------------------------------------------------

struct LockHolder {
  std::uint64_t token = 0;
  LeaseId lease;
  std::string mode;
  std::string owner;
  milliseconds held{0};
};
struct LockWaiter {
  std::uint64_t position = 0;
  LeaseId lease;
  std::string mode;
  std::string owner;
  milliseconds waiting{0};
};
struct LockInfo {
  std::string lock;
  std::vector<LockHolder> holders;
  std::vector<LockWaiter> queue;
};

// --- Cluster
// ----------------------------------------------------------------------------------------------------

struct MemberInfo {
  std::uint64_t id = 0;
  std::string name;
  std::string endpoint;
  std::string role;
  std::uint64_t term = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  bool healthy = false;
};
struct ClusterStatus {
  std::uint64_t cluster_id = 0;
  std::string leader;  ///< a member's name, or empty
  std::vector<MemberInfo> members;
};

/// One who takes part in the cluster, and how.
struct Participant {
  std::uint64_t id = 0;
  std::string name;
  std::string peer_address;
  std::string endpoint;           ///< where clients reach it; empty until it was there once
  std::string part;               ///< "voter", "learner"; while voters change: "joining", "leaving"
  std::uint64_t match_index = 0;  ///< its log has what the leader's has up to here; zero: not known
  bool seen = false;              ///< its data directory is known: it has been there
};
struct Membership {
  std::uint64_t cluster_id = 0;
  std::string leader;            ///< a member's name, or empty
  bool changing = false;         ///< a change of voters is under way
  std::uint64_t last_index = 0;  ///< of the leader's log
  std::vector<Participant> members;
};
struct AddMemberOptions {
  bool learner = false;  ///< leave it a learner: it receives everything and does not vote
};
/// Who a change was about, and its part since.
struct MemberChange {
  std::uint64_t id = 0;
  std::string name;
  std::string part;
};
struct LeadershipTransfer {
  std::string leader;
  std::uint64_t term = 0;
};

}  // namespace holdfast::client
