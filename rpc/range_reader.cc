#include "rpc/range_reader.h"

#include "base/limits.h"
#include "rpc/conversions.h"

namespace holdfast::rpc {

namespace {

/// Fills the page from [first, last). Returns: where it stopped.
template <typename Iterator>
Iterator fill(Page& page, Iterator first, Iterator last, const PageRequest& request) {
  if (request.count_only) return last;
  const std::size_t limit = request.limit == 0
                                ? limits::kMaxReadPageEntries
                                : std::min<std::uint64_t>(request.limit, limits::kMaxReadPageEntries);
  for (; first != last && page.entries.size() < limit && page.bytes < limits::kMaxReadPageBytes; ++first) {
    page.entries.push_back(&*first);
    page.bytes += wire_bytes(*first, request.keys_only);
  }
  page.more = first != last;
  return first;
}

bool limit_is_met(const Page& page, const PageRequest& request) {
  return request.limit != 0 && page.entries.size() >= request.limit;
}

/// True if no key of the range changed after `revision`, as far as memory knows.
bool unchanged_since(const state::Machine& machine, const config::KeyRange& range, Revision revision) {
  const auto& history = machine.history();
  if (revision.next() < history.first_in_memory()) return false;
  const auto [first, last] = history.since(revision.next());
  for (auto change = first; change != last; ++change) {
    if (range.contains(change->key())) return false;
  }
  return true;
}

Page read_newest(const state::Machine& machine, OpenReads& open_reads, const PageRequest& request) {
  Page page;
  page.revision = machine.revision();
  const auto [first, last] = machine.config().range(request.range);
  const auto stopped = fill(page, first, last, request);
  page.count = page.entries.size();
  if (request.count_only || page.more) page.count = machine.config().count(request.range);
  if (!page.more || limit_is_met(page, request)) return page;
  const std::size_t left = page.count - page.entries.size();
  if (left > open_reads.bounds().entries_of_one) return page;
  OpenReads::Entries rest;
  rest.reserve(left);
  rest.insert(rest.end(), stopped, last);
  open_reads.keep(page.revision, std::string(page.entries.back()->key()), request.range.end, std::move(rest));
  return page;
}

}  // namespace

Result<Page> read_page(const state::Machine& machine, OpenReads& open_reads, const PageRequest& request) {
  if (!request.revision) return read_newest(machine, open_reads, request);
  Page page;
  page.revision = request.revision;
  OpenReads::Rest rest;
  if (open_reads.find(request.revision, request.range, rest)) {
    fill(page, rest.first, rest.last, request);
    page.count = static_cast<std::uint64_t>(rest.last - rest.first);
    if (!page.more) open_reads.finish(request.revision, request.range.end);
    return page;
  }
  if (request.revision > machine.revision()) {
    return fail(Errc::kUnavailable, "this member is at revision " +
                                        std::to_string(machine.revision().value()) + " and has not come to " +
                                        std::to_string(request.revision.value()) +
                                        " yet; ask again, or ask another");
  }
  if (!unchanged_since(machine, request.range, request.revision)) {
    return fail(Errc::kCompacted,
                "the range has changed since revision " + std::to_string(request.revision.value()) +
                    " and is no longer kept as it was then; read it again from its beginning",
                machine.revision());
  }
  const auto [first, last] = machine.config().range(request.range);
  fill(page, first, last, request);
  page.count = machine.config().count(request.range);
  return page;
}

}  // namespace holdfast::rpc
