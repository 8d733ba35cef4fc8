#include "tests/raft/world.h"

#include <algorithm>

#include "raft/quorum.h"
#include "tests/raft/bench.h"

namespace holdfast::raft::bench {

World::World(std::uint64_t seed) : random_(seed) {
  founders_ = voters(random_.between(1, 5), random_.below(2));
  // Founders do not know each other's data at first.
  for (auto* side : {&founders_.voters, &founders_.learners})
    for (Member& founder : *side) founder.data_id.clear();
  const std::uint64_t founding = founders_.voters.size() + founders_.learners.size();
  for (std::uint64_t number = 1; number <= founding + 3; ++number) {
    Machine& machine = machines_[id(number)];
    machine.data_id = data_id_of(number);
    if (number <= founding) machine.disk_membership = founders_;  // the others may join one day
  }
  for (const auto& entry : machines_) start(entry.first);
}

void World::start(MemberId id) {
  Machine& machine = machines_.at(id);
  Restored restored;
  restored.hard_state = machine.disk_state;
  restored.membership = machine.disk_membership;
  restored.base_index = machine.disk_base;
  restored.base_term = machine.disk_base_term;
  restored.entries = machine.disk;
  // The image is somewhere between the compacted part and what it may hold.
  restored.applied = Index(random_.between(machine.disk_base.value(), machine.imageable.value()));
  machine.applied = restored.applied;
  Options options = options_for(id.value());
  options.data_id = machine.data_id;
  options.promotion_lag = random_.between(0, 20);
  options.max_bytes_in_flight = random_.between(1, 500);
  options.max_uncommitted_bytes = random_.between(1, 2000);
  options.seed = random_.next();
  options.commit_news_delay = milliseconds(options.seed % 3 * 20);
  options.max_append_bytes = random_.between(1, 300);
  options.max_appends_in_flight = random_.between(1, 4);
  machine.core = std::make_unique<Core>(options, std::move(restored), now_);
  for (const auto& [other, one] : machines_)
    if (other != id && one.core) connect(id, other);
}

void World::connect(MemberId a, MemberId b) {
  step(a, PeerLost{b});
  step(b, PeerLost{a});
  step(a, PeerConnected{b, machines_.at(b).data_id});
  step(b, PeerConnected{a, machines_.at(a).data_id});
}

void World::crash(MemberId id) {
  Machine& machine = machines_.at(id);
  // Some of what was handed out reached the disk, in order, though nobody was told.
  for (std::uint64_t reached = random_.below(machine.jobs.size() + 1); reached > 0; --reached) {
    store(machine, machine.jobs.front());
    machine.jobs.pop_front();
  }
  machine.jobs.clear();
  machine.asked.clear();
  start(id);
}

void World::store(Machine& machine, const Job& job) {
  if (job.install) {
    machine.disk.clear();
    machine.disk_base = job.install->index;
    machine.disk_base_term = job.install->term;
    machine.disk_membership = job.install->membership;
    machine.applied = job.install->index;
    machine.imageable = job.install->index;
    return;
  }
  const Persist& write = job.write;
  if (write.hard_state) machine.disk_state = *write.hard_state;
  if (write.entries.empty()) return;
  const auto cut = [&](const Entry& entry) { return entry.index >= write.entries.front().index; };
  machine.disk.erase(std::find_if(machine.disk.begin(), machine.disk.end(), cut), machine.disk.end());
  machine.disk.insert(machine.disk.end(), write.entries.begin(), write.entries.end());
}

void World::complete_write(MemberId id) {
  Machine& machine = machines_.at(id);
  if (machine.jobs.empty()) return;
  const Job job = std::move(machine.jobs.front());
  machine.jobs.pop_front();
  // A damaged image is found out before anything of it is taken over.
  if (job.install && hostile_ && random_.chance(10)) return step(id, InstallAbandoned{});
  store(machine, job);
  if (job.install) return step(id, Installed{*job.install});
  for (const Message& message : job.write.then_send) send(id, message);
  step(id, Persisted{job.write.sequence});
}

void World::step(MemberId id, Input input) {
  const Status before = machines_.at(id).core->status();
  const Index membership_before = machines_.at(id).core->membership_index();
  take(id, machines_.at(id).core->step(now_, std::move(input)));
  check_counted(id, before, membership_before);
}

void World::take(MemberId id, Output output) {
  Machine& machine = machines_.at(id);
  if (output.persist) machine.jobs.push_back({std::move(*output.persist), std::nullopt});
  if (output.may_install) machine.jobs.push_back({Persist(), *machine.core->installing()});
  for (const Message& message : output.send) send(id, message);
  for (const Entry& entry : output.committed) check_committed(machine, entry);
  machine.imageable = std::max(machine.imageable, std::min(machine.applied, machine.core->status().durable));
  for (const Confirmed& answer : output.confirmed) check_read(machine, answer);
  for (const std::uint64_t question : output.unconfirmed) machine.asked.erase(question);
  if (output.role_changed && output.role_changed->role == Role::kLeader) check_leader(id, *machine.core);
  for (const MemberId other : output.need_snapshot) send_image(id, other);
  for (const SnapshotChunk& chunk : output.snapshot_chunks) take_image(id, chunk);
}

void World::send(MemberId from, const Message& message) {
  check_promise(machines_.at(from), message);
  if (side_[message.from] != side_[message.to]) return;
  (hostile_ && random_.chance(10) ? late_ : network_).push_back(message);
}

void World::deliver(std::size_t which) {
  const Message message = network_[which];
  const bool again = hostile_ && random_.chance(10);
  const bool lost = hostile_ && random_.chance(15);
  if (!again) network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(which));
  if (lost) return;
  const Index match_before = match_of(message.to, message.from);
  step(message.to, Receive{message});
  check_acknowledged(message, match_before);
}

