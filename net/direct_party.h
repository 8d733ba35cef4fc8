#pragma once

#include <capnp/capability.h>
#include <kj/list.h>
#include <kj/refcount.h>

#include <unordered_map>
#include <vector>

#include "net/direct_frames.h"

namespace holdfast::net {

/// One party of a connection, as far as calls go past the RPC system: what it asks, what it gave to its peer
/// and what it was given, all under numbers that the RPC system of this side never uses (the peer's are the
/// peer's choice). DirectCalls and DirectCaller have one each; what came over the connection keeps it alive.
///
/// A peer that does not return what it is asked, returns it twice, or returns what it was not asked changes
/// nothing here: a question that nobody waits for any more leaves no trace.
/// Thread: the loop's. Ref: rpc.capnp, level 1.
class DirectParty final : public kj::Refcounted {
 public:
  using Message = kj::Own<capnp::IncomingRpcMessage>;
  using Capabilities = kj::Array<kj::Maybe<kj::Own<capnp::ClientHook>>>;
  using Descriptors = capnp::List<protocol::CapDescriptor>;

  /// Until disconnect() the stream must live.
  explicit DirectParty(MessageStream& stream) : stream_(&stream) {}
  KJ_DISALLOW_COPY(DirectParty);

  /// Null once disconnected.
  MessageStream* stream() const { return stream_; }
  /// Whoever waits for an answer is told, and what was given is let go.
  void disconnect();

  // --- What it asks
  class Asker {
   public:
    /// Returns: false, and has done nothing, if it needs the message itself.
    virtual bool glance(protocol::Return::Reader) { return false; }
    /// May take the message.
    virtual void returned(Message& message, protocol::Return::Reader answer) = 0;
    virtual void disconnected() = 0;

   protected:
    ~Asker() = default;
  };
  /// A number that nobody expects an answer to.
  DirectNumber new_question();
  /// Until it is forgotten the asker is told of every answer.
  void expect(DirectNumber question, Asker& asker) { askers_.emplace(question, &asker); }
  void forget(DirectNumber question) { askers_.erase(question); }
  /// As MessageStream::Filter has it.
  bool glance_return(protocol::Return::Reader answer);
  /// Returns: false if it is none of its questions.
  bool take_return(Message& message, protocol::Return::Reader answer);
  void finish(DirectNumber question, bool release);

  // --- What it gave
  /// Gives all of `table` to the peer, by the message that `payload` is in. Returns: their numbers.
  std::vector<DirectNumber> give(kj::ArrayPtr<kj::Maybe<kj::Own<capnp::ClientHook>>> table,
                                 protocol::Payload::Builder payload);
  kj::Maybe<capnp::ClientHook&> given(DirectNumber number);
  void take_back(const std::vector<DirectNumber>& numbers);
  /// Returns: false if it is none that was given here.
  bool take_release(protocol::Release::Reader release);

  // --- What it was given
  /// Can all of them be received here?
  static bool can_receive(Descriptors::Reader descriptors);
  Capabilities receive(Descriptors::Reader descriptors);
  void give_back(DirectNumber import);

  // --- Room on the way out
  class Waiter {
   public:
    virtual void room() = 0;
    kj::ListLink<Waiter> link;

   protected:
    ~Waiter() = default;
  };
  /// Does less wait to leave than the bound allows?
  bool has_room() const { return stream_ == nullptr || !stream_->over_bound(); }
  void wait_for_room(Waiter& waiter) { waiting_for_room_.add(waiter); }
  /// Also if it does not wait.
  void wait_no_more(Waiter& waiter);
  /// Tells one after the other, each as long as there is room for it.
  void made_progress();

 private:
  MessageStream* stream_;
  DirectNumber last_question_ = kFirstDirectNumber;
  DirectNumber last_export_ = kFirstDirectNumber;
  std::unordered_map<DirectNumber, Asker*> askers_;
  std::unordered_map<DirectNumber, kj::Own<capnp::ClientHook>> exports_;
  kj::List<Waiter, &Waiter::link> waiting_for_room_;
};

}  // namespace holdfast::net
