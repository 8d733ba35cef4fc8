#include "client/config_watch.h"

#include <algorithm>
#include <utility>

#include "client/config_requests.h"
#include "client/errors.h"

namespace holdfast::sdk {

class ConfigWatch::Receiver final : public schema::Config::Watcher::Server {
 public:
  explicit Receiver(std::shared_ptr<Tie> tie) : tie_(std::move(tie)) {}

  kj::Promise<void> changes(ChangesContext context) override {
    if (tie_->watch == nullptr) {
      return kj::READY_NOW;
    }
    // The member may take its call back when the watch ends.
    context.allowCancellation();
    return tie_->watch->receive(context.getParams());
  }
  kj::Promise<void> ended(EndedContext context) override {
    if (tie_->watch != nullptr) {
      tie_->watch->ended(read_error(context.getParams().getError()));
    }
    return kj::READY_NOW;
  }

 private:
  const std::shared_ptr<Tie> tie_;  // owners: this receiver and the watch
};

ConfigWatch::ConfigWatch(Engine& engine, std::uint64_t number, std::string key, client::WatchOptions options,
                         std::shared_ptr<WatchQueue> queue)
    : Subscription(engine, number, "watch \"" + key + "\""),
      range_(KeyRange::of(key, options.prefix)),
      queue_(std::move(queue)),
      start_(options.from_revision),
      position_(start_) {}

ConfigWatch::~ConfigWatch() noexcept(false) { unsubscribed(); }

kj::Promise<Result<schema::Handle::Client>> ConfigWatch::subscribe(const Attempt& attempt) {
  unsubscribed();
  tie_ = std::make_shared<Tie>(Tie{this});
  position_.resumed();
  auto request = attempt.link.config().watchRequest();
  attempt.fill(request.initCall());
  range_.fill(request.initRange());
  request.setStartRevision(position_.next().value());
  request.setWatcher(kj::heap<Receiver>(tie_));
  return submit<schema::Handle::Client>(kj::mv(request),
                                        [this, tie = tie_](schema::Config::Watching::Reader watching) {
                                          if (!start_ && tie->watch == this) {
                                            start_ = Revision(watching.getStartRevision());
                                            // A watch from now on is pinned: at another member it goes on
                                            // from here.
                                            position_.take({}, start_);
                                          }
                                          return watching.getHandle();
                                        });
}

void ConfigWatch::unsubscribed() {
  if (tie_) {
    tie_->watch = nullptr;
    tie_.reset();
  }
  waiting_.clear();
}

void ConfigWatch::finish(Error error) { queue_->finish(to_public(std::move(error))); }

void ConfigWatch::on_room() {
  for (auto& waiting : std::exchange(waiting_, {})) {
    waiting->fulfill();
  }
}

kj::Promise<void> ConfigWatch::receive(schema::Config::Watcher::ChangesParams::Reader params) {
  auto changes = params.getChanges();
  std::vector<Revision> revisions;
  for (auto change : changes) {
    revisions.emplace_back(change.getEntry().getModRevision());
  }
  std::size_t drop = position_.take(revisions, Revision(params.getNextRevision()));
  bool full = false;
  for (std::size_t i = drop; i < revisions.size(); ++i) {
    auto change = changes[static_cast<unsigned>(i)];
    client::WatchEvent event;
    event.type = change.getDeleted() ? client::WatchEvent::Type::kDelete : client::WatchEvent::Type::kPut;
    event.entry = read_key_value(change.getEntry());
    std::size_t weight = sizeof(event) + event.entry.key.size() + event.entry.value.size();
    full = queue_->push(std::move(event), weight);
  }
  if (!full) {
    return kj::READY_NOW;
  }
  auto room = kj::newPromiseAndFulfiller<void>();
  waiting_.push_back(kj::mv(room.fulfiller));
  return kj::mv(room.promise);
}

}  // namespace holdfast::sdk
