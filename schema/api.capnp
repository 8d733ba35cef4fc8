@0x9cf1540f4aea2860;
# The client's API. Any node answers any call: one that is the leader's to answer is passed on, once.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("holdfast::schema");

# The numbers are those of base/result.h.
struct Error {
  code @0 :UInt16;
  message @1 :Text;
  revision @2 :UInt64;
}

struct Outcome(T) {
  union {
    ok @0 :T;
    error @1 :Error;
  }
}

# Goes with every call.
struct Call {
  timeoutMs @0 :UInt32;            # how long the caller waits: for a leader, a quorum, an answer
  # Exactly-once, for writes: see docs/GLOSSARY.md, session. session 0: none.
  session @1 :UInt64;
  sequence @2 :UInt64;
  acknowledgedBelow @3 :UInt64;
}

struct Done { revision @0 :UInt64; }

# The bootstrap capability.
interface Holdfast {
  leases @0 () -> (leases :Leases);
  config @1 () -> (config :Config);
  registry @2 () -> (registry :Registry);
  locks @3 () -> (locks :Locks);
  cluster @4 () -> (cluster :Cluster);
  # The same services, answered by this node alone: never passed on, refused with not_leader instead. For members.
  here @5 () -> (holdfast :Holdfast);
}

# ---------------------------------------------------------------------------------------------------------------

interface Leases {
  grant @0 (call :Call, ttlMs :UInt64) -> (outcome :Outcome(Granted));
  keepAlive @1 (call :Call, leases :List(UInt64)) -> (outcome :Outcome(KeptAlive));
  revoke @2 (call :Call, lease :UInt64) -> (outcome :Outcome(Done));
  show @3 (call :Call, lease :UInt64) -> (outcome :Outcome(Lease));
  list @4 (call :Call) -> (outcome :Outcome(LeaseList));

  struct Granted { lease @0 :UInt64; ttlMs @1 :UInt64; }
  # One for each lease asked for, in that order; ttlMs 0: the lease has ended or never was.
  struct KeptAlive { ttlMs @0 :List(UInt64); }
  struct Lease { lease @0 :UInt64; ttlMs @1 :UInt64; remainingMs @2 :UInt64; attached @3 :List(Text); }
  struct LeaseList { leases @0 :List(Lease); }
}

# ---------------------------------------------------------------------------------------------------------------

interface Config {
  put @0 (call :Call, put :Put) -> (outcome :Outcome(Done));
  get @1 (call :Call, get :Get) -> (outcome :Outcome(Range));
  delete @2 (call :Call, delete :Delete) -> (outcome :Outcome(Deleted));
  # Events of the range in order, each once, beginning at startRevision (0: from now on). They come as calls to
  # watcher; the watch ends when the returned capability is dropped.
  watch @3 (call :Call, range :Range0, startRevision :UInt64, watcher :Watcher) -> (outcome :Outcome(Watching));

  struct Range0 { begin @0 :Data; end @1 :Data; }      # [begin, end); empty end: to the last key
  struct Put {
    key @0 :Data; value @1 :Data; lease @2 :UInt64;
    conditional @3 :Bool; expected @4 :UInt64;          # mod_revision; 0: must not exist
  }
  struct Get {
    range @0 :Range0;
    limit @1 :UInt64;                                   # 0: none
    keysOnly @2 :Bool;
    countOnly @3 :Bool;
    serializable @4 :Bool;                              # from this node's state as it is
    revision @5 :UInt64;                                # of the first page of a paged read; 0: the newest
  }
  struct Range {
    revision @0 :UInt64;                                # at which the range was read
    count @1 :UInt64;                                   # keys in the range, whatever the limit
    more @2 :Bool;                                      # there are further keys: ask again from behind the last
    entries @3 :List(KeyValue);
  }
  struct KeyValue {
    key @0 :Data; value @1 :Data;
    createRevision @2 :UInt64; modRevision @3 :UInt64; version @4 :UInt64; lease @5 :UInt64;
  }
  struct Delete {
    range @0 :Range0; conditional @1 :Bool; expected @2 :UInt64;
    partial @3 :Bool;                                   # delete the first keys of a range that is too large for one command
  }
  struct Deleted {
    revision @0 :UInt64; deleted @1 :UInt64;
    more @2 :Bool;                                      # partial, and there are further keys: ask again
  }
  struct Watching { handle @0 :Handle; startRevision @1 :UInt64; }

