#include "state/validate.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

using namespace holdfast;
using namespace holdfast::state;

namespace {

/// "" if valid, else the error's message; checks its kind.
std::string refusal(const Operation& operation, Errc code) {
  const auto valid = validate(operation);
  if (valid) return "";
  CHECK(valid.error().code == code);
  return valid.error().message;
}
std::string limit(const Operation& operation) { return refusal(operation, Errc::kLimitExceeded); }
std::string wrong(const Operation& operation) { return refusal(operation, Errc::kInvalidArgument); }
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
std::string long_text(std::size_t bytes) { return std::string(bytes, 'x'); }

config::Put put(const std::string& key, std::size_t value_bytes) {
  return {key, Blob(long_text(value_bytes)), {}, {}};
}
RegisterInstance instance() {
  RegisterInstance wish{"web", {}};
  wish.instance.id = "web-1";
  wish.instance.address = "127.0.0.1";
  wish.instance.lease = LeaseId(1);
  return wish;
}
lock::Acquire acquire() { return {"deploy", LeaseId(1), lock::Mode::kExclusive, "me", true, {}, 1}; }

}  // namespace

TEST_CASE("keys and values are bounded, and the refusal names the limit") {
  CHECK(limit(put(long_text(1024), limits::kMaxValueBytes)).empty());
  CHECK(has(limit(put(long_text(1025), 1)), "1024 of kMaxKeyBytes"));
  CHECK(has(limit(put("a", limits::kMaxValueBytes + 1)), "kMaxValueBytes"));
  CHECK(has(wrong(put("", 1)), "empty"));
  CHECK(wrong(put(std::string("\xff\0", 2), 0)).empty());
}

TEST_CASE("a range to delete makes sense or is refused") {
  using config::Delete;
  using config::KeyRange;
  CHECK(wrong(Delete{KeyRange::prefix(""), {}}).empty());
  CHECK(wrong(Delete{KeyRange::prefix("\xff"), {}}).empty());
  CHECK(limit(Delete{KeyRange::one(long_text(1024)), {}}).empty());
  CHECK(has(limit(Delete{KeyRange::one(long_text(1025)), {}}), "kMaxKeyBytes"));
  CHECK(has(limit(Delete{{"a", long_text(2000)}, {}}), "kMaxKeyBytes"));
  CHECK(has(wrong(Delete{KeyRange::one(""), {}}), "empty"));
  CHECK(has(wrong(Delete{{"b", "a"}, {}}), "ends before it begins"));
  CHECK(has(wrong(Delete{KeyRange::prefix("a"), Revision(1)}), "one key"));
  CHECK(wrong(Delete{KeyRange::one("a"), Revision(1)}).empty());
}

TEST_CASE("a lease's time to live is bounded on both sides") {
  CHECK(wrong(GrantLease{limits::kMinLeaseTtl}).empty());
  CHECK(wrong(GrantLease{limits::kMaxLeaseTtl}).empty());
  CHECK(has(wrong(GrantLease{limits::kMinLeaseTtl - milliseconds(1)}), "kMinLeaseTtl"));
  CHECK(has(wrong(GrantLease{limits::kMaxLeaseTtl + milliseconds(1)}), "kMaxLeaseTtl"));
  CHECK(has(wrong(RevokeLease{}), "lease"));
}

TEST_CASE("an instance is bounded in every field and needs a lease") {
  CHECK(wrong(instance()).empty());
  auto wish = instance();
  wish.instance.lease = LeaseId();
  CHECK(has(wrong(wish), "lease"));
  wish = instance();
  wish.service = "";
  CHECK(has(wrong(wish), "service's name is empty"));
  wish = instance();
  wish.instance.id = long_text(257);
  CHECK(has(limit(wish), "kMaxNameBytes"));
  wish = instance();
  // Once in the log it could not be read there, and no replica would start again.
  wish.instance.health = static_cast<registry::Health>(3);
  CHECK(has(wrong(wish), "health is unknown"));
  wish = instance();
  wish.instance.address = "";
  CHECK(has(wrong(wish), "address is empty"));
  wish = instance();
  for (std::size_t i = 0; i <= limits::kMaxTags; ++i) wish.instance.tags.push_back(std::to_string(i));
  CHECK(has(limit(wish), "kMaxTags"));
  wish = instance();
  for (std::size_t i = 0; i <= limits::kMaxMetadataPairs; ++i)
    wish.instance.metadata[std::to_string(i)] = "x";
  CHECK(has(limit(wish), "kMaxMetadataPairs"));
  wish = instance();
  wish.instance.metadata["k"] = long_text(limits::kMaxMetadataBytes + 1);
  CHECK(has(limit(wish), "kMaxMetadataBytes"));
}

TEST_CASE("the largest instance that is valid fits an entry of the log") {
  auto wish = instance();
  for (std::size_t i = 0; i < limits::kMaxMetadataPairs; ++i) {
    const std::string number = std::to_string(i);
    wish.instance.metadata[number + long_text(limits::kMaxMetadataBytes - number.size())] =
        long_text(limits::kMaxMetadataBytes);
    wish.instance.tags.push_back(number + long_text(limits::kMaxNameBytes - number.size()));
  }
  CHECK(limit(wish).empty());
  CHECK(encode(Command{{}, {}, wish}));
}

TEST_CASE("names of locks and services are UTF-8 text of bounded length") {
  CHECK(wrong(acquire()).empty());
  const auto named = [](const std::string& name) {
    auto wish = acquire();
    wish.lock = name;
    return wish;
  };
  for (const char* good : {"déploiement", "配布", "🔒", "a b/c"}) CHECK(wrong(named(good)).empty());
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"}) {
    CHECK(has(wrong(named(bad)), "not UTF-8"));
  }
  CHECK(has(wrong(named("")), "lock's name is empty"));
  CHECK(limit(named(long_text(256))).empty());
  CHECK(has(limit(named(long_text(257))), "256 of kMaxNameBytes"));
}

TEST_CASE("a claim needs a lease, a known mode and a wait that is not negative") {
  auto wish = acquire();
  wish.lease = LeaseId();
  CHECK(has(wrong(wish), "lease"));
  wish = acquire();
  wish.mode = static_cast<lock::Mode>(9);
  CHECK(has(wrong(wish), "mode"));
  wish = acquire();
  wish.wait = milliseconds(-1);
  CHECK(has(wrong(wish), "negative"));
  wish.wait = milliseconds(0);
  CHECK(wrong(wish).empty());
  CHECK(has(wrong(CancelAcquire{"deploy", {}, 1}), "lease"));
  CHECK(has(wrong(ReleaseLock{"", Token(1)}), "empty"));
}

TEST_CASE("what a leader proposes is bounded as well") {
  CHECK(limit(EndLeases{std::vector<LeaseId>(limits::kExpiryBatch)}).empty());
  CHECK(has(limit(EndLeases{std::vector<LeaseId>(limits::kExpiryBatch + 1)}), "kExpiryBatch"));
  CHECK(
      has(limit(TimeOutWaiters{std::vector<lock::OverdueWaiter>(limits::kExpiryBatch + 1)}), "kExpiryBatch"));
  CHECK(has(wrong(AnnounceMember{MemberId(1), "", "a:1"}), "empty"));
}
