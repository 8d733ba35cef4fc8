#include "tests/sim/member.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "node/lifetime.h"

namespace holdfast::sim {

/// The ports of one incarnation; everything that is under way dies with it.
class Member::Process final : public node::Loop,
                              public node::LogStore,
                              public node::ImageStore,
                              public node::SnapshotStore,
                              public node::Transport {
 public:
  Process(Member& member, Found found)
      : links(member.lax_links_),
        member_(member),
        node_(options_of(member), {*this, *this, *this, *this, *this, logging_}, std::move(found.restored),
              std::move(found.machine)) {}

  node::Node& node() { return node_; }
  bool paused = false;
  bool space_low = false;
  Links links;

  void run(Callback<void()> what) {
    if (paused) {
      waiting_.push_back(std::move(what));
      return;
    }
    what();
    member_.observer_.after_step(member_);
  }
  /// What comes from outside waits in a socket of its own.
  void come(Callback<void()> what) {
    if (!paused) return run(std::move(what));
    sockets_.push_back(std::move(what));
  }
  void resume() {
    paused = false;
    // What a loop looks at first when it wakes is chance: its timers, or what has come.
    if (std::exchange(alarm_missed_, false)) {
      Duration late = member_.random_.chance(50) ? Duration(0) : milliseconds(2);
      member_.schedule_.after(late, guarded([this] { node_.on_alarm(); }));
    }
    for (auto& what : std::exchange(waiting_, {})) {
      member_.schedule_.after(Duration(0), guarded(std::move(what)));
    }
    // And which socket it reads first: what came last may be heard before what came first.
    const bool in_order = member_.random_.chance(50);
    for (std::size_t left = sockets_.size(); left > 0; --left) {
      std::size_t next = in_order ? sockets_.size() - left : member_.random_.below(left);
      if (!in_order) std::swap(sockets_[next], sockets_[left - 1]);
      member_.schedule_.after(Duration(0), guarded(std::move(sockets_[in_order ? next : left - 1])));
    }
    sockets_.clear();
  }

  // node::Loop
  Instant now() const override { return member_.clock_.now(); }
  void post(Callback<void()> task) override {
    member_.schedule_.after(Duration(0), guarded(std::move(task)));
  }
  void set_alarm(Instant when) override {
    alarm_ = when;
    member_.schedule_.at(member_.clock_.when(when), lifetime_.guard([this, when] {
      if (alarm_ != when) return;  // another one replaced it
      alarm_ = kNever;
      alarm_missed_ = paused;
      if (!paused) run([this] { node_.on_alarm(); });
    }));
  }

  // node::LogStore
  void write(std::optional<raft::HardState> hard_state, std::vector<raft::Entry> entries,
             Callback<void()> durable) override {
    member_.observer_.before_write(member_, hard_state, entries);
    member_.disk_->write_log(hard_state, std::move(entries), guarded(std::move(durable)));
  }
  void compact(Index through, Term term, const raft::Membership& at_base) override {
    member_.verdict_.count(Figure::kCompacted);
    member_.disk_->compact_log(through, term, at_base);
  }

  // node::ImageStore
  void write(std::vector<RowChange> rows, std::vector<node::HistoryPack> history) override {
    member_.disk_->write_image(std::move(rows), std::move(history));
  }
  void commit(Index applied, Callback<void()> durable) override {
    member_.disk_->commit_image(applied, guarded(std::move(durable)));
  }
  void read_history(Revision from, std::size_t most_bytes,
                    Callback<void(std::vector<node::HistoryRow>)> result) override {
    member_.disk_->read_history(
        from, most_bytes, [this, done = std::move(result)](std::vector<node::HistoryRow> rows) mutable {
          run([rows = std::move(rows), done = std::move(done)]() mutable { done(std::move(rows)); });
        });
  }

  // node::SnapshotStore
  void make(Callback<void(Result<node::SnapshotFile>)> done) override {
    member_.disk_->make_snapshot(in_process(std::move(done)));
  }
  void read(Index index, std::uint64_t offset, std::size_t most_bytes,
            Callback<void(Result<Blob>)> done) override {
    member_.disk_->read_snapshot(index, offset, most_bytes, in_process(std::move(done)));
  }
  void release(Index index) override { member_.disk_->release_snapshot(index); }
  void begin(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) override {
    member_.disk_->begin_file(std::move(file), in_process(std::move(next_offset)));
  }
  void write(std::uint64_t offset, Blob bytes, Callback<void(Result<std::uint64_t>)> next_offset) override {
    member_.disk_->write_file(offset, std::move(bytes), in_process(std::move(next_offset)));
  }
  void install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
               Callback<void(Result<void>)> done) override {
    member_.disk_->install(
        std::move(at), std::move(into),
        in_process<Result<void>>([this, done = std::move(done)](Result<void> result) mutable {
          if (result) member_.verdict_.count(Figure::kImage);
          done(std::move(result));
        }));
  }

