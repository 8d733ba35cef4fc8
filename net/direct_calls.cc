#include "net/direct_calls.h"

#include <kj/debug.h>

#include <utility>

namespace holdfast::net {

DirectCalls::DirectCalls(MessageStream& stream, kj::Own<Services> services, const CallBounds& bounds)
    : offered_(kj::mv(services)), party_(kj::refcounted<DirectParty>(stream)), answers_(*party_, bounds) {}

DirectCalls::~DirectCalls() noexcept(false) { cancel(); }

void DirectCalls::cancel() {
  answers_.cancel();
  party_->disconnect();
}

bool DirectCalls::take(kj::Own<capnp::IncomingRpcMessage>& message) {
  answers_.forget_returned();
  const auto body = message->getBody().getAs<protocol::Message>();
  switch (body.which()) {
    case protocol::Message::BOOTSTRAP:
      questions_.insert_or_assign(body.getBootstrap().getQuestionId(), Question{});
      return false;
    case protocol::Message::CALL:
      return take_call(message, body.getCall());
    case protocol::Message::RETURN:
      return party_->take_return(message, body.getReturn());
    case protocol::Message::FINISH:
      return take_finish(body.getFinish());
    case protocol::Message::RELEASE:
      if (party_->take_release(body.getRelease())) return true;
      release(body.getRelease().getId(), body.getRelease().getReferenceCount());
      return false;
    default:
      return false;
  }
}

bool DirectCalls::take_call(kj::Own<capnp::IncomingRpcMessage>& message, protocol::Call::Reader call) {
  const auto aim = call.getTarget();
  if (aim.isPromisedAnswer() && answers_.knows(aim.getPromisedAnswer().getQuestionId())) {
    answers_.start(message, call, [](capnp::CallContextHook&, DirectCall&) -> kj::Promise<void> {
      return KJ_EXCEPTION(UNIMPLEMENTED, "what this call returns cannot be called before it has come");
    });
    return true;
  }
  const Target* target = find(aim);
  if (!target) return answers_.take_call(message, call);
  const DirectNumber question = call.getQuestionId();
  const std::uint16_t method = call.getMethodId();
  if (!target->has_value()) {
    if (call.getInterfaceId() == offered_->bootstrap_interface() && service(method))
      questions_.insert_or_assign(question, Question{method, {}});
    return false;
  }
  if (!DirectAnswers::can_take(call)) return false;
  capnp::Capability::Server& server = *service(**target);
  const std::uint64_t interface_id = call.getInterfaceId();
  answers_.start(message, call, [&](capnp::CallContextHook& context, DirectCall& direct) {
    return offered_->dispatch(server, interface_id, method, context, direct);
  });
  return true;
}

bool DirectCalls::take_finish(protocol::Finish::Reader finish) {
  if (answers_.take_finish(finish)) return true;
  if (auto known = questions_.find(finish.getQuestionId()); known != questions_.end()) {
    if (finish.getReleaseResultCaps() && known->second.returned) release(*known->second.returned, 1);
    questions_.erase(known);
  }
  return false;
}

const DirectCalls::Target* DirectCalls::find(protocol::MessageTarget::Reader target) const {
  if (target.isImportedCap()) {
    auto known = exports_.find(target.getImportedCap());
    return known == exports_.end() ? nullptr : &known->second.target;
  }
  if (!target.isPromisedAnswer()) return nullptr;
  auto known = questions_.find(target.getPromisedAnswer().getQuestionId());
  if (known == questions_.end()) return nullptr;
  const Target& returns = known->second.returns;
  const auto path = target.getPromisedAnswer().getTransform();
  return leads_to(path, returns ? 1 : 0) ? &returns : nullptr;
}

void DirectCalls::watch_outgoing(protocol::Message::Reader message) {
  if (!message.isReturn() || !message.getReturn().isResults()) return;
  auto known = questions_.find(message.getReturn().getAnswerId());
  if (known == questions_.end()) return;
  const auto capabilities = message.getReturn().getResults().getCapTable();
  if (capabilities.size() != 1 || !capabilities[0].isSenderHosted()) return;
  const DirectNumber id = capabilities[0].getSenderHosted();
  known->second.returned = id;
  Export& exported = exports_[id];
  exported.target = known->second.returns;
  ++exported.references;
}

void DirectCalls::release(DirectNumber id, std::uint32_t references) {
  auto exported = exports_.find(id);
  if (exported == exports_.end()) return;
  if (exported->second.references <= references) {
    exports_.erase(exported);
  } else {
    exported->second.references -= references;
  }
}

/// Returns: null if the method returns none.
capnp::Capability::Server* DirectCalls::service(std::uint16_t method) {
  if (auto existing = services_.find(method); existing != services_.end()) return existing->second.get();
  auto made = offered_->service(method);
  KJ_IF_MAYBE (service, made) {
    return services_.emplace(method, kj::mv(*service)).first->second.get();
  }
  return nullptr;
}

}  // namespace holdfast::net
