#include "net/direct_caller.h"

#include <capnp/message.h>
#include <kj/debug.h>

#include <utility>

#include "base/result.h"

namespace holdfast::net {
namespace {

namespace protocol = capnp::rpc;

/// Of a Call, around the parameters themselves.
constexpr std::uint64_t kCallWords = 16;
constexpr std::size_t kSmallMessageWords = 32;

kj::Exception gone() { return KJ_EXCEPTION(DISCONNECTED, "the connection was closed on this side"); }

kj::Exception to_exception(protocol::Exception::Reader thrown) {
  const auto type = static_cast<kj::Exception::Type>(thrown.getType());
  return kj::Exception(type, __FILE__, __LINE__, kj::str("remote exception: ", thrown.getReason()));
}

}  // namespace

/// A call that is not answered yet, as an adapter of KJ's.
class DirectCaller::Waiting {
 public:
  using Answer = capnp::Response<capnp::AnyPointer>;

  Waiting(kj::PromiseFulfiller<Answer>& fulfiller, DirectCaller& caller, QuestionId question)
      : fulfiller_(fulfiller), caller_(kj::addRef(caller)), question_(question) {
    caller.waiting_[question] = this;
  }
  ~Waiting() noexcept(false) {
    if (caller_->waiting_.erase(question_) > 0) caller_->send_finish(question_);
  }
  KJ_DISALLOW_COPY(Waiting);

  kj::PromiseFulfiller<Answer>& leave() {
    caller_->waiting_.erase(question_);
    return fulfiller_;
  }

 private:
  kj::PromiseFulfiller<Answer>& fulfiller_;
  kj::Own<DirectCaller> caller_;
  const QuestionId question_;
};

class DirectCaller::Response final : public capnp::ResponseHook {
 public:
  explicit Response(kj::Own<capnp::IncomingRpcMessage> message) : message_(kj::mv(message)) {}

 private:
  kj::Own<capnp::IncomingRpcMessage> message_;
};

class DirectCaller::Request final : public capnp::RequestHook {
 public:
  Request(DirectCaller& caller, std::uint64_t words)
      : caller_(kj::addRef(caller)), builder_(static_cast<unsigned>(words + kCallWords)) {}

  protocol::Call::Builder init(QuestionId service, std::uint64_t interface_id, std::uint16_t method) {
    question_ = caller_->next_question();
    auto call = builder_.initRoot<protocol::Message>().initCall();
    call.setQuestionId(question_);
    call.setInterfaceId(interface_id);
    call.setMethodId(method);
    auto target = call.initTarget().initPromisedAnswer();
    target.setQuestionId(service);
    target.initTransform(1)[0].setGetPointerField(0);
    return call;
  }

  capnp::RemotePromise<capnp::AnyPointer> send() override {
    // Nothing in a plain call's results can be called.
    auto nothing = capnp::newBrokenPipeline(KJ_EXCEPTION(FAILED, "the results hold no capability"));
    return {ask(), capnp::AnyPointer::Pipeline(kj::mv(nothing))};
  }
  kj::Promise<void> sendStreaming() override { return ask().ignoreResult(); }
  const void* getBrand() override { return nullptr; }

 private:
  kj::Promise<Waiting::Answer> ask() {
    if (caller_->stream_ == nullptr) return gone();
    caller_->send(builder_);
    return kj::newAdaptedPromise<Waiting::Answer, Waiting>(*caller_, question_);
  }

  kj::Own<DirectCaller> caller_;
  QuestionId question_ = 0;
  capnp::MallocMessageBuilder builder_;
};

/// One service.
class DirectCaller::Client final : public capnp::ClientHook, public kj::Refcounted {
 public:
  Client(DirectCaller& caller, QuestionId service, std::uint16_t except, kj::Own<capnp::ClientHook> indirect)
      : caller_(kj::addRef(caller)), service_(service), except_(except), indirect_(kj::mv(indirect)) {}

