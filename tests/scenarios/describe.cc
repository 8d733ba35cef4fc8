#include "tests/scenarios/describe.h"

namespace holdfast::raft::scenarios {

namespace {

std::string place(Term term, Index index) {
  return std::to_string(term.value()) + "/" + std::to_string(index.value());
}

std::string body_of(const RequestVote& request) {
  return std::string(request.pre_vote ? "asks for a pre-vote" : "asks for a vote") +
         (request.transfer ? ", sent by the leader" : "") + ", log ends at " +
         place(request.last_term, request.last_index);
}

std::string body_of(const VoteReply& reply) {
  return std::string(reply.granted ? "grants " : "refuses ") + (reply.pre_vote ? "the pre-vote" : "the vote");
}

std::string body_of(const AppendEntries& append) {
  std::string text = append.entries.empty() ? "heartbeat" : "append " + describe(append.entries);
  text += " after " + place(append.previous_term, append.previous_index) + ", commit " +
          std::to_string(append.commit.value());
  if (append.round) text += ", round " + std::to_string(append.round);
  return text;
}

std::string body_of(const AppendReply& reply) {
  std::string text = (reply.accepted ? "has up to " : "refuses after ") + std::to_string(reply.index.value());
  if (!reply.accepted) text += ", hint " + place(reply.hint_term, reply.hint_index);
  if (reply.round) text += ", round " + std::to_string(reply.round);
  return text;
}

std::string body_of(const TimeoutNow&) { return "campaign now"; }

std::string body_of(const InstallSnapshot& install) {
  return "image of " + place(install.snapshot.term, install.snapshot.index) + " from byte " +
         std::to_string(install.offset);
}

std::string body_of(const InstallReply& reply) {
  return (reply.refused ? "refuses the image of " : "has of the image of ") +
         std::to_string(reply.index.value()) + " " + std::to_string(reply.next_offset) + " bytes";
}

}  // namespace

std::string describe(MemberId id) { return id ? "n" + std::to_string(id.value()) : "nobody"; }

std::string describe(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "?";
}

std::string describe(const Membership& membership) {
  const auto list = [](const std::vector<Member>& members) {
    std::string text;
    for (const Member& member : members)
      text += " " + describe(member.id) + (member.data_id.empty() ? "?" : "");
    return text;
  };
  std::string text = "voters" + list(membership.voters);
  if (membership.is_joint()) text += ", before" + list(membership.outgoing_voters);
  if (!membership.learners.empty()) text += ", learners" + list(membership.learners);
  return text;
}

std::string describe(const Entry& entry) {
  if (entry.membership) return place(entry.term, entry.index) + " " + describe(*entry.membership);
  const std::string what = entry.kind == EntryKind::kNoop ? "no-op" : std::string(entry.payload.view());
  return place(entry.term, entry.index) + " " + what;
}

std::string describe(const std::vector<Entry>& entries) {
  std::string text = "[";
  for (const Entry& entry : entries) text += (text.size() > 1 ? ", " : "") + describe(entry);
  return text + "]";
}

std::string describe(const Message& message) {
  return describe(message.from) + " -> " + describe(message.to) + " term " +
         std::to_string(message.term.value()) + ": " +
         std::visit([](const auto& body) { return body_of(body); }, message.body);
}

std::string describe(const FollowerStatus& follower) {
  const char* pace = follower.pace == Pace::kProbe       ? "probe"
                     : follower.pace == Pace::kReplicate ? "replicate"
                                                         : "needs a snapshot";
  return describe(follower.id) + " " + pace + ", match " + std::to_string(follower.match.value()) +
         ", next " + std::to_string(follower.next.value()) + ", in flight " +
         std::to_string(follower.in_flight);
}

std::string describe(const Status& status) {
  std::string text = describe(status.role) + " in term " + std::to_string(status.term.value());
  if (status.role == Role::kFollower) text += " of " + describe(status.leader);
  text += ", log to " + std::to_string(status.last.value()) + ", durable " +
          std::to_string(status.durable.value()) + ", commit " + std::to_string(status.commit.value());
  if (status.transferring) text += ", handing over";
  return text;
}

}  // namespace holdfast::raft::scenarios