void World::tick_those_due() {
  for (auto& [id, machine] : machines_)
    if (machine.core->deadline() <= now_) step(id, Tick{});
}

void World::ask(MemberId id) {
  Machine& machine = machines_.at(id);
  const std::uint64_t question = machine.next_question++;
  machine.asked[question] = Index(committed_.size());
  step(id, ConfirmLeadership{question});
}

void World::compact(MemberId id) {
  Machine& machine = machines_.at(id);
  const Index newest = std::min(machine.applied, machine.imageable);
  if (newest <= machine.disk_base || machine.core->installing()) return;
  const Index through(random_.between(machine.disk_base.value() + 1, newest.value()));
  const std::size_t gone = through.value() - machine.disk_base.value();
  machine.disk_membership = *machine.core->membership_at(through);
  machine.disk_base_term = machine.disk[gone - 1].term;
  machine.disk_base = through;
  machine.disk.erase(machine.disk.begin(), machine.disk.begin() + static_cast<std::ptrdiff_t>(gone));
  step(id, Compact{through});
}

/// Half of the time everybody is together again. What is under way already still arrives.
void World::partition() {
  const bool apart = random_.chance(50);
  for (const auto& entry : machines_) side_[entry.first] = apart ? random_.below(2) : 0;
}

void World::disturb() {
  const MemberId id(random_.between(1, machines_.size()));
  const MemberId other(random_.between(1, machines_.size()));
  switch (random_.below(13)) {
    case 10:
      return change_membership();
    case 11:
      return send_images();
    case 12:
      if (random_.chance(5)) wipe(id);
      break;
    case 0:
      if (random_.chance(40)) crash(id);
      break;
    case 1:
      if (random_.chance(20)) step(id, TransferLeadership{random_.chance(50) ? other : MemberId()});
      break;
    case 2:
      if (id != other) connect(id, other);
      break;
    case 3:
      compact(id);
      break;
    case 4:
      if (random_.chance(5)) now_ += milliseconds(random_.below(3000));
      break;
    case 6:
      if (!late_.empty()) network_.push_back(late_[random_.below(late_.size())]);
      if (late_.size() > 100) late_.erase(late_.begin(), late_.begin() + 50);
      break;
    case 5:
      if (random_.chance(20)) partition();
      break;
    default:
      ask(id);
  }
}

