#include "client/registry_requests.h"

#include <algorithm>
#include <map>
#include <utility>

#include "client/wire.h"

namespace holdfast::sdk {

using session::Repeat;

namespace {

void fill_texts(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder list) {
  for (unsigned i = 0; i < list.size(); ++i) {
    list.set(i, text_reader(texts[i]));
  }
}

void fill_pairs(const std::map<std::string, std::string>& pairs,
                capnp::List<schema::Registry::Pair>::Builder list) {
  unsigned i = 0;
  for (const auto& [key, value] : pairs) {
    list[i].setKey(text_reader(key));
    list[i].setValue(text_reader(value));
    ++i;
  }
}

void fill_instance(const client::Instance& instance, LeaseId lease,
                   schema::Registry::Instance::Builder built) {
  built.setId(text_reader(instance.id));
  built.setAddress(text_reader(instance.address));
  built.setPort(instance.port);
  fill_texts(instance.tags, built.initTags(static_cast<unsigned>(instance.tags.size())));
  fill_pairs(instance.metadata, built.initMetadata(static_cast<unsigned>(instance.metadata.size())));
  built.setWeight(instance.weight);
  built.setHealth(static_cast<schema::Registry::Health>(instance.health));
  built.setMaintenance(instance.maintenance);
  built.setLease(lease.value());
}

kj::Promise<Result<void>> without_value(kj::Promise<Result<std::uint64_t>> promise) {
  return promise.then([](Result<std::uint64_t> result) -> Result<void> {
    if (!result) {
      return fail(std::move(result.error()));
    }
    return {};
  });
}

}  // namespace

client::Instance read_instance(schema::Registry::Instance::Reader instance) {
  client::Instance result;
  result.id = text_of(instance.getId());
  result.address = text_of(instance.getAddress());
  result.port = instance.getPort();
  for (auto tag : instance.getTags()) {
    result.tags.push_back(text_of(tag));
  }
  for (auto pair : instance.getMetadata()) {
    result.metadata.insert_or_assign(text_of(pair.getKey()), text_of(pair.getValue()));
  }
  result.weight = instance.getWeight();
  switch (instance.getHealth()) {
    case schema::Registry::Health::PASSING:
      result.health = client::Health::kPassing;
      break;
    case schema::Registry::Health::WARNING:
      result.health = client::Health::kWarning;
      break;
    default:  // also what a newer service may say: nothing to send calls to
      result.health = client::Health::kCritical;
  }
  result.maintenance = instance.getMaintenance();
  result.lease = {instance.getLease()};
  return result;
}

bool matches(const client::ResolveOptions& options, const client::Instance& instance) {
  if (options.healthy_only && (instance.health != client::Health::kPassing || instance.maintenance)) {
    return false;
  }
  bool tagged = std::all_of(options.tags.begin(), options.tags.end(), [&](const std::string& tag) {
    return std::find(instance.tags.begin(), instance.tags.end(), tag) != instance.tags.end();
  });
  return tagged && std::all_of(options.metadata.begin(), options.metadata.end(), [&](const auto& pair) {
           auto found = instance.metadata.find(pair.first);
           return found != instance.metadata.end() && found->second == pair.second;
         });
}

kj::Promise<Result<void>> register_instance(Engine& engine, std::string service, client::Instance instance,
                                            LeaseId lease, Instant deadline) {
  Request about{"register \"" + service + "/" + instance.id + "\"", Repeat::kHarmless, deadline, true};
  return without_value(engine.caller().call<std::uint64_t>(
      std::move(about),
      [service = std::move(service), instance = std::move(instance), lease](const Attempt& attempt) {
        auto request = attempt.link.registry().registerRequest();
        attempt.fill(request.initCall());
        request.setService(text_reader(service));
        fill_instance(instance, lease, request.initInstance());
        return submit<std::uint64_t>(kj::mv(request),
                                     [](schema::Done::Reader done) { return done.getRevision(); });
      }));
}

kj::Promise<Result<void>> deregister(Engine& engine, std::string service, std::string id, LeaseId lease,
                                     Instant deadline) {
  Request about{"deregister \"" + service + "/" + id + "\"", lease ? Repeat::kHarmless : Repeat::kNever,
                deadline, bool(lease)};
  auto send = [service = std::move(service), id = std::move(id), lease](const Attempt& attempt) {
    auto request = attempt.link.registry().deregisterRequest();
    attempt.fill(request.initCall());
    request.setService(text_reader(service));
    request.setId(text_reader(id));
    request.setLease(lease.value());
    bool may_be_done = attempt.repeated && lease;
    return submit<std::uint64_t>(kj::mv(request),
                                 [](schema::Done::Reader done) { return done.getRevision(); })
        .then([may_be_done](Result<std::uint64_t> result) -> Result<std::uint64_t> {
          bool gone = !result && (result.error().code == Errc::kServiceNotFound ||
                                  result.error().code == Errc::kInstanceNotFound ||
                                  result.error().code == Errc::kNotHolder);
          if (gone && may_be_done) {
            return 0;
          }
          return result;
        });
  };
  return without_value(engine.caller().call<std::uint64_t>(std::move(about), std::move(send)));
}

kj::Promise<Result<std::vector<client::ServiceInfo>>> services(Engine& engine) {
  using Services = std::vector<client::ServiceInfo>;
  return engine.caller().call<Services>(
      {"list the services", Repeat::kRead, engine.call_deadline()}, [](const Attempt& attempt) {
        auto request = attempt.link.registry().servicesRequest();
        attempt.fill(request.initCall());
        return submit<Services>(kj::mv(request), [](schema::Registry::ServiceList::Reader list) {
          Services services;
          for (auto service : list.getServices()) {
            services.push_back({text_of(service.getName()), service.getInstances()});
          }
          return services;
        });
      });
}

kj::Promise<Result<std::vector<client::Instance>>> resolve(Engine& engine, std::string service,
                                                           client::ResolveOptions options) {
  using Instances = std::vector<client::Instance>;
  Request about{"resolve \"" + service + "\"", Repeat::kRead, engine.call_deadline()};
  return engine.caller().call<Instances>(
      std::move(about), [service = std::move(service), options = std::move(options)](const Attempt& attempt) {
        auto request = attempt.link.registry().resolveRequest();
        attempt.fill(request.initCall());
        request.setService(text_reader(service));
        auto filter = request.initFilter();
        fill_texts(options.tags, filter.initTags(static_cast<unsigned>(options.tags.size())));
        fill_pairs(options.metadata, filter.initMetadata(static_cast<unsigned>(options.metadata.size())));
        filter.setHealthyOnly(options.healthy_only);
        request.setSerializable(options.serializable);
        return submit<Instances>(kj::mv(request), [](schema::Registry::InstanceList::Reader list) {
          Instances instances;
          for (auto instance : list.getInstances()) {
            instances.push_back(read_instance(instance));
          }
          return instances;
        });
      });
}

}  // namespace holdfast::sdk
