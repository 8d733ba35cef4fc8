#include "net/direct_party.h"

#include <kj/debug.h>

#include <utility>

#include "net/direct_client.h"

namespace holdfast::net {
namespace {

/// In one message. A few bytes could stand for very many.
constexpr unsigned kMaxCapabilities = 16;

}  // namespace

void DirectParty::disconnect() {
  if (std::exchange(stream_, nullptr) == nullptr) return;
  // Letting go may ask, forget or give back in turn.
  auto exports = std::exchange(exports_, {});
  exports.clear();
  while (!askers_.empty()) {
    Asker& asker = *askers_.begin()->second;
    askers_.erase(askers_.begin());
    asker.disconnected();
  }
}

DirectNumber DirectParty::new_question() {
  do {
    last_question_ = next_number(last_question_);
  } while (askers_.count(last_question_) > 0);
  return last_question_;
}

bool DirectParty::take_return(Message& message, protocol::Return::Reader answer) {
  if (!is_direct(answer.getAnswerId())) return false;
  const auto found = askers_.find(answer.getAnswerId());
  if (found != askers_.end()) found->second->returned(message, answer);
  return true;
}

bool DirectParty::glance_return(protocol::Return::Reader answer) {
  if (!is_direct(answer.getAnswerId())) return false;
  const auto found = askers_.find(answer.getAnswerId());
  return found == askers_.end() || found->second->glance(answer);
}

void DirectParty::finish(DirectNumber question, bool release) {
  if (stream_ != nullptr) send_finish(*stream_, question, release);
}

std::vector<DirectNumber> DirectParty::give(kj::ArrayPtr<kj::Maybe<kj::Own<capnp::ClientHook>>> table,
                                            protocol::Payload::Builder payload) {
  std::vector<DirectNumber> numbers;
  if (table.size() == 0) return numbers;
  auto descriptors = payload.initCapTable(static_cast<unsigned>(table.size()));
  for (unsigned i = 0; i < table.size(); ++i) {
    KJ_IF_MAYBE (capability, table[i]) {
      do {
        last_export_ = next_number(last_export_);
      } while (exports_.count(last_export_) > 0);
      descriptors[i].setSenderHosted(last_export_);
      exports_.emplace(last_export_, (*capability)->addRef());
      numbers.push_back(last_export_);
    }
  }
  return numbers;
}

kj::Maybe<capnp::ClientHook&> DirectParty::given(DirectNumber number) {
  const auto found = exports_.find(number);
  if (found == exports_.end()) return nullptr;
  return *found->second;
}

void DirectParty::take_back(const std::vector<DirectNumber>& numbers) {
  for (const DirectNumber number : numbers) {
    const auto found = exports_.find(number);
    if (found == exports_.end()) continue;
    const auto last = kj::mv(found->second);  // goes when the table is at rest
    exports_.erase(found);
  }
}

bool DirectParty::take_release(protocol::Release::Reader release) {
  if (!is_direct(release.getId())) return false;
  // Each was given once, under a number of its own.
  if (release.getReferenceCount() > 0) take_back({release.getId()});
  return true;
}

bool DirectParty::can_receive(Descriptors::Reader descriptors) {
  if (descriptors.size() > kMaxCapabilities) return false;
  for (const auto descriptor : descriptors) {
    if (!descriptor.isSenderHosted() && !descriptor.isNone()) return false;
  }
  return true;
}

DirectParty::Capabilities DirectParty::receive(Descriptors::Reader descriptors) {
  KJ_REQUIRE(descriptors.size() <= kMaxCapabilities, "too many capabilities in a message");
  auto received = kj::heapArrayBuilder<kj::Maybe<kj::Own<capnp::ClientHook>>>(descriptors.size());
  for (const auto descriptor : descriptors) {
    switch (descriptor.which()) {
      case protocol::CapDescriptor::NONE:
        received.add(nullptr);
        break;
      case protocol::CapDescriptor::SENDER_HOSTED:
        received.add(kj::refcounted<DirectClient>(*this, DirectAim::at_import(descriptor.getSenderHosted())));
        break;
      case protocol::CapDescriptor::SENDER_PROMISE:
        // It may be called as it is; what it resolves to is the RPC system's to drop.
        received.add(
            kj::refcounted<DirectClient>(*this, DirectAim::at_import(descriptor.getSenderPromise())));
        break;
      default:
        received.add(capnp::newBrokenCap("a capability of a kind that is not received here"));
    }
  }
  return received.finish();
}

void DirectParty::give_back(DirectNumber import) {
  if (stream_ != nullptr) send_release(*stream_, import);
}

void DirectParty::wait_no_more(Waiter& waiter) {
  if (waiter.link.isLinked()) waiting_for_room_.remove(waiter);
}

void DirectParty::made_progress() {
  while (!waiting_for_room_.empty() && has_room()) {
    Waiter& first = waiting_for_room_.front();
    waiting_for_room_.remove(first);
    first.room();
  }
}

}  // namespace holdfast::net