  interface Watcher {
    # The next call is made when this one has returned: a slow watcher slows only itself.
    changes @0 (changes :List(Change), nextRevision :UInt64) -> ();
    # The watch is over; error.revision is where to resume or, if compacted, the lowest revision there is.
    ended @1 (error :Error) -> ();
  }
  struct Change { deleted @0 :Bool; entry @1 :KeyValue; }
}

# Dropping it ends what it stands for.
interface Handle {}

# ---------------------------------------------------------------------------------------------------------------

interface Registry {
  register @0 (call :Call, service :Text, instance :Instance) -> (outcome :Outcome(Done));
  # lease 0: whoever registered it.
  deregister @1 (call :Call, service :Text, id :Text, lease :UInt64) -> (outcome :Outcome(Done));
  services @2 (call :Call, serializable :Bool) -> (outcome :Outcome(ServiceList));
  resolve @3 (call :Call, service :Text, filter :Filter, serializable :Bool) -> (outcome :Outcome(InstanceList));
  # The instances as they are, then every change; an empty service name: all services.
  watch @4 (call :Call, service :Text, watcher :Watcher) -> (outcome :Outcome(Watching));

  struct Instance {
    id @0 :Text; address @1 :Text; port @2 :UInt16;
    tags @3 :List(Text); metadata @4 :List(Pair);
    weight @5 :UInt32; health @6 :Health; maintenance @7 :Bool;
    lease @8 :UInt64; modRevision @9 :UInt64;
  }
  struct Pair { key @0 :Text; value @1 :Text; }
  enum Health { passing @0; warning @1; critical @2; }
  struct Filter { tags @0 :List(Text); metadata @1 :List(Pair); healthyOnly @2 :Bool; }
  struct ServiceList { services @0 :List(Service); revision @1 :UInt64; }
  struct Service { name @0 :Text; instances @1 :UInt64; }
  struct InstanceList { instances @0 :List(Instance); revision @1 :UInt64; }
  struct Watching { handle @0 :Handle; }

  interface Watcher {
    # States, not steps: the newest state of each instance that changed, some steps may be left out.
    # complete: with this call the watcher has seen every instance as of revision.
    changes @0 (changes :List(Change), revision :UInt64, complete :Bool) -> ();
    ended @1 (error :Error) -> ();
  }
  struct Change { removed @0 :Bool; service @1 :Text; instance @2 :Instance; }
}

# ---------------------------------------------------------------------------------------------------------------

interface Locks {
  # Answered when the lock is granted, refused, or the wait is over. Asking again for the same (lock, lease), on any
  # node, meets the same claim. The caller cancels what it no longer wants: a closed connection cancels nothing.
  acquire @0 (call :Call, acquire :Acquire) -> (outcome :Outcome(Grant));
  # Idempotent; if the grant came first, it is released.
  cancel @1 (call :Call, lock :Text, lease :UInt64, attempt :UInt64) -> (outcome :Outcome(Done));
  release @2 (call :Call, lock :Text, token :UInt64) -> (outcome :Outcome(Done));
  # An empty name: all locks that are held or waited for.
  show @3 (call :Call, lock :Text) -> (outcome :Outcome(LockList));

