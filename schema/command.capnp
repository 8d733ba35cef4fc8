@0x91b4197bb4aece95;
# What the replicated log carries, and what a session remembers. Durable: fields are only ever added.
# Layout, versions and crash story: docs/formats/COMMAND.md.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("holdfast::schema");

struct Command {
  formatVersion @0 :UInt16;        # the feature level that a member needs to understand this command
  clusterTimeMs @1 :UInt64;        # stamped by the leader
  session @2 :UInt64;              # a lease id; 0: none
  sequence @3 :UInt64;
  acknowledgedBelow @4 :UInt64;
  union {
    grantLease :group { ttlMs @5 :UInt64; }
    revokeLease :group { lease @6 :UInt64; }
    endLeases :group { leases @7 :List(UInt64); }
    put @8 :Put;
    delete @9 :Delete;
    registerInstance @10 :RegisterInstance;
    deregisterInstance @11 :DeregisterInstance;
    acquire @12 :Acquire;
    cancelAcquire @13 :CancelAcquire;
    releaseLock @14 :ReleaseLock;
    timeOutWaiters @15 :List(OverdueWaiter);
    announceMember @16 :AnnounceMember;
    raiseFeatureLevel :group { level @17 :UInt16; }
  }
}

struct Put {
  key @0 :Data;
  value @1 :Data;
  lease @2 :UInt64;
  conditional @3 :Bool;            # expected counts only if set
  expected @4 :UInt64;             # mod_revision; 0: must not exist
}
struct Delete {
  begin @0 :Data;
  end @1 :Data;                    # exclusive; empty: to the last key
  conditional @2 :Bool;
  expected @3 :UInt64;
  # From feature level 2 on.
  bounded @4 :Bool;                # most counts only if set
  most @5 :UInt64;
  partial @6 :Bool;
}
struct Pair { key @0 :Text; value @1 :Text; }
struct RegisterInstance {
  service @0 :Text;
  id @1 :Text;
  address @2 :Text;
  port @3 :UInt16;
  tags @4 :List(Text);
  metadata @5 :List(Pair);
  weight @6 :UInt32;
  health @7 :UInt8;
  maintenance @8 :Bool;
  lease @9 :UInt64;
}
struct DeregisterInstance { service @0 :Text; id @1 :Text; lease @2 :UInt64; }
struct Acquire {
  lock @0 :Text;
  lease @1 :UInt64;
  mode @2 :UInt8;
  owner @3 :Text;
  queue @4 :Bool;
  bounded @5 :Bool;                # waitMs counts only if set
  waitMs @6 :UInt64;
  attempt @7 :UInt64;
}
struct CancelAcquire { lock @0 :Text; lease @1 :UInt64; attempt @2 :UInt64; }
struct ReleaseLock { lock @0 :Text; token @1 :UInt64; }
struct OverdueWaiter { lock @0 :Text; lease @1 :UInt64; ticket @2 :UInt64; }
struct AnnounceMember {
  member @0 :UInt64; name @1 :Text; clientEndpoint @2 :Text;
  featureLevel @3 :UInt16 = 1;     # the highest that it supports
}

# The outcome of a command, as a session's window keeps it.
struct StoredReply {
  union {
    done :group { revision @0 :UInt64; }
    leaseGranted :group { lease @1 :UInt64; ttlMs @2 :UInt64; }
    deleted :group { deletedRevision @3 :UInt64; count @4 :UInt64; more @11 :Bool; }
    lock :group { lockRevision @5 :UInt64; token @6 :UInt64; position @7 :UInt64; }
    error :group { code @8 :UInt16; message @9 :Text; errorRevision @10 :UInt64; }
  }
}
