#include "net/direct_line.h"

#include <kj/debug.h>

#include <utility>

namespace holdfast::net {

SharedCall::SharedCall(std::uint64_t interface_id, std::uint16_t method, capnp::MessageSize params)
    : finish_(init_finish(finish_builder_, 0, true)),
      builder_(static_cast<unsigned>(params.wordCount + kCallWords)),
      call_(init_call(builder_, 0, interface_id, method)),
      target_(call_.initTarget()) {
  call_.initParams();
}

std::unique_ptr<DirectLine> DirectLine::to(capnp::Capability::Client callee, Listener& listener) {
  auto hook = capnp::ClientHook::from(kj::mv(callee));
  DirectClient* const direct = DirectClient::of(*hook);
  if (direct == nullptr) return nullptr;
  return std::make_unique<DirectLine>(kj::addRef(*direct), listener);
}

DirectLine::DirectLine(kj::Own<DirectClient> callee, Listener& listener)
    : callee_(kj::mv(callee)),
      party_(callee_->party()),
      listener_(listener),
      question_(party_.new_question()) {
  party_.expect(question_, *this);
}

DirectLine::~DirectLine() noexcept(false) {
  party_.wait_no_more(*this);
  party_.forget(question_);
  // An answer that comes yet finds nobody, and the number is not used again.
  if (called_ || unfinished_) party_.finish(question_, true);
}

void DirectLine::call(SharedCall& call) {
  KJ_REQUIRE(!called_, "one call at a time");
  if (party_.stream() == nullptr) kj::throwFatalException(connection_gone());
  if (std::exchange(unfinished_, false)) {
    call.finish_.setQuestionId(question_);
    send_message(*party_.stream(), call.finish_builder_);
  }
  call.call_.setQuestionId(question_);
  callee_->aim().write(call.target_);
  send_message(*party_.stream(), call.builder_);
  called_ = true;
}

void DirectLine::hasten() {
  if (party_.stream() != nullptr) party_.stream()->hasten();
}

bool DirectLine::glance(protocol::Return::Reader answer) {
  // What was not asked is not looked at. Whoever answers before it is asked is only told more.
  if (!std::exchange(called_, false)) return true;
  unfinished_ = true;
  if (answer.isResults()) {
    listener_.answered(nullptr, answer.getResults().getContent());
  } else if (answer.isException()) {
    listener_.answered(read_exception(answer.getException()), {});
  } else {
    listener_.answered(KJ_EXCEPTION(FAILED, "the call was returned without results"), {});
  }
  return true;
}

void DirectLine::disconnected() {
  called_ = false;
  unfinished_ = false;
  listener_.answered(connection_gone(), {});
}

}  // namespace holdfast::net
