#pragma once

#include <capnp/message.h>
#include <capnp/rpc.capnp.h>
#include <kj/exception.h>

#include <cstddef>
#include <cstdint>

#include "net/message_stream.h"

/// The messages of Cap'n Proto RPC that calls past the RPC system are made of, for both sides of a call.
/// Ref: rpc.capnp, levels 0 and 1.
namespace holdfast::net {

namespace protocol = capnp::rpc;

/// A question, an answer, an import or an export; whoever asks or gives chooses it.
using DirectNumber = std::uint32_t;

/// What this side asks or gives past the RPC system has a number of this or above; the RPC system's own
/// numbers are the lowest that are free.
constexpr DirectNumber kFirstDirectNumber = 1U << 31;
constexpr bool is_direct(DirectNumber number) { return number >= kFirstDirectNumber; }

/// What a short message is built in, so that it needs no memory of its own.
constexpr std::size_t kShortMessageWords = 32;
/// In a Call and in a Return, around the parameters or the results themselves.
constexpr std::uint64_t kCallWords = 16;
constexpr std::uint64_t kReturnWords = 10;
/// The whole of a Finish.
constexpr std::size_t kFinishWords = 8;

/// A number that this side's RPC system never chooses, and that comes back after two thousand million.
DirectNumber next_number(DirectNumber last);

protocol::Call::Builder init_call(capnp::MessageBuilder& message, DirectNumber question,
                                  std::uint64_t interface_id, std::uint16_t method);
protocol::Return::Builder init_return(capnp::MessageBuilder& message, DirectNumber answer);

/// `release`: what came with the answer, or may still come, is given back.
protocol::Finish::Builder init_finish(capnp::MessageBuilder& message, DirectNumber question, bool release);

/// Throws if a message as large is not sent.
void send_message(MessageStream& stream, capnp::MessageBuilder& message);
void send_finish(MessageStream& stream, DirectNumber question, bool release);
/// Gives back one reference.
void send_release(MessageStream& stream, DirectNumber import);

void write_exception(const kj::Exception& thrown, protocol::Exception::Builder out);
kj::Exception read_exception(protocol::Exception::Reader thrown);
/// What calls fail with that wait when the connection goes.
kj::Exception connection_gone();

/// Does it lead to the result itself (no fields), or to the first of its pointers (one)?
bool leads_to(capnp::List<protocol::PromisedAnswer::Op>::Reader path, int fields);

}  // namespace holdfast::net
