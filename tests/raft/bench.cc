#include "tests/raft/bench.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::raft::bench {

std::string data_id_of(std::uint64_t number) { return "data" + std::to_string(number); }

Member member(std::uint64_t number) {
  return {id(number), "n" + std::to_string(number), "127.0.0.1:" + std::to_string(7000 + number),
          data_id_of(number)};
}

Membership voters(std::uint64_t count, std::uint64_t learners) {
  Membership membership;
  for (std::uint64_t i = 1; i <= count; ++i) membership.voters.push_back(member(i));
  for (std::uint64_t i = count + 1; i <= count + learners; ++i) membership.learners.push_back(member(i));
  return membership;
}

Options options_for(std::uint64_t self) {
  Options options;
  options.self = id(self);
  options.data_id = data_id_of(self);
  options.election_timeout = kElectionTimeout;
  options.heartbeat_interval = kHeartbeat;
  options.seed = self;
  return options;
}

std::vector<Entry> entries_of(const std::vector<std::uint64_t>& terms, std::uint64_t first) {
  std::vector<Entry> entries;
  for (const std::uint64_t term : terms) {
    const Index index(first + entries.size());
    entries.push_back({Term(term), index, EntryKind::kCommand,
                       Blob("command " + std::to_string(term) + "." + std::to_string(index.value()))});
  }
  return entries;
}

std::vector<Blob> commands(const std::vector<std::string>& texts) {
  std::vector<Blob> blobs;
  for (const std::string& text : texts) blobs.emplace_back(text);
  return blobs;
}

Restored restored_with(std::uint64_t count, const std::vector<std::uint64_t>& log_terms, std::uint64_t term) {
  Restored restored;
  restored.membership = voters(count);
  restored.entries = entries_of(log_terms);
  const std::uint64_t last_term = log_terms.empty() ? 0 : log_terms.back();
  restored.hard_state.term = Term(std::max(term, last_term));
  return restored;
}

Single::Single(Restored restored, Options options)
    : self(options.self.value()),
      core(options, restored, now),
      stored(restored.entries),
      stored_state(restored.hard_state) {}

Output Single::step(Input input) {
  Output output = core.step(now, std::move(input));
  if (output.persist) writes.push_back(*output.persist);
  sent.insert(sent.end(), output.send.begin(), output.send.end());
  committed.insert(committed.end(), output.committed.begin(), output.committed.end());
  return output;
}

Output Single::receive(std::uint64_t from, std::uint64_t term, Body body) {
  return step(Receive{{id(from), id(self), Term(term), std::move(body)}});
}

std::vector<Message> Single::persist() {
  std::vector<Message> freed;
  while (!writes.empty()) {
    const Persist write = std::move(writes.front());
    writes.pop_front();
    if (write.hard_state) stored_state = *write.hard_state;
    if (!write.entries.empty()) {
      const Index first = write.entries.front().index;
      const auto cut = [&](const Entry& entry) { return entry.index >= first; };
      stored.erase(std::find_if(stored.begin(), stored.end(), cut), stored.end());
      stored.insert(stored.end(), write.entries.begin(), write.entries.end());
    }
    freed.insert(freed.end(), write.then_send.begin(), write.then_send.end());
    sent.insert(sent.end(), write.then_send.begin(), write.then_send.end());
    step(Persisted{write.sequence});
  }
  return freed;
}

Output Single::tick() {
  now = std::max(now, core.deadline());
  return step(Tick{});
}

void Single::become_leader() {
  tick();
  const auto answer = [&](bool pre_vote, std::uint64_t term) {
    for (const Member& voter : core.membership().voters)
      if (voter.id.value() != self) receive(voter.id.value(), term, VoteReply{pre_vote, true});
  };
  answer(true, core.status().term.value() + 1);
  persist();
  answer(false, core.status().term.value());
  persist();
  INVARIANT(core.status().role == Role::kLeader, "everybody voted for it");
}

Cluster::Cluster(std::uint64_t count, std::uint64_t learners) {
  Restored restored;
  restored.membership = voters(count, learners);
  for (std::uint64_t i = 1; i <= count + learners; ++i)
    members_.emplace(i, std::make_unique<Single>(restored, options_for(i)));
}

void Cluster::restart(std::uint64_t member, Restored restored) {
  const Instant now = members_.at(member)->now;
  restored.membership = members_.at(member)->core.membership();
  auto fresh = std::make_unique<Single>(restored, options_for(member));
  fresh->now = now;
  members_[member] = std::move(fresh);
}

bool Cluster::deliver_one_round() {
  std::vector<Message> under_way;
  bool any = false;
  for (auto& [number, single] : members_) {
    any |= !single->writes.empty();
    single->persist();
    under_way.insert(under_way.end(), single->sent.begin(), single->sent.end());
    single->sent.clear();
  }
  for (const Message& message : under_way) {
    if (cut_.count({message.from.value(), message.to.value()})) continue;
    const auto to = members_.find(message.to.value());
    if (to != members_.end()) to->second->step(Receive{message});
  }
  return any || !under_way.empty();
}

void Cluster::settle() {
  int rounds = 0;
  while (deliver_one_round()) INVARIANT(++rounds < 10'000, "the cluster never comes to rest");
}

void Cluster::campaign(std::uint64_t member) {
  const Instant then = members_.at(member)->core.deadline();
  for (auto& [number, single] : members_) single->now = std::max(single->now, then);
  members_.at(member)->step(Tick{});
  settle();
}

void Cluster::pass(Duration time) {
  constexpr milliseconds kStep{10};
  for (Duration passed(0); passed < time; passed += kStep) {
    for (auto& [number, single] : members_) {
      single->pass(kStep);
      if (single->core.deadline() <= single->now) single->step(Tick{});
    }
    settle();
  }
}

void Cluster::propose(std::uint64_t member, const std::string& text) {
  members_.at(member)->step(Propose{commands({text})});
}

void Cluster::cut(std::uint64_t a, std::uint64_t b) {
  cut_.insert({a, b});
  cut_.insert({b, a});
}

void Cluster::isolate(std::uint64_t member) {
  for (const auto& [number, single] : members_)
    if (number != member) cut(member, number);
}

std::optional<std::uint64_t> Cluster::leader() const {
  std::optional<std::uint64_t> found;
  Term highest;
  for (const auto& [number, single] : members_) {
    const Status status = single->core.status();
    if (status.role != Role::kLeader || status.term < highest) continue;
    highest = status.term;
    found = number;
  }
  return found;
}

}  // namespace holdfast::raft::bench
