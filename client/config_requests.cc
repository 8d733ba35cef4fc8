#include "client/config_requests.h"

#include <utility>

#include "client/clock.h"
#include "client/wire.h"

namespace holdfast::sdk {

using session::Repeat;

namespace {

struct Page {
  std::uint64_t revision = 0;
  std::uint64_t count = 0;
  bool more = false;
  std::vector<client::KeyValue> entries;
};

/// A read of a range, page by page.
class PagedGet {
 public:
  PagedGet(Engine& engine, std::string key, client::GetOptions options)
      : engine_(engine),
        what_("get \"" + key + "\""),
        options_(options),
        range_(KeyRange::of(key, options.prefix)),
        deadline_(engine.call_deadline()) {
    restart();
  }

  kj::Promise<Result<client::GetResult>> run() {
    return page().then([this](Result<Page> page) -> kj::Promise<Result<client::GetResult>> {
      if (!page) {
        bool revision_gone = page.error().code == Errc::kCompacted && result_.revision != 0;
        if (revision_gone && now() < deadline_) {
          restart();
          return run();
        }
        return Result<client::GetResult>(fail(std::move(page.error())));
      }
      take(std::move(*page));
      bool enough = options_.limit != 0 && result_.entries.size() >= options_.limit;
      if (!result_.more || enough || options_.count_only) {
        return Result<client::GetResult>(std::move(result_));
      }
      next_.begin = result_.entries.back().key + '\0';
      return run();
    });
  }

 private:
  void restart() {
    next_ = range_;
    result_ = {};
  }

  void take(Page page) {
    if (result_.revision == 0) {
      result_.revision = page.revision;
      result_.count = page.count;
    }
    // A page without entries cannot be followed by another.
    result_.more = page.more && !page.entries.empty();
    for (auto& entry : page.entries) {
      result_.entries.push_back(std::move(entry));
    }
  }

  kj::Promise<Result<Page>> page() {
    return engine_.caller().call<Page>({what_, Repeat::kRead, deadline_}, [this](const Attempt& attempt) {
      auto request = attempt.link.config().getRequest();
      attempt.fill(request.initCall());
      auto get = request.initGet();
      next_.fill(get.initRange());
      get.setLimit(options_.limit == 0 ? 0 : options_.limit - result_.entries.size());
      get.setKeysOnly(options_.keys_only);
      get.setCountOnly(options_.count_only);
      get.setSerializable(options_.serializable);
      get.setRevision(result_.revision);
      return submit<Page>(kj::mv(request), [](schema::Config::Range::Reader range) {
        Page page{range.getRevision(), range.getCount(), range.getMore(), {}};
        for (auto entry : range.getEntries()) {
          page.entries.push_back(read_key_value(entry));
        }
        return page;
      });
    });
  }

  Engine& engine_;
  const std::string what_;
  const client::GetOptions options_;
  const KeyRange range_;
  const Instant deadline_;
  KeyRange next_;
  client::GetResult result_;
};

/// A removal of a key or a range, in as many steps as it takes; each is a call of its own.
class Removal {
 public:
  Removal(Engine& engine, std::string key, client::DeleteOptions options)
      : engine_(engine),
        what_("delete \"" + key + "\""),
        options_(options),
        range_(KeyRange::of(key, options.prefix)),
        deadline_(engine.call_deadline()) {}

  kj::Promise<Result<client::DeleteResult>> run() {
    return step().then([this](Result<Step> step) -> kj::Promise<Result<client::DeleteResult>> {
      if (!step) {
        return Result<client::DeleteResult>(fail(failed(std::move(step.error()))));
      }
      done_.revision = step->revision;
      done_.deleted += step->deleted;
      if (!step->more) {
        return Result<client::DeleteResult>(done_);
      }
      return run();
    });
  }

 private:
  struct Step {
    std::uint64_t revision = 0;
    std::uint64_t deleted = 0;
    bool more = false;
  };

  kj::Promise<Result<Step>> step() {
    return engine_.caller().call<Step>({what_, Repeat::kNever, deadline_}, [this](const Attempt& attempt) {
      auto request = attempt.link.config().deleteRequest();
      attempt.fill(request.initCall());
      auto removal = request.initDelete();
      range_.fill(removal.initRange());
      removal.setConditional(options_.if_revision.has_value());
      removal.setExpected(options_.if_revision.value_or(0));
      removal.setPartial(!options_.atomic);
      return submit<Step>(kj::mv(request), [](schema::Config::Deleted::Reader deleted) {
        return Step{deleted.getRevision(), deleted.getDeleted(), deleted.getMore()};
      });
    });
  }

  /// What went before has had its effect, whatever became of this step.
  Error failed(Error error) const {
    if (done_.deleted == 0) {
      return error;
    }
    return {Errc::kUnknown, "deleted " + std::to_string(done_.deleted) + " keys, and then: " + error.message,
            error.revision};
  }

  Engine& engine_;
  const std::string what_;
  const client::DeleteOptions options_;
  const KeyRange range_;
  const Instant deadline_;
  client::DeleteResult done_;
};

}  // namespace

client::KeyValue read_key_value(schema::Config::KeyValue::Reader entry) {
  return {text_of(entry.getKey()), text_of(entry.getValue()), entry.getCreateRevision(),
          entry.getModRevision(),  entry.getVersion(),        {entry.getLease()}};
}

kj::Promise<Result<std::uint64_t>> put(Engine& engine, std::string key, std::string value,
                                       client::PutOptions options) {
  Request about{"put \"" + key + "\"", Repeat::kNever, engine.call_deadline(), bool(options.lease)};
  return engine.caller().call<std::uint64_t>(
      std::move(about), [key = std::move(key), value = std::move(value), options](const Attempt& attempt) {
        auto request = attempt.link.config().putRequest();
        attempt.fill(request.initCall());
        auto put = request.initPut();
        put.setKey(data_reader(key));
        put.setValue(data_reader(value));
        put.setLease(options.lease.value);
        put.setConditional(options.if_revision.has_value());
        put.setExpected(options.if_revision.value_or(0));
        return submit<std::uint64_t>(kj::mv(request),
                                     [](schema::Done::Reader done) { return done.getRevision(); });
      });
}

kj::Promise<Result<client::GetResult>> get(Engine& engine, std::string key, client::GetOptions options) {
  auto paged = kj::heap<PagedGet>(engine, std::move(key), options);
  auto& running = *paged;
  return running.run().attach(kj::mv(paged));
}

kj::Promise<Result<client::DeleteResult>> remove(Engine& engine, std::string key,
                                                 client::DeleteOptions options) {
  auto removal = kj::heap<Removal>(engine, std::move(key), options);
  auto& running = *removal;
  return running.run().attach(kj::mv(removal));
}

}  // namespace holdfast::sdk
