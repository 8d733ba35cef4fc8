#include "net/direct_caller.h"

#include <capnp/message.h>

#include <utility>

#include "net/direct_client.h"

namespace holdfast::net {

DirectCaller::DirectCaller(MessageStream& stream)
    : party_(kj::refcounted<DirectParty>(stream)), answers_(*party_, {}) {}

DirectCaller::~DirectCaller() noexcept(false) { disconnect(); }

void DirectCaller::disconnect() {
  answers_.cancel();
  party_->disconnect();
}

capnp::Capability::Client DirectCaller::service(Place place) {
  return capnp::Capability::Client(kj::Own<capnp::ClientHook>(
      kj::refcounted<DirectClient>(*party_, DirectAim::at_answer(ask_for(place)))));
}

DirectNumber DirectCaller::ask_for(Place place) {
  if (party_->stream() == nullptr) return kFirstDirectNumber;  // calls fail
  if (!std::exchange(has_bootstrap_, true)) {
    capnp::MallocMessageBuilder message(kShortMessageWords);
    message.initRoot<protocol::Message>().initBootstrap().setQuestionId(kFirstDirectNumber);
    send_message(*party_->stream(), message);
  }
  const auto known = services_.find(place.method);
  if (known != services_.end()) return known->second;
  const DirectNumber question = party_->new_question();
  capnp::MallocMessageBuilder message(kShortMessageWords);
  auto call = init_call(message, question, place.bootstrap_interface, place.method);
  call.initTarget().initPromisedAnswer().setQuestionId(kFirstDirectNumber);
  call.initParams();
  send_message(*party_->stream(), message);
  party_->expect(question, nobody_);
  services_.emplace(place.method, question);
  return question;
}

bool DirectCaller::take(kj::Own<capnp::IncomingRpcMessage>& message) {
  answers_.forget_returned();
  const auto body = message->getBody().getAs<protocol::Message>();
  switch (body.which()) {
    case protocol::Message::CALL:
      return answers_.take_call(message, body.getCall());
    case protocol::Message::RETURN:
      return party_->take_return(message, body.getReturn());
    case protocol::Message::FINISH:
      return answers_.take_finish(body.getFinish());
    case protocol::Message::RELEASE:
      return party_->take_release(body.getRelease());
    default:
      return false;
  }
}

}  // namespace holdfast::net
