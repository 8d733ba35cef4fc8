#pragma once

#include <capnp/capability.h>
#include <capnp/message.h>

#include <memory>

#include "net/direct_client.h"

namespace holdfast::net {

/// A call that is written once and sent to many.
class SharedCall {
 public:
  SharedCall(std::uint64_t interface_id, std::uint16_t method, capnp::MessageSize params);
  KJ_DISALLOW_COPY(SharedCall);

  std::uint64_t interface_id() { return call_.getInterfaceId(); }
  std::uint16_t method() { return call_.getMethodId(); }
  /// They hold no capabilities.
  capnp::AnyPointer::Builder params() { return call_.getParams().getContent(); }

 private:
  friend class DirectLine;
  // Of the call before, if it is not finished yet.
  capnp::word finish_space_[kFinishWords] = {};
  capnp::MallocMessageBuilder finish_builder_{kj::arrayPtr(finish_space_, kFinishWords)};
  protocol::Finish::Builder finish_;

  capnp::MallocMessageBuilder builder_;
  protocol::Call::Builder call_;
  protocol::MessageTarget::Builder target_;
};

/// One capability that the peer gave, called over and over, one call at a time, without a promise; always by
/// the same question. An answer is finished together with the next call, which goes by the same write.
///
///     idle --call()--> called --answered()--> idle
class DirectLine final : private DirectParty::Asker, private DirectParty::Waiter {
 public:
  class Listener {
   public:
    /// `results` are there for as long as this takes, without the capabilities that may have come with them.
    /// `failure`, and no results: the callee's exception, or DISCONNECTED.
    virtual void answered(kj::Maybe<kj::Exception> failure, capnp::AnyPointer::Reader results) = 0;
    virtual void room() = 0;

   protected:
    ~Listener() = default;
  };

  /// Null if the capability does not go past the RPC system.
  static std::unique_ptr<DirectLine> to(capnp::Capability::Client callee, Listener& listener);
  DirectLine(kj::Own<DirectClient> callee, Listener& listener);
  /// A call that is not answered is taken back.
  ~DirectLine() noexcept(false);
  KJ_DISALLOW_COPY(DirectLine);

  /// Requires: the last call was answered. Throws if the call is larger than a frame.
  void call(SharedCall& call);
  /// Does so little wait to leave that another call may?
  bool has_room() const { return party_.has_room(); }
  /// What was called need not wait for more to be sent: MessageStream::hasten().
  void hasten();
  /// Tells the listener by room(), once.
  void when_room() { party_.wait_for_room(*this); }

 private:
  bool glance(protocol::Return::Reader answer) override;
  void returned(DirectParty::Message&, protocol::Return::Reader answer) override { glance(answer); }
  void disconnected() override;
  void room() override { listener_.room(); }

  kj::Own<DirectClient> callee_;
  DirectParty& party_;  // the callee's
  Listener& listener_;
  const DirectNumber question_;
  bool called_ = false;
  bool unfinished_ = false;  // the last answer
};

}  // namespace holdfast::net
