#include "rpc/registry_service.h"

#include "rpc/conversions.h"
#include "rpc/read_write.h"
#include "rpc/texts.h"
#include "rpc/watch_stream.h"

namespace holdfast::rpc {

namespace {

constexpr std::size_t kServiceBytes = 16;  // in a list of services, beside the name

Result<void> check_size(std::size_t bytes, const std::string& service, std::size_t instances) {
  if (bytes <= kMaxAnswerBytes) return {};
  return fail(Errc::kLimitExceeded, "the " + std::to_string(instances) + " instances of \"" + service +
                                        "\" do not fit an answer of " + std::to_string(kMaxAnswerBytes) +
                                        " bytes; filter by tags or metadata, or watch the service");
}

/// Before the lists are walked: a few bytes can stand for millions of structs without a word in them.
/// Labels: schema::Registry::Instance or Filter.
template <typename Labels>
Result<void> check_counts(Labels labels) {
  if (labels.getTags().size() <= limits::kMaxTags &&
      labels.getMetadata().size() <= limits::kMaxMetadataPairs) {
    return {};
  }
  return fail(Errc::kLimitExceeded, "at most " + std::to_string(limits::kMaxTags) + " tags (kMaxTags) and " +
                                        std::to_string(limits::kMaxMetadataPairs) +
                                        " metadata pairs (kMaxMetadataPairs) are taken");
}

}  // namespace

kj::Promise<void> RegistryService::register_(RegisterContext context) {
  if (auto few = check_counts(context.getParams().getInstance()); !few) {
    refuse(context, few.error());
    return kj::READY_NOW;
  }
  return write<state::Done>(desk_, reach_, context, &schema::Registry::Client::registerRequest,
                            IfBroken::kUnknown, read_registration(context.getParams()),
                            [](auto ok, const state::Done& done) { ok.setRevision(done.revision.value()); });
}

kj::Promise<void> RegistryService::deregister(DeregisterContext context) {
  const auto params = context.getParams();
  return write<state::Done>(desk_, reach_, context, &schema::Registry::Client::deregisterRequest,
                            IfBroken::kUnknown,
                            state::DeregisterInstance{to_string(params.getService()),
                                                      to_string(params.getId()), LeaseId(params.getLease())},
                            [](auto ok, const state::Done& done) { ok.setRevision(done.revision.value()); });
}

kj::Promise<void> RegistryService::services(ServicesContext context) {
  if (!context.getParams().getSerializable()) {
    return read(desk_, reach_, context, &schema::Registry::Client::servicesRequest,
                [this, context]() mutable { return look_at_services(context); });
  }
  if (auto found = look_at_services(context); !found) refuse(context, found.error());
  return kj::READY_NOW;
}

Result<void> RegistryService::look_at_services(ServicesContext context) {
  const auto& machine = desk_.node.machine();
  const auto& services = machine.registry().services();
  std::size_t bytes = 0;
  for (const auto& [name, instances] : services) bytes += kServiceBytes + wire_bytes(name);
  if (bytes > kMaxAnswerBytes) {
    return fail(Errc::kLimitExceeded,
                "the names of " + std::to_string(services.size()) + " services do not fit an answer of " +
                    std::to_string(kMaxAnswerBytes) + " bytes; resolve them by name, or watch them all");
  }
  auto ok = context.getResults().initOutcome().initOk();
  ok.setRevision(machine.revision().value());
  auto out = ok.initServices(static_cast<unsigned>(services.size()));
  unsigned position = 0;
  for (const auto& [name, instances] : services) {
    auto service = out[position++];
    service.setName(as_text(name));
    service.setInstances(instances);
  }
  return {};
}

kj::Promise<void> RegistryService::resolve(ResolveContext context) {
  if (auto few = check_counts(context.getParams().getFilter()); !few) {
    refuse(context, few.error());
    return kj::READY_NOW;
  }
  if (!context.getParams().getSerializable()) {
    return read(desk_, reach_, context, &schema::Registry::Client::resolveRequest,
                [this, context]() mutable { return look_at_instances(context); });
  }
  if (auto found = look_at_instances(context); !found) refuse(context, found.error());
  return kj::READY_NOW;
}

Result<void> RegistryService::look_at_instances(ResolveContext context) {
  const auto params = context.getParams();
  const auto& machine = desk_.node.machine();
  const std::string service = to_string(params.getService());
  const auto instances = machine.registry().resolve(service, read_filter(params.getFilter()));
  std::size_t bytes = 0;
  for (const registry::Instance* instance : instances) bytes += wire_bytes(*instance);
  if (auto fits = check_size(bytes, service, instances.size()); !fits) return fits;
  auto ok = context.getResults().initOutcome().initOk();
  ok.setRevision(machine.revision().value());
  auto out = ok.initInstances(static_cast<unsigned>(instances.size()));
  for (unsigned i = 0; i < out.size(); ++i) write_instance(*instances[i], out[i]);
  return {};
}

kj::Promise<void> RegistryService::watch(WatchContext context) {
  const auto params = context.getParams();
  auto handle =
      RegistryWatch::open(kj::addRef(*visitor_), to_string(params.getService()), params.getWatcher());
  if (handle) {
    context.getResults().initOutcome().initOk().setHandle(kj::mv(*handle));
  } else {
    refuse(context, handle.error());
  }
  return kj::READY_NOW;
}

}  // namespace holdfast::rpc
