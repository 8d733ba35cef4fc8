#include "raft/outbox.h"

#include <utility>

namespace holdfast::raft {

void send_in_term(Replica& replica, MemberId to, Term term, Body body) {
  replica.output.send.push_back({replica.options.self, to, term, std::move(body)});
}

void send(Replica& replica, MemberId to, Body body) {
  send_in_term(replica, to, replica.hard_state.term, std::move(body));
}

void send_after_persist(Replica& replica, MemberId to, Body body) {
  replica.then_send.push_back({replica.options.self, to, replica.hard_state.term, std::move(body)});
}

namespace {

void hand_out_writes(Replica& replica) {
  const Index last = replica.log.last_index();
  const bool entries = replica.persistence.handed_out() < last;
  if (!replica.hard_state_changed && !entries && replica.then_send.empty()) return;
  Persist persist;
  if (replica.hard_state_changed) persist.hard_state = replica.hard_state;
  persist.entries = replica.log.slice(replica.persistence.handed_out().next(), last);
  persist.then_send = std::exchange(replica.then_send, {});
  persist.sequence = replica.persistence.begin(last, replica.hard_state_changed, replica.now);
  replica.hard_state_changed = false;
  replica.output.persist = std::move(persist);
}

void hand_out_committed(Replica& replica) {
  replica.output.committed = replica.log.slice(replica.handed_out.next(), replica.commit);
  replica.handed_out = replica.commit;
}

}  // namespace

Output finish(Replica& replica) {
  hand_out_writes(replica);
  hand_out_committed(replica);
  return std::exchange(replica.output, Output());
}

}  // namespace holdfast::raft
