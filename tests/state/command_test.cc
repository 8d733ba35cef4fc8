#include "state/command.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "base/random.h"
#include "state/reply.h"

using namespace holdfast;
using namespace holdfast::state;

namespace {

RegisterInstance full_instance() {
  RegisterInstance wish{"web", {}};
  wish.instance.id = "web-1";
  wish.instance.address = "::1";
  wish.instance.port = 8080;
  wish.instance.tags = {"a", "b"};
  wish.instance.metadata = {{"zone", "x"}, {"", "empty"}};
  wish.instance.weight = 7;
  wish.instance.health = registry::Health::kWarning;
  wish.instance.maintenance = true;
  wish.instance.lease = LeaseId(4);
  return wish;
}

lock::Acquire full_acquire() {
  return {"deploy", LeaseId(4), lock::Mode::kExclusive, "me", true, milliseconds(77), 5};
}

std::vector<Operation> one_of_each() {
  return {GrantLease{milliseconds(1500)},
          RevokeLease{LeaseId(4)},
          EndLeases{{LeaseId(4), LeaseId(9)}},
          config::Put{std::string("/\0k", 3), Blob(std::string("\xff\0", 2)), LeaseId(4), Revision(0)},
          config::Delete{config::KeyRange::prefix("/k"), {}, 7, true},
          full_instance(),
          DeregisterInstance{"web", "web-1", LeaseId(4)},
          full_acquire(),
          CancelAcquire{"deploy", LeaseId(4), 5},
          ReleaseLock{"deploy", Token(12)},
          TimeOutWaiters{{{"deploy", LeaseId(4), 99}, {"other", LeaseId(5), 98}}},
          AnnounceMember{MemberId(3), "n1", "127.0.0.1:2379", 2},
          RaiseFeatureLevel{2}};
}

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("every operation comes back from its bytes as it went in") {
  const auto operations = one_of_each();
  CHECK(operations.size() == std::variant_size_v<Operation>);
  for (const Operation& operation : operations) {
    const Command command{{LeaseId(4), 6, 5}, ClusterTime(1234), operation};
    const Blob bytes = encode(command).value();
    const Command back = decode(bytes).value();
    CHECK(back.operation.index() == operation.index());
    CHECK(back.stamp.session == LeaseId(4));
    CHECK(back.stamp.sequence == 6);
    CHECK(back.stamp.acknowledged_below == 5);
    CHECK(back.time == ClusterTime(1234));
    CHECK(encode(back).value() == bytes);
  }
}

TEST_CASE("the fields of a command keep their values and their bytes") {
  const auto round_trip = [](Operation operation) {
    return decode(encode(Command{{}, {}, std::move(operation)}).value()).value().operation;
  };
  CHECK(std::get<RegisterInstance>(round_trip(full_instance())).instance == full_instance().instance);
  const auto acquire = std::get<lock::Acquire>(round_trip(full_acquire()));
  CHECK(acquire.lock == "deploy");
  CHECK(acquire.owner == "me");
  CHECK(acquire.queue);
  CHECK(acquire.wait == milliseconds(77));
  CHECK(acquire.attempt == 5);
  const auto put = std::get<config::Put>(round_trip(one_of_each()[3]));
  CHECK(put.key == std::string("/\0k", 3));
  CHECK(put.value == Blob(std::string("\xff\0", 2)));
  CHECK(put.expected == Revision(0));
  const auto remove = std::get<config::Delete>(round_trip(config::Delete{{"a", "b"}, {}}));
  CHECK(remove.range == config::KeyRange{"a", "b"});
  CHECK_FALSE(remove.expected);
  const auto overdue = std::get<TimeOutWaiters>(round_trip(one_of_each()[10])).waiters;
  CHECK(overdue == std::vector<lock::OverdueWaiter>{{"deploy", LeaseId(4), 99}, {"other", LeaseId(5), 98}});
}

// The log of every cluster there is holds such bytes. If this fails, the format has changed: old logs could
// no longer be read, or the replicas' digests no longer agree.
TEST_CASE("the bytes of a put are those of format 1") {
  const Command command{
      {LeaseId(3), 7, 6}, ClusterTime(1000), config::Put{"/a", Blob("1"), LeaseId(2), Revision(9)}};
  CHECK(hex(encode(command).value().view()) ==
        "000000000f00000000000000060001000100030000000000e803000000000000"
        "0300000000000000070000000000000006000000000000000000000000000000"
        "0000000003000200020000000000000001000000000000000900000000000000"
        "0500000012000000050000000a0000002f610000000000003100000000000000");
}

TEST_CASE("bytes that are no command are refused, not followed") {
  CHECK(decode(Blob()).error().code == Errc::kCorrupt);
  CHECK(decode(Blob("short")).error().code == Errc::kCorrupt);
  CHECK(decode(Blob(std::string(64, '\xff'))).error().code == Errc::kCorrupt);
  CHECK(decode(Blob(std::string(64, '\0'))).error().code == Errc::kCorrupt);  // format 0
  const Blob good = encode(Command{{}, {}, full_instance()}).value();
  Random random(1);
  std::size_t refused = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string bytes(good.view());
    for (std::uint64_t flips = random.between(1, 4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    }
    if (random.chance(20)) bytes.resize(random.below(bytes.size() / 8) * 8);
    if (!decode(Blob(bytes))) ++refused;
  }
  CHECK(refused > 1000);
}

TEST_CASE("the key of a put is found where it lies, and bytes that are no put have none") {
  for (const Operation& operation : one_of_each()) {
    const Blob bytes = encode(Command{{LeaseId(4), 6, 5}, ClusterTime(1234), operation}).value();
    const auto* put = std::get_if<config::Put>(&operation);
    const std::string_view key = key_of_put(bytes);
    CHECK(key == (put ? put->key : std::string()));
    CHECK((key.empty() || (key.data() > bytes.view().data() && key.data() < bytes.view().end())));
  }
  CHECK(key_of_put(Blob()).empty());
  CHECK(key_of_put(Blob("short")).empty());
  const Blob good = encode(Command{{}, {}, one_of_each()[3]}).value();
  Random random(1);
  std::size_t puts = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string flipped(good.view());
    flipped[random.below(flipped.size())] ^= static_cast<char>(1 << random.below(8));
    const Blob bytes(flipped);
    const std::string_view key = key_of_put(bytes);
    const auto decoded = decode(bytes);
    if (!decoded || !std::holds_alternative<config::Put>(decoded->operation)) continue;
    REQUIRE(key == std::get<config::Put>(decoded->operation).key);
    ++puts;
  }
  CHECK(puts > 1000);
}