  // node::Transport
  void send(raft::Message message) override {
    member_.observer_.before_send(member_, message);
    member_.network_.send(member_.greeting(), std::move(message));
  }
  void set_members(const raft::Membership& membership, Index index) override {
    links.set_members(membership, index);
  }

 private:
  static node::Options options_of(Member& member) {
    node::Options options = member.options_;
    options.raft.seed = member.random_.next();
    return options;
  }
  /// A completion, run in the process as soon as it can.
  template <typename Value>
  Callback<void(Value)> in_process(Callback<void(Value)> done) {
    return lifetime_.guard([this, done = std::move(done)](Value value) mutable {
      run([value = std::move(value), done = std::move(done)]() mutable { done(std::move(value)); });
    });
  }
  Callback<void()> guarded(Callback<void()> what) {
    return lifetime_.guard([this, what = std::move(what)]() mutable { run(std::move(what)); });
  }

  Member& member_;
  NullLogSink logging_;
  Instant alarm_ = kNever;
  bool alarm_missed_ = false;             // it came while the process stood still
  std::deque<Callback<void()>> waiting_;  // while it stands still: its own completions
  std::deque<Callback<void()>> sockets_;  // and what has come for it
  node::Lifetime lifetime_;
  node::Node node_;
};

Member::Member(std::uint64_t number, Schedule& schedule, Clock clock, Network& network, Verdict& verdict,
               Random random, node::Options options, std::optional<raft::Membership> founders,
               DiskOptions disk, bool lax_links, Observer observer)
    : number_(number),
      schedule_(schedule),
      clock_(clock),
      network_(network),
      verdict_(verdict),
      random_(random),
      options_(std::move(options)),
      founders_(std::move(founders)),
      identity_(founders_),
      lax_links_(lax_links),
      disk_(make_disk(schedule, random_.fork(), disk)),
      observer_(std::move(observer)) {
  options_.raft.data_id = data_id_of(id(), disk_number_);
}

Member::~Member() = default;

node::Node* Member::node() const { return process_ ? &process_->node() : nullptr; }
bool Member::paused() const { return process_ && process_->paused; }
bool Member::space_low() const { return process_ && process_->space_low; }

const raft::Membership& Member::logged_membership() const {
  static const raft::Membership kNobody;
  const StoredLog& log = disk_->issued();
  for (auto entry = log.entries.rbegin(); entry != log.entries.rend(); ++entry) {
    if (entry->membership) return *entry->membership;
  }
  if (log.base) return log.base_membership;
  return identity_ ? *identity_ : kNobody;
}

std::string Member::describe() const {
  if (!process_) return name() + " is down";
  raft::Status status = process_->node().status();
  const char* role = status.role == raft::Role::kLeader     ? " leads"
                     : status.role == raft::Role::kFollower ? " follows"
                                                            : " campaigns";
  return name() + role + " in term " + std::to_string(status.term.value()) + ", commit " +
         std::to_string(status.commit.value()) + (paused() ? ", paused" : "");
}

void Member::start() {
  if (process_ || !identity_ || ended_) return;
  verdict_.trace("start", name());
  if (refused_) return;
  Result<Found> found = disk_->open(*identity_, disk_events());
  if (!found) return cannot_start(found.error());
  ++incarnation_;
  process_ = std::make_unique<Process>(*this, *std::move(found));
  run([this] { process_->node().start(); });
}

DiskEvents Member::disk_events() {
  DiskEvents events;
  events.failed = [this](const std::string& why) {
    verdict_.trace("disk failed", name() + ": " + why);
    disk_failed();
  };
  events.space_changed = [this](const node::Space& space) {
    verdict_.trace(space.low ? "space low" : "space back", name());
    if (!process_) return;
    process_->run([this, space] {
      process_->space_low = space.low;
      process_->node().space_changed(space);
    });
  };
  events.lost = [this](const std::string& what) {
    verdict_.fail(Invariant::kDurability, name() + ": " + what);
  };
  return events;
}

