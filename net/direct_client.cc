#include "net/direct_client.h"

#include <capnp/message.h>
#include <kj/debug.h>

#include <utility>

namespace holdfast::net {
namespace {

using Answer = capnp::Response<capnp::AnyPointer>;

constexpr char kBrand = 0;

class Response final : public capnp::ResponseHook {
 public:
  explicit Response(DirectParty::Capabilities capabilities) : capabilities_(kj::mv(capabilities)) {}

  /// Returns: the results, which are in the message, with their capabilities.
  capnp::AnyPointer::Reader keep(capnp::AnyPointer::Reader results, DirectParty::Message message) {
    message_ = kj::mv(message);
    return capabilities_.imbue(results);
  }

 private:
  DirectParty::Message message_;
  capnp::ReaderCapabilityTable capabilities_;
};

/// A call that was sent and is not answered yet, as an adapter of KJ's.
class Waiting final : private DirectParty::Asker {
 public:
  /// `given`: what went with it.
  Waiting(kj::PromiseFulfiller<Answer>& fulfiller, DirectParty& party, DirectNumber question,
          std::vector<DirectNumber> given)
      : fulfiller_(fulfiller), party_(kj::addRef(party)), question_(question), given_(std::move(given)) {
    party_->expect(question_, *this);
  }
  ~Waiting() noexcept(false) {
    if (!waits_) return;
    party_->forget(question_);
    party_->finish(question_, true);
  }
  KJ_DISALLOW_COPY(Waiting);

 private:
  void returned(DirectParty::Message& message, protocol::Return::Reader answer) override {
    waits_ = false;
    party_->forget(question_);
    party_->finish(question_, false);
    auto exception = kj::runCatchingExceptions([&] { take(message, answer); });
    KJ_IF_MAYBE (failure, exception) {
      fulfiller_.reject(kj::mv(*failure));
    }
  }
  void disconnected() override {
    waits_ = false;
    fulfiller_.reject(connection_gone());
  }

  void take(DirectParty::Message& message, protocol::Return::Reader answer) {
    if (answer.getReleaseParamCaps()) party_->take_back(given_);
    if (answer.isException()) return fulfiller_.reject(read_exception(answer.getException()));
    KJ_REQUIRE(answer.isResults(), "the call was returned without results");
    const auto results = answer.getResults();
    auto response = kj::heap<Response>(party_->receive(results.getCapTable()));
    auto content = response->keep(results.getContent(), kj::mv(message));
    fulfiller_.fulfill({content, kj::mv(response)});
  }

  kj::PromiseFulfiller<Answer>& fulfiller_;
  kj::Own<DirectParty> party_;
  const DirectNumber question_;
  const std::vector<DirectNumber> given_;
  bool waits_ = true;
};

class Request final : public capnp::RequestHook {
 public:
  Request(DirectParty& party, std::uint64_t words)
      : party_(kj::addRef(party)), builder_(static_cast<unsigned>(words + kCallWords)) {}

  capnp::AnyPointer::Builder init(DirectAim aim, std::uint64_t interface_id, std::uint16_t method) {
    call_ = init_call(builder_, 0, interface_id, method);
    aim.write(call_.initTarget());
    return capabilities_.imbue(call_.initParams().getContent());
  }

  capnp::RemotePromise<capnp::AnyPointer> send() override {
    auto nothing = capnp::newBrokenPipeline(
        KJ_EXCEPTION(UNIMPLEMENTED, "what a direct call returns cannot be called before it has come"));
    return {ask(), capnp::AnyPointer::Pipeline(kj::mv(nothing))};
  }
  kj::Promise<void> sendStreaming() override { return ask().ignoreResult(); }
  const void* getBrand() override { return nullptr; }

 private:
  kj::Promise<Answer> ask() {
    if (party_->stream() == nullptr) return connection_gone();
    const DirectNumber question = party_->new_question();
    call_.setQuestionId(question);
    auto given = party_->give(capabilities_.getTable(), call_.getParams());
    auto exception = kj::runCatchingExceptions([&] { send_message(*party_->stream(), builder_); });
    KJ_IF_MAYBE (failure, exception) {
      party_->take_back(given);
      return kj::mv(*failure);
    }
    return kj::newAdaptedPromise<Answer, Waiting>(*party_, question, std::move(given));
  }

  kj::Own<DirectParty> party_;
  capnp::MallocMessageBuilder builder_;
  capnp::BuilderCapabilityTable capabilities_;
  protocol::Call::Builder call_{nullptr};
};

}  // namespace

void DirectAim::write(protocol::MessageTarget::Builder target) const {
  if (is_import) return target.setImportedCap(number);
  const bool written = target.isPromisedAnswer() && target.getPromisedAnswer().hasTransform();
  auto answer = written ? target.getPromisedAnswer() : target.initPromisedAnswer();
  answer.setQuestionId(number);
  if (!written) answer.initTransform(1)[0].setGetPointerField(0);
}

DirectClient::~DirectClient() noexcept(false) {
  if (aim_.is_import) party_->give_back(aim_.number);
}

DirectClient* DirectClient::of(capnp::ClientHook& capability) {
  return capability.getBrand() == &kBrand ? &static_cast<DirectClient&>(capability) : nullptr;
}

const void* DirectClient::getBrand() { return &kBrand; }

capnp::Request<capnp::AnyPointer, capnp::AnyPointer> DirectClient::newCall(
    std::uint64_t interface_id, std::uint16_t method, kj::Maybe<capnp::MessageSize> size_hint) {
  std::uint64_t words = kShortMessageWords;
  KJ_IF_MAYBE (hint, size_hint) {
    words = hint->wordCount;
  }
  auto request = kj::heap<Request>(*party_, words);
  auto params = request->init(aim_, interface_id, method);
  return {params, kj::mv(request)};
}

capnp::ClientHook::VoidPromiseAndPipeline DirectClient::call(std::uint64_t interface_id, std::uint16_t method,
                                                             kj::Own<capnp::CallContextHook>&& context) {
  const auto params = context->getParams();
  auto request = newCall(interface_id, method, params.targetSize());
  request.set(params);
  context->releaseParams();
  return context->directTailCall(capnp::RequestHook::from(kj::mv(request)));
}

}  // namespace holdfast::net
