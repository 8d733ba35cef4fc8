#pragma once

#include <schema/peer.capnp.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/types.h"

/// How a membership is written, on the wire (peer/) and on the disk (storage/): one way for both, because
/// what one member stores another may send.
namespace holdfast::schema {

/// Returns: the words that fill() takes in a message, the struct itself included.
std::size_t words_of_membership(const raft::Membership& membership);
void fill(Membership::Builder out, const raft::Membership& membership);
/// Text and lists are cut to what a membership may hold. Throws what the library throws if the frame is
/// damaged; its callers are the rims that catch it.
raft::Membership read(Membership::Reader in);

/// A message of its own, for a column.
std::string encode(const raft::Membership& membership);
/// Never throws. Errors: kCorrupt.
Result<raft::Membership> decode_membership(std::string_view bytes);

}  // namespace holdfast::schema
