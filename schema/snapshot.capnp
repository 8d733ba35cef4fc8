@0xc5f20bfcde53f6d3;
# What an image keeps that is not a plain column. Durable: fields are only ever added.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("holdfast::schema");

# Consecutive changes of the configuration: one row of the image's history table.
struct HistoryPack {
  changes @0 :List(HistoryChange);
}
struct HistoryChange {
  deleted @0 :Bool;
  key @1 :Data;
  value @2 :Data;
  createRevision @3 :UInt64;
  modRevision @4 :UInt64;
  version @5 :UInt64;
  lease @6 :UInt64;
}

# Registry metadata and tags: one column each.
struct Tags { tags @0 :List(Text); }
struct Metadata {
  pairs @0 :List(Pair);
  struct Pair { key @0 :Text; value @1 :Text; }
}
