#include "state/validate.h"

#include <string>
#include <string_view>

#include "base/limits.h"
#include "state/feature_level.h"

namespace holdfast::state {

namespace {

using namespace limits;

Result<void> bounded(std::string_view what, std::size_t size, std::size_t most, std::string_view limit) {
  if (size <= most) return {};
  return fail(Errc::kLimitExceeded, std::string(what) + " has " + std::to_string(size) +
                                        " bytes, more than the " + std::to_string(most) + " of " +
                                        std::string(limit));
}

/// Returns: the number of bytes of the UTF-8 character that `text` begins with; zero if it begins with none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;  // an overlong form
    if (first == 0xed && byte(1) > 0x9f) return 0;  // half of a UTF-16 pair
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Result<void> text(std::string_view what, std::string_view value, std::size_t most, std::string_view limit) {
  if (auto size = bounded(what, value.size(), most, limit); !size) return size;
  if (!is_utf8(value)) return fail(Errc::kInvalidArgument, std::string(what) + " is not UTF-8");
  return {};
}

Result<void> name(std::string_view what, std::string_view value) {
  if (value.empty()) return fail(Errc::kInvalidArgument, std::string(what) + " is empty");
  return text(what, value, kMaxNameBytes, "kMaxNameBytes");
}

Result<void> lease(std::string_view what, LeaseId id) {
  if (id) return {};
  return fail(Errc::kInvalidArgument, std::string(what) + " needs a lease; grant one first");
}

template <typename... Rest>
Result<void> all_of(Result<void> first, Rest... rest) {
  if constexpr (sizeof...(rest) > 0) {
    if (first) return all_of(std::move(rest)...);
  }
  return first;
}

struct Validator {
  Result<void> operator()(const GrantLease& grant) {
    if (grant.ttl >= kMinLeaseTtl && grant.ttl <= kMaxLeaseTtl) return {};
    return fail(Errc::kInvalidArgument, "a lease's TTL of " + std::to_string(grant.ttl.count()) +
                                            " ms is not from kMinLeaseTtl, " +
                                            std::to_string(kMinLeaseTtl.count()) + " ms, to kMaxLeaseTtl, " +
                                            std::to_string(kMaxLeaseTtl.count()) + " ms");
  }
  Result<void> operator()(const RevokeLease& revoke) { return lease("a revocation", revoke.lease); }
  Result<void> operator()(const EndLeases& end) {
    if (end.leases.size() <= kExpiryBatch) return {};
    return fail(Errc::kLimitExceeded, "one command ends " + std::to_string(end.leases.size()) +
                                          " leases, more than the " + std::to_string(kExpiryBatch) +
                                          " of kExpiryBatch");
  }
  Result<void> operator()(const config::Put& put) {
    if (put.key.empty()) return fail(Errc::kInvalidArgument, "the key is empty");
    return all_of(bounded("the key", put.key.size(), kMaxKeyBytes, "kMaxKeyBytes"),
                  bounded("the value", put.value.size(), kMaxValueBytes, "kMaxValueBytes"));
  }
  Result<void> operator()(const config::Delete& remove) {
    const config::KeyRange& range = remove.range;
    if (range.is_one_key() && range.begin.empty()) return fail(Errc::kInvalidArgument, "the key is empty");
    if (!range.end.empty() && range.end <= range.begin) {
      return fail(Errc::kInvalidArgument, "the range of keys ends before it begins");
    }
    if (remove.expected && !range.is_one_key()) {
      return fail(Errc::kInvalidArgument, "an expected revision goes with one key, not with a range of keys");
    }
    return all_of(bounded("the key", range.begin.size(), kMaxKeyBytes, "kMaxKeyBytes"),
                  bounded("the end of the range", range.end.size(), kMaxKeyBytes + 1, "kMaxKeyBytes"));
  }
  Result<void> operator()(const RegisterInstance& wish) {
    const registry::Instance& instance = wish.instance;
    if (instance.health > registry::Health::kCritical) {
      return fail(Errc::kInvalidArgument, "the instance's health is unknown");
    }
    return all_of(name("the service's name", wish.service), name("the instance's id", instance.id),
                  address(instance.address), tags(instance), metadata(instance),
                  lease("an instance", instance.lease));
  }
  Result<void> operator()(const DeregisterInstance& wish) {
    return all_of(name("the service's name", wish.service), name("the instance's id", wish.id));
  }
  Result<void> operator()(const lock::Acquire& acquire) {
    if (acquire.mode != lock::Mode::kExclusive) {
      return fail(Errc::kInvalidArgument, "the lock's mode is unknown");
    }
    if (acquire.wait && *acquire.wait < milliseconds::zero()) {
      return fail(Errc::kInvalidArgument, "the time to wait for a lock is negative");
    }
    return all_of(name("the lock's name", acquire.lock),
                  text("the owner's label", acquire.owner, kMaxNameBytes, "kMaxNameBytes"),
                  lease("a lock", acquire.lease));
  }
  Result<void> operator()(const CancelAcquire& cancel) {
    return all_of(name("the lock's name", cancel.lock), lease("a cancellation", cancel.lease));
  }
  Result<void> operator()(const ReleaseLock& release) { return name("the lock's name", release.lock); }
  Result<void> operator()(const TimeOutWaiters& time_out) {
    if (time_out.waiters.size() <= kExpiryBatch) return {};
    return fail(Errc::kLimitExceeded, "one command times out " + std::to_string(time_out.waiters.size()) +
                                          " waiters, more than the " + std::to_string(kExpiryBatch) +
                                          " of kExpiryBatch");
  }
  Result<void> operator()(const AnnounceMember& announce) {
    return all_of(name("the member's name", announce.name), address(announce.client_endpoint));
  }
  Result<void> operator()(const RaiseFeatureLevel& raise) {
    if (raise.level >= level::kFirst && raise.level <= kSupportedLevel) return {};
    return fail(Errc::kInvalidArgument, "there is no feature level " + std::to_string(raise.level));
  }

 private:
  static Result<void> address(std::string_view value) {
    if (value.empty()) return fail(Errc::kInvalidArgument, "the address is empty");
    return text("the address", value, kMaxAddressBytes, "kMaxAddressBytes");
  }
  static Result<void> tags(const registry::Instance& instance) {
    if (instance.tags.size() > kMaxTags) {
      return fail(Errc::kLimitExceeded, "the instance has " + std::to_string(instance.tags.size()) +
                                            " tags, more than the " + std::to_string(kMaxTags) +
                                            " of kMaxTags");
    }
    for (const std::string& tag : instance.tags) {
      if (auto valid = name("a tag", tag); !valid) return valid;
    }
    return {};
  }
  static Result<void> metadata(const registry::Instance& instance) {
    if (instance.metadata.size() > kMaxMetadataPairs) {
      return fail(Errc::kLimitExceeded, "the instance has " + std::to_string(instance.metadata.size()) +
                                            " metadata pairs, more than the " +
                                            std::to_string(kMaxMetadataPairs) + " of kMaxMetadataPairs");
    }
    for (const auto& [key, value] : instance.metadata) {
      if (key.empty()) return fail(Errc::kInvalidArgument, "a metadata key is empty");
      auto valid = all_of(text("a metadata key", key, kMaxMetadataBytes, "kMaxMetadataBytes"),
                          text("a metadata value", value, kMaxMetadataBytes, "kMaxMetadataBytes"));
      if (!valid) return valid;
    }
    return {};
  }
};

}  // namespace

Result<void> validate(const Operation& operation) { return std::visit(Validator{}, operation); }

}  // namespace holdfast::state