  capnp::Request<capnp::AnyPointer, capnp::AnyPointer> newCall(
      std::uint64_t interface_id, std::uint16_t method, kj::Maybe<capnp::MessageSize> size_hint) override {
    if (method == except_) return indirect_->newCall(interface_id, method, size_hint);
    std::uint64_t words = kSmallMessageWords;
    KJ_IF_MAYBE (hint, size_hint) {
      words = hint->wordCount;
    }
    auto request = kj::heap<Request>(*caller_, words);
    auto params = request->init(service_, interface_id, method).initParams().getContent();
    return {params, kj::mv(request)};
  }
  VoidPromiseAndPipeline call(std::uint64_t interface_id, std::uint16_t method,
                              kj::Own<capnp::CallContextHook>&& context) override {
    return indirect_->call(interface_id, method, kj::mv(context));
  }
  kj::Maybe<capnp::ClientHook&> getResolved() override { return nullptr; }
  kj::Maybe<kj::Promise<kj::Own<capnp::ClientHook>>> whenMoreResolved() override { return nullptr; }
  kj::Own<capnp::ClientHook> addRef() override { return kj::addRef(*this); }
  const void* getBrand() override { return nullptr; }
  kj::Maybe<int> getFd() override { return nullptr; }

 private:
  kj::Own<DirectCaller> caller_;
  const QuestionId service_;
  const std::uint16_t except_;
  kj::Own<capnp::ClientHook> indirect_;
};

DirectCaller::~DirectCaller() noexcept(false) {}

capnp::Capability::Client DirectCaller::service(Place place, std::uint16_t except,
                                                capnp::Capability::Client indirect) {
  return capnp::Capability::Client(kj::Own<capnp::ClientHook>(
      kj::refcounted<Client>(*this, ask_for(place), except, capnp::ClientHook::from(kj::mv(indirect)))));
}

DirectCaller::QuestionId DirectCaller::ask_for(Place place) {
  if (!std::exchange(has_bootstrap_, true)) {
    capnp::MallocMessageBuilder message(kSmallMessageWords);
    message.initRoot<protocol::Message>().initBootstrap().setQuestionId(kFirstQuestion);
    send(message);
  }
  const auto known = services_.find(place.method);
  if (known != services_.end()) return known->second;
  const QuestionId question = next_question();
  capnp::MallocMessageBuilder message(kSmallMessageWords);
  auto call = message.initRoot<protocol::Message>().initCall();
  call.setQuestionId(question);
  call.setInterfaceId(place.bootstrap_interface);
  call.setMethodId(place.method);
  call.initTarget().initPromisedAnswer().setQuestionId(kFirstQuestion);
  call.initParams();
  send(message);
  services_.emplace(place.method, question);
  return question;
}

/// A number comes back after two thousand million calls.
DirectCaller::QuestionId DirectCaller::next_question() {
  do {
    last_question_ = last_question_ == UINT32_MAX ? kFirstQuestion + 1 : last_question_ + 1;
  } while (waiting_.count(last_question_) > 0);
  return last_question_;
}

void DirectCaller::send(capnp::MessageBuilder& message) {
  if (stream_ == nullptr) return;
  const Result<void> sent = stream_->send(message.getSegmentsForOutput());
  if (!sent) KJ_FAIL_REQUIRE("a message is not sent", sent.error().message.c_str());
}

void DirectCaller::send_finish(QuestionId question) {
  capnp::word space[kSmallMessageWords] = {};
  capnp::MallocMessageBuilder message(kj::arrayPtr(space, kSmallMessageWords));
  auto finish = message.initRoot<protocol::Message>().initFinish();
  finish.setQuestionId(question);
  finish.setReleaseResultCaps(true);
  send(message);
}

bool DirectCaller::take(kj::Own<capnp::IncomingRpcMessage>& message) {
  const auto body = message->getBody().getAs<protocol::Message>();
  if (!body.isReturn() || body.getReturn().getAnswerId() < kFirstQuestion) return false;
  const auto answer = body.getReturn();
  const auto found = waiting_.find(answer.getAnswerId());
  if (found == waiting_.end()) return true;  // cancelled here, or one of the services
  auto& fulfiller = found->second->leave();
  send_finish(answer.getAnswerId());
  if (answer.isResults()) {
    auto results = answer.getResults().getContent();
    fulfiller.fulfill({results, kj::heap<Response>(kj::mv(message))});
  } else if (answer.isException()) {
    fulfiller.reject(to_exception(answer.getException()));
  } else {
    fulfiller.reject(KJ_EXCEPTION(FAILED, "the call was returned without results"));
  }
  return true;
}

void DirectCaller::disconnect() {
  stream_ = nullptr;
  while (!waiting_.empty()) waiting_.begin()->second->leave().reject(gone());
}

}  // namespace holdfast::net
