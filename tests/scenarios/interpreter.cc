#include "tests/scenarios/interpreter.h"

#include <algorithm>

#include "tests/scenarios/describe.h"

namespace holdfast::raft::scenarios {

MemberId read_id(std::istringstream& words) {
  std::string word;
  words >> word;
  return MemberId(word.size() > 1 && word[0] == 'n' ? std::stoull(word.substr(1)) : 0);
}

std::uint64_t read_number(std::istringstream& words, std::uint64_t otherwise) {
  std::uint64_t number = otherwise;
  words >> number;
  return number;
}

raft::Member Interpreter::member_named(std::uint64_t number) {
  return {MemberId(number), "n" + std::to_string(number), "host:" + std::to_string(number),
          "data" + std::to_string(number)};
}

namespace {

void store(Restored& disk, const Persist& write) {
  if (write.hard_state) disk.hard_state = *write.hard_state;
  for (const Entry& entry : write.entries) {
    const std::size_t position = entry.index.value() - disk.base_index.value() - 1;
    disk.entries.resize(position);
    disk.entries.push_back(entry);
  }
}

}  // namespace

std::vector<std::string> Interpreter::run(const std::string& command) {
  lines_.clear();
  std::istringstream words(command);
  std::string verb;
  words >> verb;
  quiet_ = verb == "quietly";
  if (quiet_) words >> verb;
  if (!run_input(verb, words) && !run_world(verb, words) && !run_membership(verb, words))
    say("? no such command");
  return std::move(lines_);
}

bool Interpreter::run_input(const std::string& verb, std::istringstream& words) {
  if (verb == "propose") return propose(words), true;
  if (verb != "tick" && verb != "confirm" && verb != "transfer" && verb != "compact" && verb != "reset")
    return false;
  const MemberId id = read_id(words);
  if (!members_.count(id)) return false;
  if (verb == "tick") {
    now_ = std::max(now_, members_.at(id).core->deadline());
    step(id, Tick{});
  }
  if (verb == "confirm") step(id, ConfirmLeadership{read_number(words)});
  if (verb == "transfer") step(id, TransferLeadership{read_id(words)});
  if (verb == "compact") step(id, Compact{Index(read_number(words))});
  if (verb == "reset") step(id, PeerLost{read_id(words)});
  return true;
}

bool Interpreter::run_world(const std::string& verb, std::istringstream& words) {
  if (verb == "members") return create(words), true;
  if (verb == "restart") return restart(words), true;
  if (verb == "pass") return now_ += milliseconds(read_number(words)), true;
  if (verb == "persist") return persist(words), true;
  if (verb == "deliver" || verb == "drop") return carry(words, verb == "deliver"), true;
  if (verb == "settle") return settle(), true;
  if (verb == "isolate") return isolated_[read_id(words)] = true, true;
  if (verb == "run") return live(milliseconds(read_number(words))), true;
  if (verb == "deafen") return deaf_[read_id(words)] = true, true;
  if (verb == "heal") return isolated_.clear(), deaf_.clear(), true;
  if (verb == "status" || verb == "followers" || verb == "disk") return show(verb, words), true;
  return false;
}

/// members COUNT [learners COUNT] [joiners COUNT] [founding] [window COUNT] [bytes COUNT] [bytes-in-flight
/// COUNT] [uncommitted COUNT] [lag COUNT]
void Interpreter::create(std::istringstream& words) {
  const std::uint64_t count = read_number(words);
  std::uint64_t learners = 0;
  std::uint64_t joiners = 0;
  bool founding = false;
  Options options;
  for (std::string word; words >> word;) {
    if (word == "learners") learners = read_number(words);
    if (word == "joiners") joiners = read_number(words);
    if (word == "founding") founding = true;
    if (word == "bytes-in-flight") options.max_bytes_in_flight = read_number(words);
    if (word == "uncommitted") options.max_uncommitted_bytes = read_number(words);
    if (word == "lag") options.promotion_lag = read_number(words);
    if (word == "window") options.max_appends_in_flight = read_number(words);
    if (word == "bytes") options.max_append_bytes = read_number(words);
  }
  for (std::uint64_t i = 1; i <= count + learners; ++i)
    (i <= count ? membership_.voters : membership_.learners).push_back(member_named(i));
  if (founding)
    for (auto* side : {&membership_.voters, &membership_.learners})
      for (raft::Member& founder : *side) founder.data_id.clear();
  for (std::uint64_t i = 1; i <= count + learners + joiners; ++i) {
    Member& created = members_[MemberId(i)];
    created.options = options;
    created.options.self = MemberId(i);
    created.options.data_id = "data" + std::to_string(i);
    created.options.seed = i;
    if (i <= count + learners) created.disk.membership = membership_;
    start(MemberId(i));
  }
}

/// restart nX [term TERM] [log TERM...]: with what its disk has, or has now.
void Interpreter::restart(std::istringstream& words) {
  const MemberId id = read_id(words);
  Restored& disk = members_.at(id).disk;
  std::string word;
  words >> word;
  if (word == "term") {
    disk.hard_state = {Term(read_number(words)), MemberId()};
    words >> word;
  }
  if (word == "log") {
    disk.entries.clear();
    for (std::uint64_t term = 0; words >> term;) {
      const Index index(disk.entries.size() + 1);
      disk.entries.push_back({Term(term), index, EntryKind::kCommand, Blob("x")});
      disk.hard_state.term = std::max(disk.hard_state.term, Term(term));
    }
  }
  start(id);
}

void Interpreter::start(MemberId id) {
  Member& started = members_.at(id);
  started.writes.clear();
  started.core = std::make_unique<Core>(started.options, started.disk, now_);
  for (const auto& [other, one] : members_)
    if (other != id && one.core) connect(id, other);
}

void Interpreter::propose(std::istringstream& words) {
  const MemberId id = read_id(words);
  std::vector<Blob> commands;
  for (std::string word; words >> word;) commands.emplace_back(word);
  step(id, Propose{std::move(commands)});
}

/// persist nX|all [COUNT]: completes the oldest writes, all if no count is given.
void Interpreter::persist(std::istringstream& words) {
  std::string word;
  words >> word;
  const std::uint64_t count = read_number(words, 1000);
  for (auto& [id, one] : members_) {
    if (word != "all" && word != describe(id)) continue;
    for (std::uint64_t i = std::min<std::uint64_t>(count, one.writes.size()); i > 0; --i) complete_write(id);
  }
}

void Interpreter::complete_write(MemberId id) {
  Member& one = members_.at(id);
  const Persist write = std::move(one.writes.front());
  one.writes.pop_front();
  store(one.disk, write);
  detail(describe(id) + " has written #" + std::to_string(write.sequence));
  for (const Message& message : write.then_send) send(message);
  step(id, Persisted{write.sequence});
}

/// deliver|drop [from nX] [to nX] [COUNT]: of what is under way now, oldest first.
void Interpreter::carry(std::istringstream& words, bool delivering) {
  MemberId from;
  MemberId to;
  std::size_t count = network_.size();
  for (std::string word; words >> word;) {
    if (word == "from")
      from = read_id(words);
    else if (word == "to")
      to = read_id(words);
    else
      count = std::stoull(word);
  }
  std::deque<Message> staying;
  std::vector<Message> carried;
  for (Message& message : network_) {
    const bool meant = (!from || message.from == from) && (!to || message.to == to) && carried.size() < count;
    if (meant)
      carried.push_back(std::move(message));
    else
      staying.push_back(std::move(message));
  }
  network_ = std::move(staying);
  for (const Message& message : carried) {
    if (delivering)
      deliver(message);
    else
      detail("lost: " + describe(message));
  }
}

void Interpreter::settle() {
  for (int turns = 0; turns < 1000; ++turns) {
    const bool idle =
        network_.empty() && std::all_of(members_.begin(), members_.end(),
                                        [](const auto& entry) { return entry.second.writes.empty(); });
    if (idle) return;
    std::istringstream everybody("all");
    persist(everybody);
    std::istringstream everything;
    carry(everything, true);
  }
  say("? it never settles");
}

/// Time passes as it would: whoever is due ticks, and everything settles before time goes on.
void Interpreter::live(Duration time) {
  constexpr milliseconds kStep{10};
  for (Duration passed(0); passed < time; passed += kStep) {
    now_ += kStep;
    for (auto& [id, one] : members_)
      if (one.core->deadline() <= now_) step(id, Tick{});
    settle();
  }
}

void Interpreter::show(const std::string& what, std::istringstream& words) {
  const MemberId only = read_id(words);
  for (const auto& [id, one] : members_) {
    if (only && id != only) continue;
    if (what == "status") say(describe(id) + " " + describe(one.core->status()));
    if (what == "disk") {
      say(describe(id) + " disk: term " + std::to_string(one.disk.hard_state.term.value()) + ", voted for " +
          describe(one.disk.hard_state.voted_for) + ", " + describe(one.disk.entries));
    }
    if (what == "followers")
      for (const FollowerStatus& follower : one.core->followers())
        say(describe(id) + ": " + describe(follower));
  }
}

void Interpreter::send(const Message& message) {
  detail(describe(message));
  if (isolated_[message.from] || isolated_[message.to] || deaf_[message.to]) return;
  network_.push_back(message);
}

void Interpreter::deliver(const Message& message) {
  detail("* " + describe(message));
  step(message.to, Receive{message});
}

void Interpreter::step(MemberId id, Input input) {
  const Output output = members_.at(id).core->step(now_, std::move(input));
  tell(id, output);
  if (output.persist) members_.at(id).writes.push_back(*output.persist);
}

void Interpreter::tell(MemberId id, const Output& output) {
  const std::string self = describe(id);
  if (output.role_changed) {
    const RoleChanged& now = *output.role_changed;
    say(self + " is " + describe(now.role) + " in term " + std::to_string(now.term.value()) +
        (now.role == Role::kFollower ? " of " + describe(now.leader) : ""));
  }
  if (output.refused) say(self + " refuses: " + output.refused->message);
  if (output.accepted) {
    detail(self + " takes it at " + std::to_string(output.accepted->term.value()) + "/" +
           std::to_string(output.accepted->first.value()));
  }
  if (output.persist) {
    const Persist& write = *output.persist;
    std::string line = self + " writes #" + std::to_string(write.sequence);
    if (write.hard_state) {
      line += " term " + std::to_string(write.hard_state->term.value()) + ", vote for " +
              describe(write.hard_state->voted_for);
    }
    if (!write.entries.empty()) line += " " + describe(write.entries);
    if (!write.then_send.empty()) line += ", then sends " + std::to_string(write.then_send.size());
    detail(line);
  }
  for (const Message& message : output.send) send(message);
  tell_membership(id, output);
  if (!output.committed.empty()) say(self + " commits " + describe(output.committed));
  for (const Confirmed& answer : output.confirmed)
    say(self + " confirms question " + std::to_string(answer.id) + " at " +
        std::to_string(answer.read_index.value()));
  for (const std::uint64_t question : output.unconfirmed)
    say(self + " cannot confirm question " + std::to_string(question));
}

std::string play(const std::string& script) {
  Interpreter interpreter;
  std::istringstream lines(script);
  std::string played;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("  ", 0) == 0) continue;  // what was said the last time
    played += line + "\n";
    if (line.rfind("> ", 0) != 0) continue;
    for (const std::string& said : interpreter.run(line.substr(2))) played += said + "\n";
  }
  return played;
}

}  // namespace holdfast::raft::scenarios
