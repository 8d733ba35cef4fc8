#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// What takes bytes from strangers, or from a disk that may lie, each behind one function. A target returns
/// whatever the bytes are; an assertion, an exception or a sanitizer's report is a finding.
namespace holdfast::fuzz {

/// The frames of a peer: the guard, the decoding, and that what was decoded encodes to the same again.
void peer_frame(std::string_view bytes);
/// What a client's connection brings to a node's door.
void rpc_stream(std::string_view bytes);
/// Commands applied to the replicated machine, and the image of what they made.
void apply(std::string_view bytes);
/// Rows of an image, loaded into a machine that then goes on.
void snapshot_rows(std::string_view bytes);
/// A write-ahead log, scanned before SQLite sees it.
void wal_scan(std::string_view bytes);

struct Target {
  const char* name;
  void (*run)(std::string_view bytes);
  /// Inputs that the code itself makes: where a fuzzer begins.
  std::vector<std::string> (*seeds)();
};

std::vector<std::string> peer_frame_seeds();
std::vector<std::string> rpc_stream_seeds();
std::vector<std::string> apply_seeds();
std::vector<std::string> snapshot_rows_seeds();
std::vector<std::string> wal_scan_seeds();

inline const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      {"peer_frame", peer_frame, peer_frame_seeds},
      {"rpc_stream", rpc_stream, rpc_stream_seeds},
      {"apply", apply, apply_seeds},
      {"snapshot_rows", snapshot_rows, snapshot_rows_seeds},
      {"wal_scan", wal_scan, wal_scan_seeds},
  };
  return all;
}

}  // namespace holdfast::fuzz
