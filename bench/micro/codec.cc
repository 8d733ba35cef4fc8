#include <benchmark/benchmark.h>

#include <utility>

#include "base/check.h"
#include "bench/micro/benchmarks.h"
#include "bench/micro/samples.h"
#include "peer/codec.h"
#include "state/command.h"

namespace holdfast::bench {
namespace {

void encode_command(benchmark::State& state) {
  config::Put put;
  put.key = key_of(1);
  put.value = Blob(std::string(kValueBytes, 'v'));
  const state::Command command{{LeaseId(1), 2, 3}, ClusterTime(4), put};
  for (auto _ : state) benchmark::DoNotOptimize(state::encode(command));
  state.SetItemsProcessed(state.iterations());
}

void decode_command(benchmark::State& state) {
  const Blob bytes = put_command(1);
  for (auto _ : state) {
    auto command = state::decode(bytes);
    INVARIANT(command, "what was encoded can be decoded");
    benchmark::DoNotOptimize(command);
  }
  state.SetItemsProcessed(state.iterations());
}

raft::Message append_entries(std::size_t count) {
  raft::AppendEntries body;
  body.previous_index = Index(1000);
  body.previous_term = Term(3);
  body.entries = put_entries(Index(1001), Term(3), count);
  return {MemberId(1), MemberId(2), Term(3), std::move(body)};
}

/// range(0): entries in the frame.
void encode_peer_frame(benchmark::State& state) {
  const raft::Message message = append_entries(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(peer::encode(message));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void decode_peer_frame(benchmark::State& state) {
  const peer::Frame frame = peer::encode(append_entries(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    auto message = peer::decode(frame);
    INVARIANT(message, "what was encoded can be decoded");
    benchmark::DoNotOptimize(message);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

void register_codec() {
  benchmark::RegisterBenchmark("codec/encode_command", encode_command);
  benchmark::RegisterBenchmark("codec/decode_command", decode_command);
  benchmark::RegisterBenchmark("codec/encode_peer_frame", encode_peer_frame)->Arg(1)->Arg(64)->Arg(1000);
  benchmark::RegisterBenchmark("codec/decode_peer_frame", decode_peer_frame)->Arg(1)->Arg(64)->Arg(1000);
}

}  // namespace holdfast::bench