void World::step() {
  now_ += Duration(static_cast<Duration::rep>(random_.below(hostile_ ? 12'000 : 2'000)));
  tick_those_due();
  const MemberId id(random_.between(1, machines_.size()));
  const std::uint64_t what = random_.below(20);
  if (what < 10 && !network_.empty()) return deliver(random_.below(network_.size()));
  if (what < 16) return complete_write(id);
  if (what < 18) {
    std::vector<Blob> some;
    for (std::uint64_t count = random_.between(1, 3); count > 0; --count) some.push_back(Blob("write"));
    return step(id, Propose{std::move(some)});
  }
  if (hostile_) disturb();
  if (network_.size() > 200) network_.erase(network_.begin(), network_.begin() + 100);
}

bool World::agreed() const {
  const auto newest = leaders_.rbegin();
  if (newest == leaders_.rend()) return false;
  const Status leader = machines_.at(newest->second).core->status();
  if (leader.role != Role::kLeader || !leader.own_term_committed) return false;
  const Core& core = *machines_.at(newest->second).core;
  if (core.membership().is_joint() || core.membership_index() > leader.commit) return false;
  return std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
    if (entry.second.wiped || !is_member(core.membership(), entry.first)) return true;
    const Status status = entry.second.core->status();
    return status.term == leader.term && status.leader == newest->second && status.commit == leader.last &&
           status.last == leader.last && status.durable == leader.last;
  });
}

bool World::heals_within(Duration time) {
  hostile_ = false;
  side_.clear();
  const Instant until = now_ + time;
  while (now_ < until && broken_.empty()) {
    now_ += milliseconds(1);
    tick_those_due();
    for (const auto& entry : machines_) complete_write(entry.first);
    if (random_.chance(1)) send_images();
    for (std::size_t count = network_.size(); count > 0; --count) deliver(0);
    if (agreed()) return true;
  }
  return false;
}

void World::check_promise(const Machine& machine, const Message& message) {
  const HardState& durable = machine.disk_state;
  if (const auto* reply = std::get_if<VoteReply>(&message.body);
      reply && reply->granted && !reply->pre_vote) {
    if (durable != HardState{message.term, message.to} && durable.term <= message.term)
      fail("a vote left before it was durable");
    const auto [vote, first] = votes_.insert({{machine.data_id, message.term}, message.to});
    if (!first && vote->second != message.to) fail("a member voted twice in a term");
    check_help(machine, message);
  }
  if (const auto* request = std::get_if<RequestVote>(&message.body); request && !request->pre_vote) {
    const auto [vote, first] = votes_.insert({{machine.data_id, message.term}, message.from});
    if (!first && vote->second != message.from) fail("a candidate had voted for another");
    if (durable.term < message.term) fail("a candidate's term left before it was durable");
    requests_[{message.from, message.to, message.term}] = {request->recorded_data_id, request->last_index};
  }
  if (const auto* reply = std::get_if<AppendReply>(&message.body); reply && reply->accepted) {
    if (reply->index > machine.disk_base + machine.disk.size())
      fail("what was acknowledged is not on the disk");
    if (durable.term < message.term) fail("an acknowledgement left before its term was durable");
  }
}

void World::check_committed(Machine& machine, const Entry& entry) {
  if (entry.index != machine.applied.next()) fail("committed entries came out of order");
  machine.applied = entry.index;
  const std::size_t position = entry.index.value() - 1;
  if (position < committed_.size()) {
    if (committed_[position] != entry) fail("two members committed different entries at one index");
  } else if (position == committed_.size()) {
    committed_.push_back(entry);
  } else {
    fail("an entry was committed before the one in front of it");
  }
}

void World::check_leader(MemberId id, const Core& core) {
  const auto [leader, first] = leaders_.insert({core.status().term, id});
  if (!first && leader->second != id) fail("two leaders in one term");
  check_elected(id, core);
  for (const Entry& entry : committed_) {
    const auto term = core.term_at(entry.index);
    if (entry.index > core.status().last || (term && *term != entry.term))
      return fail("a leader lacks what was committed");
  }
}

void World::check_read(Machine& machine, const Confirmed& answer) {
  const auto question = machine.asked.find(answer.id);
  if (question == machine.asked.end()) return fail("an answer without a question");
  if (answer.read_index < question->second) fail("a read would miss what was committed before it");
  machine.asked.erase(question);
  ++answered_reads_;
}

}  // namespace holdfast::raft::bench
