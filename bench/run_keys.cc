#include <kj/debug.h>
#include <kj/time.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "bench/calls.h"
#include "bench/fleet.h"
#include "bench/keys.h"
#include "bench/pace.h"
#include "bench/runs.h"
#include "net/direct_line.h"
#include "schema/method.h"

namespace holdfast::bench {
namespace {

enum class Kind { kPut, kGet, kDelete };

/// What the lanes of a run share.
struct Run {
  Run(net::EventLoop& loop_in, const Load& load_in, Recorder& recorder_in)
      : loop(loop_in),
        load(load_in),
        recorder(recorder_in),
        keys(load_in),
        random(load_in.seed + 1),
        pace({load_in.total, load_in.duration, load_in.rate}, loop_in.now()) {}

  Kind next() {
    const auto drawn = [this](unsigned percent) { return random.chance(static_cast<double>(percent)); };
    if (load.op == Op::kGet || (load.op == Op::kMixed && drawn(load.read_percent))) return Kind::kGet;
    return load.delete_percent > 0 && drawn(load.delete_percent) ? Kind::kDelete : Kind::kPut;
  }

  net::EventLoop& loop;
  const Load& load;
  Recorder& recorder;
  Keys keys;
  Random random;  // what to do
  Pace pace;
  std::size_t lanes = 0;  // that are not done
  kj::PromiseFulfillerPair<void> done = kj::newPromiseAndFulfiller<void>();
};

/// A put, a get or a removal of one key, that is written once and sent over and over with another key in it:
/// what a loader takes of the processor the servers have not.
class KeyCall {
 public:
  static KeyCall put(const Load& load) {
    KeyCall call("put", {load.value_bytes / sizeof(capnp::word) + 32, 0});
    auto params = call.call_->params().initAs<schema::Config::PutParams>();
    params.initCall().setTimeoutMs(load.call_timeout.count());
    auto put = params.initPut();
    call.keys_.push_back(put.initKey(Keys::kBytes));
    auto value = put.initValue(static_cast<unsigned>(load.value_bytes));
    std::memset(value.begin(), 'v', value.size());
    return call;
  }
  static KeyCall get(const Load& load) {
    KeyCall call("get", kSmall);
    auto params = call.call_->params().initAs<schema::Config::GetParams>();
    params.initCall().setTimeoutMs(load.call_timeout.count());
    auto get = params.initGet();
    get.setSerializable(load.serializable);
    call.only_key(get.initRange());
    return call;
  }
  static KeyCall remove(const Load& load) {
    KeyCall call("delete", kSmall);
    auto params = call.call_->params().initAs<schema::Config::DeleteParams>();
    params.initCall().setTimeoutMs(load.call_timeout.count());
    call.only_key(params.initDelete().initRange());
    return call;
  }

  net::SharedCall& with(const Keys::Name& key) {
    for (capnp::Data::Builder& place : keys_) std::copy(key.text.begin(), key.text.end(), place.begin());
    return *call_;
  }

 private:
  KeyCall(kj::StringPtr method, capnp::MessageSize size)
      : call_(std::make_unique<net::SharedCall>(capnp::typeId<schema::Config>(),
                                                schema::method_number<schema::Config>(method), size)) {}
  void only_key(schema::Config::Range0::Builder range) {
    keys_.push_back(range.initBegin(Keys::kBytes));
    keys_.push_back(range.initEnd(Keys::kBytes + 1));  // and a zero byte
  }

  std::unique_ptr<net::SharedCall> call_;
  std::vector<capnp::Data::Builder> keys_;
};

template <typename Results>
Why judge_results(capnp::AnyPointer::Reader results) {
  return judge(results.getAs<Results>());
}

class KeyLane final : private net::DirectLine::Listener {
 public:
  KeyLane(Run& run, Services& services)
      : run_(run),
        put_(KeyCall::put(run.load)),
        get_(KeyCall::get(run.load)),
        remove_(KeyCall::remove(run.load)),
        line_(net::DirectLine::to(services.config, *this)) {
    KJ_REQUIRE(line_ != nullptr, "a fleet's services go past the RPC system");
    ++run_.lanes;
  }

  /// Until its next operation is under way, or due later, or there are no more.
  void go_on() {
    for (;;) {
      const Instant now = run_.loop.now();
      const std::optional<Instant> due = run_.pace.next(now);
      if (!due) return over();
      due_ = *due;
      if (*due > now) return wait(*due - now);
      if (start()) return;
    }
  }

 private:
  void wait(Duration time) {
    waiting_ = run_.loop.timer()
                   .afterDelay(time.count() * kj::MICROSECONDS)
                   .then([this] {
                     if (!start()) go_on();
                   })
                   .eagerlyEvaluate(nullptr);
  }
  /// Returns: false if it failed at once.
  bool start() {
    kind_ = run_.next();
    auto exception = kj::runCatchingExceptions([this] { line_->call(call().with(run_.keys.next())); });
    KJ_IF_MAYBE (failure, exception) {
      run_.recorder.failure(failure->getDescription());
      return false;
    }
    return under_way_ = true;
  }
  void answered(kj::Maybe<kj::Exception> failure, capnp::AnyPointer::Reader results) override {
    if (!std::exchange(under_way_, false)) return;  // the connection ended while it had nothing to do
    KJ_IF_MAYBE (exception, failure) {
      run_.recorder.failure(exception->getDescription());
    } else {
      KJ_IF_MAYBE (text, judged(results)) {
        run_.recorder.failure(*text);
      } else {
        run_.recorder.success(due_);
      }
    }
    go_on();
  }
  void room() override {}
  KeyCall& call() { return kind_ == Kind::kGet ? get_ : kind_ == Kind::kPut ? put_ : remove_; }
  Why judged(capnp::AnyPointer::Reader results) const {
    switch (kind_) {
      case Kind::kPut:
        return judge_results<schema::Config::PutResults>(results);
      case Kind::kGet:
        return judge_results<schema::Config::GetResults>(results);
      case Kind::kDelete:
        return judge_results<schema::Config::DeleteResults>(results);
    }
    return nullptr;
  }
  void over() {
    if (--run_.lanes == 0) run_.done.fulfiller->fulfill();
  }

  Run& run_;
  KeyCall put_;
  KeyCall get_;
  KeyCall remove_;
  bool under_way_ = false;
  Kind kind_ = Kind::kPut;  // of the operation under way
  Instant due_;
  kj::Promise<void> waiting_ = nullptr;
  std::unique_ptr<net::DirectLine> line_;
};

}  // namespace

void run_keys(net::EventLoop& loop, const Load& load, Recorder& recorder) {
  Fleet fleet(loop, load);
  recorder.begin();
  Run run(loop, load, recorder);
  std::vector<std::unique_ptr<KeyLane>> lanes;
  for (std::size_t i = 0; i < load.in_flight; ++i) {
    lanes.push_back(std::make_unique<KeyLane>(run, fleet.of(i)));
  }
  for (const auto& lane : lanes) lane->go_on();
  loop.run_until(kj::mv(run.done.promise));
  recorder.end();
}

}  // namespace holdfast::bench