TEST_CASE("a command larger than an entry may be is refused when it is encoded") {
  const auto put = [](std::size_t bytes) {
    return encode(Command{{}, {}, config::Put{"/a", Blob(std::string(bytes, 'v')), {}, {}}});
  };
  CHECK(put(limits::kMaxValueBytes));
  const auto refused = put(limits::kMaxEntryBytes);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kLimitExceeded);
}

TEST_CASE("a stored outcome comes back as it was") {
  const std::vector<Reply> replies = {
      Reply(Done{Revision(7)}),
      Reply(LeaseGranted{LeaseId(3), milliseconds(1500)}),
      Reply(Deleted{Revision(8), 12}),
      Reply(LockAnswer{Revision(9), {Token(4), 0}}),
      Reply(LockAnswer{Revision(9), {Token(), 3}}),
      Reply(fail(Errc::kRevisionMismatch, "key \"/a\" is at revision 4", Revision(4)))};
  for (const Reply& reply : replies) {
    const Reply back = decode_reply(encode(reply)).value();
    REQUIRE(back.has_value() == reply.has_value());
    if (reply) {
      CHECK(*back == *reply);
    } else {
      CHECK(back.error() == reply.error());
    }
  }
  CHECK(decode_reply(Blob("nonsense")).error().code == Errc::kCorrupt);
}
