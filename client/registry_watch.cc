#include "client/registry_watch.h"

#include <utility>

#include "client/errors.h"
#include "client/registry_requests.h"
#include "client/wire.h"

namespace holdfast::sdk {

class RegistryWatch::Receiver final : public schema::Registry::Watcher::Server {
 public:
  explicit Receiver(std::shared_ptr<Tie> tie) : tie_(std::move(tie)) {}

  kj::Promise<void> changes(ChangesContext context) override {
    if (tie_->watch != nullptr) {
      tie_->watch->receive(context.getParams());
    }
    return kj::READY_NOW;
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

RegistryWatch::RegistryWatch(Engine& engine, std::uint64_t number, std::string service,
                             client::ResolveOptions options, std::shared_ptr<InstanceQueue> queue)
    : Subscription(engine, number, "watch service \"" + service + "\""),
      service_(std::move(service)),
      options_(std::move(options)),
      queue_(std::move(queue)) {}

RegistryWatch::~RegistryWatch() noexcept(false) { unsubscribed(); }

kj::Promise<Result<schema::Handle::Client>> RegistryWatch::subscribe(const Attempt& attempt) {
  unsubscribed();
  tie_ = std::make_shared<Tie>(Tie{this});
  instances_.clear();
  auto request = attempt.link.registry().watchRequest();
  attempt.fill(request.initCall());
  request.setService(text_reader(service_));
  request.setWatcher(kj::heap<Receiver>(tie_));
  return submit<schema::Handle::Client>(
      kj::mv(request), [](schema::Registry::Watching::Reader watching) { return watching.getHandle(); });
}

void RegistryWatch::unsubscribed() {
  if (tie_) {
    tie_->watch = nullptr;
    tie_.reset();
  }
}

void RegistryWatch::finish(Error error) { queue_->finish(to_public(std::move(error))); }

void RegistryWatch::receive(schema::Registry::Watcher::ChangesParams::Reader params) {
  for (auto change : params.getChanges()) {
    auto instance = read_instance(change.getInstance());
    if (change.getRemoved()) {
      instances_.erase(instance.id);
    } else {
      std::string id = instance.id;
      instances_.insert_or_assign(std::move(id), std::move(instance));
    }
  }
  if (!params.getComplete()) {
    return;
  }
  std::vector<client::Instance> matching;
  for (const auto& [id, instance] : instances_) {
    if (matches(options_, instance)) {
      matching.push_back(instance);
    }
  }
  queue_->replace(std::move(matching));
}

}  // namespace holdfast::sdk