  struct Acquire {
    lock @0 :Text; lease @1 :UInt64; mode @2 :Mode; owner @3 :Text;
    queue @4 :Bool;                                     # false: try
    bounded @5 :Bool; waitMs @6 :UInt64;                # in the queue; counts only if bounded
    attempt @7 :UInt64;                                 # the client's number of this wish
  }
  enum Mode { exclusive @0; }
  struct Grant { token @0 :UInt64; revision @1 :UInt64; }
  struct LockList { locks @0 :List(Lock); }
  struct Lock { lock @0 :Text; holders @1 :List(Holder); queue @2 :List(Waiter); }
  struct Holder { token @0 :UInt64; lease @1 :UInt64; mode @2 :Mode; owner @3 :Text; heldMs @4 :UInt64; }
  struct Waiter { position @0 :UInt64; lease @1 :UInt64; mode @2 :Mode; owner @3 :Text; waitingMs @4 :UInt64; }
}

# ---------------------------------------------------------------------------------------------------------------

interface Cluster {
  # Answered by this node for itself, without a quorum.
  self @0 () -> (member :MemberStatus);
  # Answered by this node after asking every other member for its self, for at most half of the timeout.
  status @1 (call :Call) -> (status :Status);
  # Where the caller reaches this node from, as this node sees it: "host:port".
  whoAmI @2 () -> (address :Text);
  # The newest revision, linearizable: where a watch from now on begins.
  revision @3 (call :Call) -> (outcome :Outcome(Done));

  # Who takes part. Linearizable, with the leader's view of how far each one is; or, serializable, the membership as
  # this node has it, which is what a node that wants to join may ask any member for.
  members @4 (call :Call, serializable :Bool) -> (outcome :Outcome(MemberList));
  # One change at a time; each is answered when it is committed. A member is added as a learner and promoted when it has caught up.
  addMember @5 (call :Call, name :Text, peerAddress :Text) -> (outcome :Outcome(Changed));
  promote @6 (call :Call, name :Text) -> (outcome :Outcome(Changed));
  remove @7 (call :Call, name :Text) -> (outcome :Outcome(Changed));
  # A learner that has caught up takes over another member's part, voter or learner, in one step.
  replace @8 (call :Call, name :Text, newName :Text) -> (outcome :Outcome(Changed));
  # Answered when that member leads.
  transferLeadership @9 (call :Call, name :Text) -> (outcome :Outcome(Transferred));

  struct MemberList {
    clusterId @0 :UInt64;
    leader @1 :Text;               # a name, or empty
    changing @2 :Bool;             # a change of voters is under way
    lastIndex @3 :UInt64;          # of the answering node's log
    members @4 :List(Member);      # in order of name
    # Who founded the cluster, in order of name: with the cluster's token they make its id, so that whoever joins can tell
    # whether it was given this token, and nobody sends it. Empty: the answering node does not know.
    founders @5 :List(Founder);
  }
  struct Founder { name @0 :Text; peerAddress @1 :Text; }
  struct Member {
    id @0 :UInt64; name @1 :Text; peerAddress @2 :Text;
    endpoint @3 :Text;             # where clients reach it; empty: not known yet
    part @4 :Part;
    matchIndex @5 :UInt64;         # durably has the leader's log up to here, as the leader knows; 0: not known
    dataId @6 :Text;               # of its data directory; empty: it has not been seen yet
  }
  # leaving: it still votes, until the change under way is complete. joining: a voter in a change under way.
  enum Part { voter @0; learner @1; joining @2; leaving @3; }
  # id and part: of the member that was added, promoted, or took over; of the removed one the id only.
  struct Changed { id @0 :UInt64; part @1 :Part; index @2 :UInt64; }
  struct Transferred { leader @0 :Text; term @1 :UInt64; }

  struct Status { clusterId @0 :UInt64; leader @1 :Text; members @2 :List(MemberStatus); }
  struct MemberStatus {
    id @0 :UInt64; name @1 :Text; endpoint @2 :Text; role @3 :Role; term @4 :UInt64;
    commitIndex @5 :UInt64; appliedIndex @6 :UInt64; healthy @7 :Bool; leader @8 :Text;
    clusterId @9 :UInt64;
  }
  enum Role { follower @0; preCandidate @1; candidate @2; leader @3; unknown @4; }
}
