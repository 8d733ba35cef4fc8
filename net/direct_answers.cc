#include "net/direct_answers.h"

#include <capnp/message.h>
#include <kj/debug.h>
#include <kj/refcount.h>

#include <optional>
#include <utility>

#include "base/result.h"
#include "net/direct_host.h"

namespace holdfast::net {
namespace {

/// Held by each call for its answer, so that a short one needs no memory of its own.
constexpr std::size_t kShortReturnWords = 40;

}  // namespace

/// What a Prompt that had nothing to object answers, over and over.
struct DirectAnswers::EmptyReturn {
  EmptyReturn() { answer.initResults(); }

  capnp::word space[kReturnWords] = {};
  capnp::MallocMessageBuilder builder{kj::arrayPtr(space, kReturnWords)};
  protocol::Return::Builder answer = init_return(builder, 0);
};

/// One call, until its caller has finished it.
class DirectAnswers::Call final : public DirectCall,
                                  public capnp::CallContextHook,
                                  public kj::Refcounted,
                                  private DirectParty::Waiter {
 public:
  Call(DirectAnswers& answers, Message message, protocol::Call::Reader call)
      : answers_(answers),
        party_(answers.party_),
        question_(call.getQuestionId()),
        bytes_(message->sizeInWords() * sizeof(capnp::word)),
        message_(kj::mv(message)),
        params_(call.getParams().getContent()) {
    const auto given = call.getParams().getCapTable();
    if (given.size() > 0) params_ = received_.emplace(party_.receive(given)).imbue(params_);
    ++answers_.unanswered_;
    answers_.unanswered_bytes_ += bytes_;
  }
  ~Call() noexcept(false) { party_.wait_no_more(*this); }

  void start(Dispatch& dispatch) {
    auto done = kj::evalNow([&] { return dispatch(*this, *this); });
    if (work_.get() != nullptr || returned_) return;
    task_ = done.then([this] { fulfill(); }, [this](kj::Exception&& exception) { reject(kj::mv(exception)); })
                .eagerlyEvaluate(nullptr);
  }
  /// The caller wants it no more.
  void finish() {
    if (returned_) return;
    task_ = nullptr;
    work_ = nullptr;
    new_return().setCanceled();
    leave();
  }
  void keep(kj::Own<void> work) override { work_ = kj::mv(work); }
  bool has_room() const override { return party_.has_room(); }
  void when_room(Callback<void()> then) override {
    then_ = std::move(then);
    party_.wait_for_room(*this);
  }
  bool isWaiting() override { return !returned_; }
  void fulfill(kj::_::Void&& = {}) override {
    if (returned_) return;
    getResults(capnp::MessageSize{0, 0});
    if (held_->getTable().size() > 0) give();
    MessageStream* const stream = party_.stream();
    if (stream == nullptr) return end();
    const Result<void> sent = stream->send(builder_->getSegmentsForOutput());
    if (!sent) return reject(KJ_EXCEPTION(FAILED, "the answer is not sent", sent.error().message.c_str()));
    end();
  }
  void reject(kj::Exception&& exception) override {
    if (returned_) return;
    party_.take_back(std::exchange(given_, {}));
    write_exception(exception, new_return().initException());
    leave();
  }

  capnp::AnyPointer::Reader getParams() override {
    KJ_REQUIRE(message_.get() != nullptr, "the parameters were released");
    return params_;
  }
  void releaseParams() override {
    received_.reset();
    message_ = nullptr;
  }
  capnp::AnyPointer::Builder getResults(kj::Maybe<capnp::MessageSize> size_hint) override {
    if (results_) return *results_;
    std::uint64_t words = 0;
    KJ_IF_MAYBE (hint, size_hint) {
      words = hint->wordCount;
    }
    const auto content = new_return(words).initResults().getContent();
    return results_.emplace(held_.emplace().imbue(content));
  }
  kj::Own<capnp::CallContextHook> addRef() override { return kj::addRef(*this); }
  void allowCancellation() override {}
  // Nobody is told that what its results hold could be called before it has come.
  void setPipeline(kj::Own<capnp::PipelineHook>&&) override {}
  kj::Promise<void> tailCall(kj::Own<capnp::RequestHook>&&) override { KJ_UNIMPLEMENTED("tail call"); }
  kj::Promise<capnp::AnyPointer::Pipeline> onTailCall() override { return kj::NEVER_DONE; }
  capnp::ClientHook::VoidPromiseAndPipeline directTailCall(kj::Own<capnp::RequestHook>&&) override {
    KJ_UNIMPLEMENTED("tail call");
  }

 private:
  protocol::Return::Builder new_return(std::uint64_t result_words = 0) {
    const std::uint64_t words = result_words + kReturnWords;
    results_.reset();
    if (words <= kShortReturnWords) {
      builder_.emplace(kj::arrayPtr(short_return_, kShortReturnWords));
    } else {
      builder_.emplace(static_cast<unsigned>(words));
    }
    return init_return(*builder_, question_);
  }
  void give() {
    given_ = party_.give(held_->getTable(), builder_->getRoot<protocol::Message>().getReturn().getResults());
  }
  void leave() {
    // It is short, and on a connection that is lost nobody waits for it.
    if (party_.stream() != nullptr) {
      static_cast<void>(party_.stream()->send(builder_->getSegmentsForOutput()));
    }
    end();
  }
  void end() {
    results_.reset();
    builder_.reset();
    held_.reset();
    releaseParams();
    then_ = {};
    party_.wait_no_more(*this);
    returned_ = true;
    answers_.answered(question_, bytes_, std::move(given_));
  }
  void room() override {
    if (then_) std::exchange(then_, {})();
  }

  DirectAnswers& answers_;
  DirectParty& party_;
  const DirectNumber question_;
  const std::size_t bytes_;
  Message message_;
  capnp::AnyPointer::Reader params_;  // in the message
  std::optional<capnp::ReaderCapabilityTable> received_;
  capnp::word short_return_[kShortReturnWords] = {};
  std::optional<capnp::MallocMessageBuilder> builder_;
  std::optional<capnp::AnyPointer::Builder> results_;
  std::optional<capnp::BuilderCapabilityTable> held_;  // by the results
  std::vector<DirectNumber> given_;                    // with the results
  bool returned_ = false;
  Callback<void()> then_;             // when there is room
  kj::Promise<void> task_ = nullptr;  // one of these two
  kj::Own<void> work_;
};

DirectAnswers::DirectAnswers(DirectParty& party, const CallBounds& bounds) : party_(party), bounds_(bounds) {}

DirectAnswers::~DirectAnswers() noexcept(false) {}

bool DirectAnswers::can_take(protocol::Call::Reader call) {
  return call.getSendResultsTo().isCaller() && DirectParty::can_receive(call.getParams().getCapTable());
}

void DirectAnswers::check_number(DirectNumber question) const {
  KJ_REQUIRE(!knows(question), "a question's number is in use");
  KJ_REQUIRE(calls_.size() < bounds_.unfinished,
             "too many calls were answered that their caller never finished", bounds_.unfinished);
}

void DirectAnswers::start(Message& message, protocol::Call::Reader call, Dispatch dispatch) {
  const DirectNumber question = call.getQuestionId();
  check_number(question);
  auto taken = kj::refcounted<Call>(*this, kj::mv(message), call);
  Call& started = *taken;
  calls_.emplace(question, kj::mv(taken));
  started.start(dispatch);
}

/// Null if it is on none that this party gave.
kj::Maybe<capnp::ClientHook&> DirectAnswers::callee_of(protocol::Call::Reader call) {
  const auto target = call.getTarget();
  if (!target.isImportedCap() || !is_direct(target.getImportedCap())) return nullptr;
  return party_.given(target.getImportedCap());
}

bool DirectAnswers::glance(protocol::Message::Reader message) {
  forget_returned();
  switch (message.which()) {
    case protocol::Message::CALL:
      return answer_promptly(message.getCall());
    case protocol::Message::RETURN:
      return party_.glance_return(message.getReturn());
    case protocol::Message::FINISH:
      return take_finish(message.getFinish());
    default:
      return false;
  }
}

bool DirectAnswers::answer_promptly(protocol::Call::Reader call) {
  auto found = callee_of(call);
  KJ_IF_MAYBE (capability, found) {
    Prompt* const prompt = hosted(*capability).prompt;
    if (prompt == nullptr || !call.getSendResultsTo().isCaller()) return false;
    // Each look at what a message points to costs as much as its checks.
    const auto params = call.getParams();
    if (params.getCapTable().size() > 0) return false;
    // It may be given back while it is being called.
    const auto callee = capability->addRef();
    const DirectNumber question = call.getQuestionId();
    check_number(question);
    bool answered = false;
    auto exception = kj::runCatchingExceptions(
        [&] { answered = prompt->answer(call.getInterfaceId(), call.getMethodId(), params.getContent()); });
    KJ_IF_MAYBE (thrown, exception) {
      send_exception(question, *thrown);
    } else {
      if (!answered) return false;
      if (empty_return_.get() == nullptr) empty_return_ = kj::heap<EmptyReturn>();
      empty_return_->answer.setAnswerId(question);
      send_message(*party_.stream(), empty_return_->builder);
    }
    calls_.emplace(question, kj::Own<Call>());
    return true;
  }
  return false;
}

void DirectAnswers::send_exception(DirectNumber question, const kj::Exception& thrown) {
  capnp::MallocMessageBuilder message(kShortMessageWords);
  write_exception(thrown, init_return(message, question).initException());
  send_message(*party_.stream(), message);
}

bool DirectAnswers::take_call(Message& message, protocol::Call::Reader call) {
  if (!can_take(call)) return false;
  auto found = callee_of(call);
  KJ_IF_MAYBE (capability, found) {
    // It may be given back while it is being called.
    auto callee = capability->addRef();
    const Hosted host = hosted(*callee);
    start(message, call, [&](capnp::CallContextHook& context, DirectCall&) -> kj::Promise<void> {
      const std::uint64_t interface_id = call.getInterfaceId();
      const std::uint16_t method = call.getMethodId();
      if (!host.server) {
        return callee->call(interface_id, method, context.addRef()).promise.attach(kj::mv(callee));
      }
      const capnp::CallContext<capnp::AnyPointer, capnp::AnyPointer> typed(context);
      return host.server->dispatchCall(interface_id, method, typed).promise.attach(kj::mv(callee));
    });
    return true;
  }
  return false;
}

bool DirectAnswers::take_finish(protocol::Finish::Reader finish) {
  const auto found = calls_.find(finish.getQuestionId());
  if (found == calls_.end()) return false;
  // It leaves the table first: to finish it is to answer it.
  const DirectNumber question = found->first;
  kj::Own<Call> call = kj::mv(found->second);
  calls_.erase(found);
  if (call.get() != nullptr) {
    call->finish();
  } else if (auto given = given_.extract(question); given && finish.getReleaseResultCaps()) {
    party_.take_back(given.mapped());
  }
  return true;
}

void DirectAnswers::forget_returned() { returned_.clear(); }

void DirectAnswers::cancel() {
  auto calls = std::exchange(calls_, {});
  calls.clear();
  returned_.clear();
  given_.clear();
}

void DirectAnswers::answered(DirectNumber question, std::size_t bytes, std::vector<DirectNumber> given) {
  const auto call = calls_.find(question);
  if (call != calls_.end()) {
    returned_.push_back(kj::mv(call->second));
    if (!given.empty()) given_.emplace(question, std::move(given));
  }
  const bool was_full = is_full();
  --unanswered_;
  unanswered_bytes_ -= bytes;
  if (was_full && !is_full() && party_.stream() != nullptr) party_.stream()->read_again();
}

}  // namespace holdfast::net
