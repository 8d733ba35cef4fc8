#include <algorithm>

#include "raft/quorum.h"
#include "tests/scenarios/describe.h"
#include "tests/scenarios/interpreter.h"

/// The commands about who takes part, with which disk, and about images.
namespace holdfast::raft::scenarios {

namespace {

void drop(std::vector<raft::Member>& members, MemberId id) {
  const auto is_it = [&](const raft::Member& member) { return member.id == id; };
  members.erase(std::remove_if(members.begin(), members.end(), is_it), members.end());
}

}  // namespace

bool Interpreter::run_membership(const std::string& verb, std::istringstream& words) {
  if (verb == "change") return change(words), true;
  if (verb == "wipe") return wipe(words), true;
  if (verb == "image") return send_image(words), true;
  if (verb == "installed") return finish_install(read_id(words), true), true;
  if (verb == "abandon") return finish_install(read_id(words), false), true;
  if (verb != "membership") return false;
  const MemberId only = read_id(words);
  for (const auto& [id, one] : members_)
    if (!only || id == only)
      say(describe(id) + " goes by " + std::to_string(one.core->membership_index().value()) + ": " +
          describe(one.core->membership()));
  return true;
}

/// change nX [add|promote|remove|demote nY]...: asks nX for all of it in one step.
void Interpreter::change(std::istringstream& words) {
  const MemberId leader = read_id(words);
  Membership target = members_.at(leader).core->membership();
  target.outgoing_voters.clear();
  for (std::string what; words >> what;) {
    const MemberId id = read_id(words);
    raft::Member member = member_named(id.value());
    member.data_id.clear();
    drop(target.voters, id);
    drop(target.learners, id);
    if (what == "add" || what == "demote") target.learners.push_back(member);
    if (what == "promote") target.voters.push_back(member);
  }
  step(leader, ChangeMembership{std::move(target)});
}

/// wipe nX: starts again with the same options and an empty directory.
void Interpreter::wipe(std::istringstream& words) {
  const MemberId id = read_id(words);
  Member& wiped = members_.at(id);
  wiped.disk = Restored();
  if (is_member(membership_, id)) wiped.disk.membership = membership_;
  wiped.options.data_id += "'";
  start(id);
}

void Interpreter::connect(MemberId a, MemberId b) {
  step(a, PeerConnected{b, members_.at(b).options.data_id});
  step(b, PeerConnected{a, members_.at(a).options.data_id});
}

/// image nX nY [INDEX]: nX sends an image of what it has committed, or up to there, in one piece.
void Interpreter::send_image(std::istringstream& words) {
  const MemberId from = read_id(words);
  const MemberId to = read_id(words);
  const Core& core = *members_.at(from).core;
  const Index index(read_number(words, core.status().commit.value()));
  const InstallSnapshot image{
      {index, *core.term_at(index), *core.membership_at(index)}, "digest", 1, 0, Blob("x")};
  send({from, to, core.status().term, image});
}

/// installed|abandon nX: the store has finished, or found the image damaged.
void Interpreter::finish_install(MemberId id, bool whole) {
  if (!whole) return step(id, InstallAbandoned{});
  Member& one = members_.at(id);
  const Snapshot snapshot = *one.core->installing();
  one.disk.entries.clear();
  one.disk.base_index = snapshot.index;
  one.disk.base_term = snapshot.term;
  one.disk.applied = snapshot.index;
  one.disk.membership = snapshot.membership;
  step(id, Installed{snapshot});
}

void Interpreter::tell_membership(MemberId id, const Output& output) {
  const std::string self = describe(id);
  if (output.membership_changed) say(self + " goes by " + describe(*output.membership_changed));
  for (const MemberId other : output.need_snapshot) say(self + ": " + describe(other) + " needs an image");
  for (const SnapshotChunk& chunk : output.snapshot_chunks) {
    say(self + " has the image of " + std::to_string(chunk.piece.snapshot.index.value()));
    step(id, BeginInstall{chunk.piece.snapshot});
  }
  if (output.may_install) say(self + " begins to install it");
}

}  // namespace holdfast::raft::scenarios
