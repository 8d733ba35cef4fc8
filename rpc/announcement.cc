#include "rpc/announcement.h"

#include <algorithm>

#include "rpc/conversions.h"
#include "schema/api.capnp.h"
#include "schema/method.h"

namespace holdfast::rpc {

net::SharedCall& Announcement::of(const Change* first, const Change* last, std::size_t bytes, Revision next) {
  if (call_ && next == next_ && std::equal(first, last, changes_.begin(), changes_.end())) return *call_;
  call_.reset();
  changes_.assign(first, last);
  next_ = next;
  static const std::uint16_t kChanges = schema::method_number<schema::Config::Watcher>("changes");
  call_.emplace(capnp::typeId<schema::Config::Watcher>(), kChanges,
                capnp::MessageSize{bytes / sizeof(capnp::word) + 64, 0});
  auto params = call_->params().initAs<schema::Config::Watcher::ChangesParams>();
  auto changes = params.initChanges(static_cast<unsigned>(changes_.size()));
  for (unsigned i = 0; i < changes.size(); ++i) write_change(changes_[i], changes[i]);
  params.setNextRevision(next.value());
  return *call_;
}

}  // namespace holdfast::rpc
