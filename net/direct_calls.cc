#include "net/direct_calls.h"

#include <capnp/message.h>
#include <kj/debug.h>
#include <kj/refcount.h>

#include <utility>

#include "base/result.h"

namespace holdfast::net {
namespace {

namespace protocol = capnp::rpc;

/// Of a Return, around the results themselves.
constexpr std::size_t kReturnWords = 10;
/// Held by each call for its answer, so that a short one needs no memory of its own.
constexpr std::size_t kShortReturnWords = 40;

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

/// Does it lead to the result itself (no fields), or to the first of its pointers (one)?
bool leads_to(capnp::List<protocol::PromisedAnswer::Op>::Reader path, int fields) {
  for (const auto step : path) {
    if (step.isNoop()) continue;
    if (!step.isGetPointerField() || step.getGetPointerField() != 0) return false;
    --fields;
  }
  return fields == 0;
}

}  // namespace

/// One call, until its caller has finished it.
class DirectCalls::Call final : public DirectCall, public capnp::CallContextHook, public kj::Refcounted {
 public:
  Call(DirectCalls& calls, kj::Own<capnp::IncomingRpcMessage> message, protocol::Call::Reader call)
      : calls_(calls),
        question_(call.getQuestionId()),
        bytes_(message->sizeInWords() * sizeof(capnp::word)),
        message_(kj::mv(message)),
        params_(call.getParams().getContent()) {
    ++calls_.unanswered_;
    calls_.unanswered_bytes_ += bytes_;
  }

  void start(capnp::Capability::Server& service, std::uint64_t interface_id, std::uint16_t method) {
    auto done =
        kj::evalNow([&] { return calls_.offered_->dispatch(service, interface_id, method, *this, *this); });
    if (work_.get() != nullptr || returned_) return;
    task_ = done.then([this] { fulfill(); }, [this](kj::Exception&& exception) { reject(kj::mv(exception)); })
                .eagerlyEvaluate(nullptr);
  }
  /// The caller wants it no more.
  void finish() {
    if (returned_) return;
    task_ = nullptr;
    work_ = nullptr;
    init_return().setCanceled();
    leave();
  }
  void go_on() {
    if (then_) std::exchange(then_, {})();
  }

  void keep(kj::Own<void> work) override { work_ = kj::mv(work); }
  bool has_room() const override { return !calls_.stream_.over_bound(); }
  void when_room(Callback<void()> then) override {
    then_ = std::move(then);
    calls_.waiting_for_room_.push_back(question_);
  }
  bool isWaiting() override { return !returned_; }
  void fulfill(kj::_::Void&& = {}) override {
    if (returned_) return;
    getResults(capnp::MessageSize{0, 0});
    const Result<void> sent = calls_.stream_.send(builder_->getSegmentsForOutput());
    if (!sent) return reject(KJ_EXCEPTION(FAILED, "the answer is not sent", sent.error().message.c_str()));
    end();
  }
  void reject(kj::Exception&& exception) override {
    if (returned_) return;
    auto refusal = init_return().initException();
    refusal.setReason(exception.getDescription());
    refusal.setType(type_of(exception));
    leave();
  }

  capnp::AnyPointer::Reader getParams() override {
    KJ_REQUIRE(message_.get() != nullptr, "the parameters were released");
    return params_;
  }
  void releaseParams() override { message_ = nullptr; }
  capnp::AnyPointer::Builder getResults(kj::Maybe<capnp::MessageSize> size_hint) override {
    KJ_IF_MAYBE (existing, results_) {
      return *existing;
    }
    std::uint64_t words = 0;
    KJ_IF_MAYBE (hint, size_hint) {
      words = hint->wordCount;
    }
    auto content = init_return(words).initResults().getContent();
    return results_.emplace(kj::mv(content));
  }
  kj::Own<capnp::CallContextHook> addRef() override { return kj::addRef(*this); }
  void allowCancellation() override {}
  void setPipeline(kj::Own<capnp::PipelineHook>&&) override {}  // nothing in its results can be called
  kj::Promise<void> tailCall(kj::Own<capnp::RequestHook>&&) override { KJ_UNIMPLEMENTED("tail call"); }
  kj::Promise<capnp::AnyPointer::Pipeline> onTailCall() override { KJ_UNIMPLEMENTED("tail call"); }
  capnp::ClientHook::VoidPromiseAndPipeline directTailCall(kj::Own<capnp::RequestHook>&&) override {
    KJ_UNIMPLEMENTED("tail call");
  }

