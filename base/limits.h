#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound a user can meet, in one place. They are checked at the door (rpc/) and again on the encoded
/// entry where it is proposed (node/); an error names the constant it ran into.
namespace holdfast::limits {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

// What a client sends.
constexpr std::size_t kMaxKeyBytes = 1 * kKiB;
constexpr std::size_t kMaxValueBytes = 1 * kMiB;
constexpr std::size_t kMaxRequestBytes = kMiB + kMiB / 2;
constexpr std::size_t kMaxNameBytes = 256;  // locks, services, instance ids, owners
constexpr std::size_t kMaxAddressBytes = 256;
constexpr std::size_t kMaxTags = 64;
constexpr std::size_t kMaxMetadataPairs = 64;
constexpr std::size_t kMaxMetadataBytes = 4 * kKiB;  // one key or value
constexpr std::size_t kMaxLeasesPerCall = 10'000;
constexpr std::size_t kMaxTransactionOperations = 128;
constexpr std::chrono::milliseconds kMinLeaseTtl{100};
constexpr std::chrono::milliseconds kMaxLeaseTtl{std::chrono::hours{24 * 365}};
constexpr std::chrono::milliseconds kMaxCallTimeout{std::chrono::minutes{10}};

// What crosses a wire.
constexpr std::size_t kMaxEntryBytes = 2 * kMiB;
constexpr std::size_t kMaxClientFrameBytes = 4 * kMiB;
constexpr std::size_t kMaxPeerFrameBytes = 8 * kMiB;
constexpr std::uint32_t kMaxFrameSegments = 64;
constexpr int kMaxNesting = 32;
constexpr std::size_t kMaxReadPageBytes = 1 * kMiB;
constexpr std::size_t kMaxReadPageEntries = 10'000;
constexpr std::size_t kMaxAppendBytes = 1 * kMiB;  // entries in one AppendEntries; one entry may exceed it

// What one client or one node may hold in memory.
constexpr std::size_t kMaxConnections = 10'000;
constexpr std::size_t kMaxConnectionQueueBytes =
    8 * kMiB;  // replies queued before its calls are no longer read
constexpr std::size_t kMaxConnectionCallBytes = 8 * kMiB;  // calls being answered, per connection
constexpr std::size_t kMaxWatchesPerConnection = 10'000;
constexpr std::size_t kMaxWatchQueueBytes =
    1 * kMiB;  // events queued for one watcher before it reads history
constexpr std::size_t kMaxPendingProposals = 50'000;
constexpr std::size_t kMaxPendingProposalBytes = 64 * kMiB;

// The replicated machine.
constexpr std::size_t kSessionWindow = 1024;  // outcomes of one session kept until acknowledged
constexpr std::size_t kLeaseEndBatch = 1024;  // attachments removed by one command
constexpr std::size_t kExpiryBatch = 256;     // leases ended by one command
constexpr std::size_t kDeleteBatch = 10'000;  // keys a client's deletion removes in one command: some 10 ms

static_assert(kMaxKeyBytes + kMaxValueBytes < kMaxRequestBytes);
static_assert(kMaxRequestBytes < kMaxEntryBytes);
static_assert(kMaxEntryBytes < kMaxClientFrameBytes);
static_assert(kMaxEntryBytes + kMaxAppendBytes < kMaxPeerFrameBytes);
static_assert(kMaxClientFrameBytes < kMaxPeerFrameBytes);
static_assert(kMaxReadPageBytes + kMaxValueBytes < kMaxClientFrameBytes);
static_assert(kMaxClientFrameBytes <= kMaxConnectionQueueBytes);

}  // namespace holdfast::limits
