#include "schema/membership.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

raft::Member member(std::uint64_t number, std::string data_id = {}) {
  return {MemberId(number), "n" + std::to_string(number), "10.0.0.1:" + std::to_string(number),
          std::move(data_id)};
}

raft::Membership joint() {
  return {{member(1, std::string(32, 'a')), member(2)}, {member(2), member(3)}, {member(4, "b")}};
}

}  // namespace

TEST_CASE("a membership comes back from its bytes as it went in") {
  for (const raft::Membership& membership :
       {raft::Membership(), joint(), raft::Membership{{member(7)}, {}, {}}}) {
    const auto decoded = schema::decode_membership(schema::encode(membership));
    REQUIRE(decoded);
    CHECK(*decoded == membership);
  }
}

TEST_CASE("the words that a membership takes are known beforehand, to the word") {
  for (const raft::Membership& membership :
       {raft::Membership(), joint(),
        raft::Membership{{}, {}, {member(4, "1234567"), member(5, "12345678")}}}) {
    capnp::MallocMessageBuilder builder;
    schema::fill(builder.initRoot<schema::Membership>(), membership);
    CHECK(builder.sizeInWords() == 1 + schema::words_of_membership(membership));
  }
}

TEST_CASE("damaged bytes of a membership are an error, never a crash") {
  const std::string whole = schema::encode(joint());
  CHECK_FALSE(schema::decode_membership(""));
  CHECK_FALSE(schema::decode_membership(whole.substr(0, 24)));
  CHECK_FALSE(schema::decode_membership(whole + "x"));
  CHECK_FALSE(schema::decode_membership("\xff\xff\xff\xff" + whole.substr(4)));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto decoded = schema::decode_membership(damaged);
    if (!decoded) CHECK(decoded.error().code == Errc::kCorrupt);
  }
}
