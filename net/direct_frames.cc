#include "net/direct_frames.h"

#include <kj/debug.h>

#include "base/result.h"

namespace holdfast::net {
namespace {

protocol::Exception::Type type_of(const kj::Exception& exception) {
  switch (exception.getType()) {
    case kj::Exception::Type::OVERLOADED:
      return protocol::Exception::Type::OVERLOADED;
    case kj::Exception::Type::DISCONNECTED:
      return protocol::Exception::Type::DISCONNECTED;
    case kj::Exception::Type::UNIMPLEMENTED:
      return protocol::Exception::Type::UNIMPLEMENTED;
    case kj::Exception::Type::FAILED:
      break;
  }
  return protocol::Exception::Type::FAILED;
}

/// A peer may say anything.
kj::Exception::Type type_of(protocol::Exception::Type type) {
  switch (type) {
    case protocol::Exception::Type::OVERLOADED:
      return kj::Exception::Type::OVERLOADED;
    case protocol::Exception::Type::DISCONNECTED:
      return kj::Exception::Type::DISCONNECTED;
    case protocol::Exception::Type::UNIMPLEMENTED:
      return kj::Exception::Type::UNIMPLEMENTED;
    case protocol::Exception::Type::FAILED:
      break;
  }
  return kj::Exception::Type::FAILED;
}

/// In memory of the stack's.
struct ShortMessage {
  capnp::word space[kShortMessageWords] = {};
  capnp::MallocMessageBuilder builder{kj::arrayPtr(space, kShortMessageWords)};
};

}  // namespace

DirectNumber next_number(DirectNumber last) { return last == UINT32_MAX ? kFirstDirectNumber + 1 : last + 1; }

protocol::Call::Builder init_call(capnp::MessageBuilder& message, DirectNumber question,
                                  std::uint64_t interface_id, std::uint16_t method) {
  auto call = message.initRoot<protocol::Message>().initCall();
  call.setQuestionId(question);
  call.setInterfaceId(interface_id);
  call.setMethodId(method);
  return call;
}

protocol::Return::Builder init_return(capnp::MessageBuilder& message, DirectNumber answer) {
  auto out = message.initRoot<protocol::Message>().initReturn();
  out.setAnswerId(answer);
  out.setReleaseParamCaps(false);
  return out;
}

protocol::Finish::Builder init_finish(capnp::MessageBuilder& message, DirectNumber question, bool release) {
  auto finish = message.initRoot<protocol::Message>().initFinish();
  finish.setQuestionId(question);
  finish.setReleaseResultCaps(release);
  return finish;
}

void send_message(MessageStream& stream, capnp::MessageBuilder& message) {
  const Result<void> sent = stream.send(message.getSegmentsForOutput());
  if (!sent) KJ_FAIL_REQUIRE("a message is not sent", sent.error().message.c_str());
}

void send_finish(MessageStream& stream, DirectNumber question, bool release) {
  ShortMessage message;
  init_finish(message.builder, question, release);
  send_message(stream, message.builder);
}

void send_release(MessageStream& stream, DirectNumber import) {
  ShortMessage message;
  auto release = message.builder.initRoot<protocol::Message>().initRelease();
  release.setId(import);
  release.setReferenceCount(1);
  send_message(stream, message.builder);
}

void write_exception(const kj::Exception& thrown, protocol::Exception::Builder out) {
  out.setReason(thrown.getDescription());
  out.setType(type_of(thrown));
}

kj::Exception read_exception(protocol::Exception::Reader thrown) {
  return {type_of(thrown.getType()), __FILE__, __LINE__, kj::str("remote exception: ", thrown.getReason())};
}

kj::Exception connection_gone() {
  return KJ_EXCEPTION(DISCONNECTED, "the connection was closed on this side");
}

bool leads_to(capnp::List<protocol::PromisedAnswer::Op>::Reader path, int fields) {
  for (const auto step : path) {
    if (step.isNoop()) continue;
    if (!step.isGetPointerField() || step.getGetPointerField() != 0) return false;
    --fields;
  }
  return fields == 0;
}

}  // namespace holdfast::net
