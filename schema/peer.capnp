@0x8864fbb9052b590c;
# What members say to each other. One frame a message; the first frame each way is a Hello.
# Layout and versions: docs/formats/PEER.md.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("holdfast::schema");

struct PeerFrame {
  union {
    hello @0 :Hello;
    refusal @1 :Refusal;           # the accepting side's answer to a Hello it does not like; it then closes
    message @2 :RaftMessage;
    alive @3 :Void;                # a sign of life, either way: docs/formats/PEER.md
  }
}

struct Hello {
  protocolVersion @0 :UInt16;      # 1
  clusterId @1 :UInt64;
  memberId @2 :UInt64;             # of the sender
  expectedMemberId @3 :UInt64;     # whom the sender believes to talk to
  name @4 :Text;
  clientEndpoint @5 :Text;         # where clients reach the sender
  dataId @6 :Text;                 # the UUID of the sender's data directory: 32 hexadecimal digits
  membershipIndex @7 :UInt64;      # of the log entry that the sender's membership comes from
  peerAddress @8 :Text;            # where other members reach the sender
  featureLevel @9 :UInt16 = 1;     # the highest that the sender supports: docs/decisions/0022-feature-levels.md
}

struct Refusal {
  reason @0 :Reason;
  explanation @1 :Text;
  enum Reason { wrongCluster @0; unknownMember @1; wrongMember @2; protocolVersion @3; otherData @4; }
}

struct RaftMessage {
  from @0 :UInt64;
  to @1 :UInt64;
  term @2 :UInt64;
  union {
    requestVote @3 :RequestVote;
    voteReply @4 :VoteReply;
    appendEntries @5 :AppendEntries;
    appendReply @6 :AppendReply;
    timeoutNow @7 :Void;
    installSnapshot @8 :InstallSnapshot;
    installReply @9 :InstallReply;
  }
}
struct RequestVote {
  preVote @0 :Bool;
  transfer @1 :Bool;
  lastIndex @2 :UInt64;
  lastTerm @3 :UInt64;
  recordedDataId @4 :Text;         # what the sender's membership has as the receiver's; empty: nothing
}
struct VoteReply {
  preVote @0 :Bool;
  granted @1 :Bool;
  dataId @2 :Text;                 # of the sender, if it helps to found a cluster; else empty
}
struct AppendEntries {
  previousIndex @0 :UInt64;
  previousTerm @1 :UInt64;
  commit @2 :UInt64;
  round @3 :UInt64;
  heldByAll @4 :UInt64;
  entries @5 :List(LogEntry);      # at previousIndex + 1, + 2, ...
}
struct AppendReply {
  accepted @0 :Bool;
  index @1 :UInt64;
  hintIndex @2 :UInt64;
  hintTerm @3 :UInt64;
  round @4 :UInt64;
}
struct LogEntry {
  term @0 :UInt64;
  kind @1 :UInt8;                  # raft::EntryKind
  payload @2 :Data;
  membership @3 :Membership;       # set exactly in an entry of kind 2, which has no payload
}
struct InstallSnapshot {
  index @0 :UInt64;                # of the last entry that the image holds
  indexTerm @1 :UInt64;
  membership @2 :Membership;       # in force there
  digest @3 :Data;                 # of the whole image
  size @4 :UInt64;                 # of the whole image, in bytes
  offset @5 :UInt64;
  data @6 :Data;                   # from the offset on
}
struct InstallReply {
  index @0 :UInt64;
  nextOffset @1 :UInt64;           # the first byte that the sender lacks
  refused @2 :Bool;
}

# A Membership as the log and its database keep it. Durable: fields are only ever added.
struct Membership {
  voters @0 :List(Member);
  outgoingVoters @1 :List(Member);
  learners @2 :List(Member);
}
struct Member {
  id @0 :UInt64;
  name @1 :Text;
  peerAddress @2 :Text;
  dataId @3 :Text;                 # empty: not known yet
}