 private:
  protocol::Return::Builder init_return(std::uint64_t result_words = 0) {
    const std::uint64_t words = result_words + kReturnWords;
    results_ = nullptr;
    if (words <= kShortReturnWords) {
      builder_.emplace(kj::arrayPtr(short_return_, kShortReturnWords));
    } else {
      builder_.emplace(static_cast<unsigned>(words));
    }
    auto message = builder_->initRoot<protocol::Message>().initReturn();
    message.setAnswerId(question_);
    message.setReleaseParamCaps(false);
    return message;
  }
  void leave() {
    // It is short, and on a connection that is lost nobody waits for it.
    static_cast<void>(calls_.stream_.send(builder_->getSegmentsForOutput()));
    end();
  }
  void end() {
    results_ = nullptr;
    builder_.reset();
    message_ = nullptr;
    returned_ = true;
    calls_.answered(question_, bytes_);
  }

  DirectCalls& calls_;
  const QuestionId question_;
  const std::size_t bytes_;
  kj::Own<capnp::IncomingRpcMessage> message_;
  const capnp::AnyPointer::Reader params_;  // in the message
  capnp::word short_return_[kShortReturnWords] = {};
  std::optional<capnp::MallocMessageBuilder> builder_;
  kj::Maybe<capnp::AnyPointer::Builder> results_;
  bool returned_ = false;
  Callback<void()> then_;             // when there is room
  kj::Promise<void> task_ = nullptr;  // one of these two
  kj::Own<void> work_;
};

DirectCalls::DirectCalls(MessageStream& stream, kj::Own<Services> services, const CallBounds& bounds)
    : stream_(stream), offered_(kj::mv(services)), bounds_(bounds) {}

DirectCalls::~DirectCalls() noexcept(false) {}

void DirectCalls::cancel() { calls_.clear(); }

bool DirectCalls::take(kj::Own<capnp::IncomingRpcMessage>& message) {
  returned_.clear();
  const auto body = message->getBody().getAs<protocol::Message>();
  switch (body.which()) {
    case protocol::Message::BOOTSTRAP:
      questions_.insert_or_assign(body.getBootstrap().getQuestionId(), Question{});
      return false;
    case protocol::Message::CALL:
      return take_call(message, body.getCall());
    case protocol::Message::FINISH:
      return take_finish(body.getFinish());
    case protocol::Message::RELEASE:
      release(body.getRelease().getId(), body.getRelease().getReferenceCount());
      return false;
    default:
      return false;
  }
}

bool DirectCalls::take_call(kj::Own<capnp::IncomingRpcMessage>& message, protocol::Call::Reader call) {
  const Target* target = find(call.getTarget());
  if (!target) return false;
  const QuestionId question = call.getQuestionId();
  const std::uint16_t method = call.getMethodId();
  if (!target->has_value()) {
    if (call.getInterfaceId() == offered_->bootstrap_interface() && service(method))
      questions_.insert_or_assign(question, Question{method, {}});
    return false;
  }
  if (!offered_->is_plain(call.getInterfaceId(), method) || call.getParams().getCapTable().size() > 0 ||
      !call.getSendResultsTo().isCaller())
    return false;
  KJ_REQUIRE(calls_.count(question) == 0, "a question's number is in use");
  KJ_REQUIRE(calls_.size() < bounds_.unfinished,
             "too many calls were answered that their caller never finished", bounds_.unfinished);
  capnp::Capability::Server& server = *service(**target);
  const std::uint64_t interface_id = call.getInterfaceId();
  auto taken = kj::refcounted<Call>(*this, kj::mv(message), call);
  Call& started = *taken;
  calls_.emplace(question, kj::mv(taken));
  started.start(server, interface_id, method);
  return true;
}

bool DirectCalls::take_finish(protocol::Finish::Reader finish) {
  const QuestionId question = finish.getQuestionId();
  if (auto call = calls_.find(question); call != calls_.end()) {
    // It leaves the table first: to finish it is to answer it.
    kj::Own<Call> finished = kj::mv(call->second);
    calls_.erase(call);
    if (finished.get() != nullptr) finished->finish();
    return true;
  }
  if (auto known = questions_.find(question); known != questions_.end()) {
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
  const ExportId id = capabilities[0].getSenderHosted();
  known->second.returned = id;
  Export& exported = exports_[id];
  exported.target = known->second.returns;
  ++exported.references;
}

void DirectCalls::release(ExportId id, std::uint32_t references) {
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

/// One after the other, each as long as there is room for it.
void DirectCalls::made_progress() {
  while (!waiting_for_room_.empty() && !stream_.over_bound()) {
    auto call = calls_.find(waiting_for_room_.front());
    waiting_for_room_.pop_front();
    if (call != calls_.end() && call->second.get() != nullptr) call->second->go_on();
  }
}

void DirectCalls::answered(QuestionId question, std::size_t bytes) {
  if (auto call = calls_.find(question); call != calls_.end()) returned_.push_back(kj::mv(call->second));
  const bool was_full = is_full();
  --unanswered_;
  unanswered_bytes_ -= bytes;
  if (was_full && !is_full()) stream_.read_again();
}

}  // namespace holdfast::net
