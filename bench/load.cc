#include "bench/load.h"

#include <kj/exception.h>

#include "bench/recorder.h"
#include "bench/runs.h"
#include "net/event_loop.h"

namespace holdfast::bench {

bool spoiled(const Load& load, const Figures& figures) {
  // When a member dies some writes fail.
  const bool errors_belong = load.op == Op::kFailover && figures.count > 0;
  return !figures.failed.empty() || (figures.errors > 0 && !errors_belong);
}

Result<Figures> run(const Load& load, const std::function<void(const Progress&)>& progress) {
  try {
    net::EventLoop loop;
    Recorder recorder(loop, progress);
    switch (load.op) {
      case Op::kPut:
      case Op::kGet:
      case Op::kMixed:
        run_keys(loop, load, recorder);
        break;
      case Op::kWatch:
        run_watch(loop, load, recorder);
        break;
      case Op::kChurn:
        run_churn(loop, load, recorder);
        break;
      case Op::kFailover:
        run_failover(loop, load, recorder);
        break;
      default:
        run_calls(loop, load, recorder);
    }
    return recorder.take();
  } catch (const kj::Exception& exception) {
    return fail(Errc::kUnavailable, exception.getDescription().cStr());
  }
}

}  // namespace holdfast::bench
