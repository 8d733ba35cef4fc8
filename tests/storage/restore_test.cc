#include "storage/restore.h"

#include <catch2/catch.hpp>

#include "tests/storage/log_entries.h"

using namespace holdfast;
using namespace holdfast::storage;

namespace {

LogContents log_from_11_to_20() {
  LogContents log;
  log.hard_state = hard_state(3, 1);
  log.base_index = Index(10);
  log.base_term = Term(2);
  log.base_membership = raft::Membership{{{MemberId(2), "n2", "b:1"}}, {}, {}};
  log.entries = entries(11, 20, 3);
  return log;
}

}  // namespace

TEST_CASE("a member starts from an image within its log") {
  Identity identity;
  identity.membership.voters = {{MemberId(1), "n1", "a:1"}};
  for (const std::uint64_t applied : {10u, 15u, 20u}) {
    const auto restored = restore(identity, log_from_11_to_20(), {Index(applied), Revision(4)});
    REQUIRE(restored);
    CHECK(restored->applied == Index(applied));
    CHECK(restored->base_index == Index(10));
    CHECK(restored->base_term == Term(2));
    CHECK(restored->hard_state == hard_state(3, 1));
    CHECK(restored->entries == entries(11, 20, 3));
    CHECK(restored->membership == *log_from_11_to_20().base_membership);
  }
  const auto first_boot = restore(identity, {}, {});
  REQUIRE(first_boot);
  CHECK(first_boot->membership == identity.membership);
}

TEST_CASE("an image that does not fit its log is refused") {
  const auto old_image = restore({}, log_from_11_to_20(), {Index(9), {}});
  REQUIRE_FALSE(old_image);
  CHECK(old_image.error().code == Errc::kCorrupt);
  CHECK(old_image.error().message.find("the image is missing or too old") != std::string::npos);
  const auto old_log = restore({}, log_from_11_to_20(), {Index(21), {}});
  REQUIRE_FALSE(old_log);
  CHECK(old_log.error().message.find("the log is missing or too old") != std::string::npos);
}
