#include "rpc/config_service.h"

#include <utility>

#include "base/limits.h"
#include "rpc/cluster_service.h"
#include "rpc/conversions.h"
#include "rpc/range_reader.h"
#include "rpc/read_write.h"
#include "rpc/watch_stream.h"
#include "state/feature_level.h"

namespace holdfast::rpc {

namespace {

capnp::MessageSize answer_size(const Page& page) {
  return {kShortAnswer.wordCount + page.bytes / sizeof(capnp::word), 0};
}

}  // namespace

kj::Promise<void> ConfigService::put(PutContext context) {
  return write<state::Done>(desk_, reach_, context, &schema::Config::Client::putRequest, IfBroken::kUnknown,
                            read_put(context.getParams().getPut()),
                            [](auto ok, const state::Done& done) { ok.setRevision(done.revision.value()); });
}

kj::Promise<void> ConfigService::delete_(DeleteContext context) {
  config::Delete remove = read_delete(context.getParams().getDelete());
  if (desk_.node.machine().feature_level() >= state::level::kBoundedDeletes && !remove.range.is_one_key()) {
    remove.most = limits::kDeleteBatch;
    remove.partial = context.getParams().getDelete().getPartial();
  }
  return write<state::Deleted>(desk_, reach_, context, &schema::Config::Client::deleteRequest,
                               IfBroken::kUnknown, std::move(remove),
                               [](auto ok, const state::Deleted& deleted) {
                                 ok.setRevision(deleted.revision.value());
                                 ok.setDeleted(deleted.count);
                                 ok.setMore(deleted.more);
                               });
}

kj::Promise<void> ConfigService::get(GetContext context) {
  if (!context.getParams().getGet().getSerializable()) {
    return read(desk_, reach_, context, &schema::Config::Client::getRequest,
                [this, context]() mutable { return look(context); });
  }
  if (auto found = look(context); !found) refuse(context, found.error());
  return answer_now(desk_);
}

Result<void> ConfigService::look(GetContext context) {
  const auto get = context.getParams().getGet();
  const auto page = read_page(desk_.node.machine(), desk_.open_reads,
                              PageRequest{read_range(get.getRange()), Revision(get.getRevision()),
                                          get.getLimit(), get.getKeysOnly(), get.getCountOnly()});
  if (!page) return fail(page.error());
  auto ok = context.getResults(answer_size(*page)).initOutcome().initOk();
  ok.setRevision(page->revision.value());
  ok.setCount(page->count);
  ok.setMore(page->more);
  auto entries = ok.initEntries(static_cast<unsigned>(page->entries.size()));
  for (unsigned i = 0; i < entries.size(); ++i) {
    write_entry(*page->entries[i], get.getKeysOnly(), entries[i]);
  }
  return {};
}

kj::Promise<void> ConfigService::watch(WatchContext context) {
  context.allowCancellation();
  const Revision from(context.getParams().getStartRevision());
  if (from) {
    open_watch(context, from);
    return kj::READY_NOW;
  }
  // From now on: behind every write that was acknowledged before this call came.
  auto asked = newest_revision(kj::addRef(*visitor_), reach_, context.getParams().getCall());
  return asked.then([this, context](Result<Revision> newest) mutable {
    if (!newest) return refuse(context, newest.error());
    open_watch(context, newest->next());
  });
}

void ConfigService::open_watch(WatchContext context, Revision from) {
  auto params = context.getParams();
  auto handle =
      ConfigWatch::open(kj::addRef(*visitor_), read_range(params.getRange()), from, params.getWatcher());
  if (!handle) return refuse(context, handle.error());
  auto ok = context.getResults().initOutcome().initOk();
  ok.setHandle(kj::mv(*handle));
  ok.setStartRevision(from.value());
}

}  // namespace holdfast::rpc
