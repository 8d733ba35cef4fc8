#pragma once

#include "bench/load.h"
#include "bench/recorder.h"
#include "net/event_loop.h"

/// One run of each kind: sets up what it needs, starts the recorder's clock, and loads until the pace says
/// that it is over. Errors: a kj exception if the set-up fails; what goes wrong after that is recorded.
namespace holdfast::bench {

/// Puts and gets, one after the other in each lane.
void run_keys(net::EventLoop& loop, const Load& load, Recorder& recorder);
/// Other operations that are calls, one after the other in each lane.
void run_calls(net::EventLoop& loop, const Load& load, Recorder& recorder);
/// Registry churn, among instances that are kept alive; or only these.
void run_churn(net::EventLoop& loop, const Load& load, Recorder& recorder);
/// Watchers: an operation is a change that one of them was told of.
void run_watch(net::EventLoop& loop, const Load& load, Recorder& recorder);
/// Writes through all members while one of them dies.
void run_failover(net::EventLoop& loop, const Load& load, Recorder& recorder);

}  // namespace holdfast::bench