/// As the server does: it says why, and ends. Whoever looks after it starts it again.
void Member::disk_failed() {
  if (!process_) return;
  const bool harmed = disk_->harmed();
  crash();
  if (disk_->damaged()) {
    refused_ = true;
  } else if (harmed) {
    start_again();
  } else {
    verdict_.fail(Invariant::kDurability, name() + ": gave up a disk that does nothing wrong");
  }
}

void Member::cannot_start(const Error& error) {
  verdict_.trace("cannot start", name() + ": " + error.message);
  if (disk_->damaged()) {
    refused_ = true;
  } else if (disk_->harmed() && error.code == Errc::kStorage) {
    disk_->crash();
    start_again();
  } else {
    verdict_.fail(Invariant::kDurability, name() + ": " + error.message);
  }
}

void Member::start_again() {
  schedule_.after(milliseconds(random_.between(50, 1000)), [this] { start(); });
}

void Member::crash() {
  if (!process_) return;
  verdict_.trace("crash", name());
  process_.reset();
  disk_->crash();
}

void Member::flip_bit() {
  if (disk_->flip_bit()) verdict_.trace("bit flipped", name());
}

void Member::stop() {
  if (!process_ || process_->paused) return;
  verdict_.trace("stop", name());
  run([this] {
    process_->node().stop([this, incarnation = incarnation_] {
      // Not from within its own call.
      schedule_.after(Duration(0), [this, incarnation] {
        if (incarnation != incarnation_ || !process_) return;
        verdict_.trace("stopped", name());
        process_.reset();
        disk_->close();
      });
    });
  });
}

void Member::wipe() {
  crash();
  verdict_.trace("wipe", name());
  lost_[data_id()] = disk_->durable();
  disk_->wipe();
  options_.raft.data_id = data_id_of(id(), ++disk_number_);
  identity_.reset();
  ended_ = refused_ = false;
}

void Member::join(raft::Membership cluster) {
  verdict_.trace("join", name());
  identity_ = std::move(cluster);
  start();
}

const StoredLog* Member::promised(const std::string& data_id) const {
  if (data_id == this->data_id()) return &disk_->durable();
  auto lost = lost_.find(data_id);
  return lost == lost_.end() ? nullptr : &lost->second;
}

Greeting Member::greeting() const {
  return {id(), disk_number_, process_ ? process_->links.membership_index() : Index()};
}

void Member::hear(const Greeting& from, raft::Message message) {
  Links::Arrival arrival = process_->links.hear(from);
  if (arrival == Links::Arrival::kOutdated) return;
  if (arrival == Links::Arrival::kNew) connected(from);
  if (arrival == Links::Arrival::kRefused) return refuse(from.member);
  process_->node().receive(std::move(message));
}

void Member::meet(const Greeting& other) {
  if (process_->links.hear(other) == Links::Arrival::kRefused) return refuse(other.member);
  connected(other);
}

void Member::connected(const Greeting& other) {
  process_->node().peer_lost(other.member);
  process_->node().peer_connected(other.member, "client-n" + std::to_string(other.member.value()),
                                  data_id_of(other.member, other.disk));
}

void Member::refuse(MemberId other) {
  if (process_->links.connected(other)) lose(other);
  verdict_.trace("refuse", name(), other.value());
  observer_.refused(*this, other);
}

void Member::lose(MemberId other) {
  process_->links.lose(other);
  process_->node().peer_lost(other);
}

bool Member::talks_to(const Greeting& other) const { return process_->links.talks_to(other); }

void Member::refused_by(MemberId other) {
  if (!process_->links.refused_by(other, process_->node().membership())) return;
  verdict_.trace("ended", name());
  verdict_.count(Figure::kEnded);
  ended_ = true;
  // Not from within its own call.
  schedule_.after(Duration(0), [this, incarnation = incarnation_] {
    if (ended_ && incarnation == incarnation_) crash();
  });
}

void Member::pause() {
  if (process_) process_->paused = true;
}

void Member::resume() {
  if (process_ && process_->paused) process_->resume();
}

void Member::run(Callback<void()> what) {
  if (process_) process_->come(std::move(what));
}

void Member::run_if(std::uint64_t incarnation, Callback<void()> what) {
  if (incarnation == incarnation_) run(std::move(what));
}

}  // namespace holdfast::sim
