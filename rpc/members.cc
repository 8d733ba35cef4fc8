#include "rpc/members.h"

#include "base/endpoint.h"
#include "net/connect.h"
#include "rpc/awaited.h"
#include "rpc/terms.h"
#include "rpc/texts.h"

namespace holdfast::rpc {

namespace {

constexpr milliseconds kConnectTimeout{1000};
constexpr milliseconds kCheckInterval{250};
// Long enough for a member that handed over in order to answer what it had taken.
constexpr int kRetireAfterChecks = 8;
// Longer than the largest answer of another call takes on a line that is worth having.
constexpr int kSilentForChecks = 16;
// When another one leads: this one was most likely given up as it fell silent, and whoever called it waits.
constexpr int kSilentFormerLeaderForChecks = 1;
// A leader is asked in every so many checks, a former one in each.
constexpr int kAskLeaderEvery = 4;

kj::Exception disconnected(const std::string& message) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::heapString(message.c_str()));
}

}  // namespace

MemberDoor::MemberDoor(schema::Holdfast::Client here)
    : services_(here.leasesRequest().send().getLeases(), here.configRequest().send().getConfig(),
                here.registryRequest().send().getRegistry(), here.locksRequest().send().getLocks(),
                here.clusterRequest().send().getCluster()) {}

Members::Members(net::EventLoop& loop, node::Node& node, MemberId self, LogSink& logging)
    : loop_(loop), node_(node), self_(self), logging_(logging), tasks_(*this) {
  tasks_.add(check_links());
}

Members::~Members() noexcept(false) = default;

kj::Promise<Result<kj::Own<MemberDoor>>> Members::leader(Duration within) {
  auto known = make_awaited<Result<node::LeaderInfo>>();
  node_.when_leader_known(within, std::move(known.done));
  using Door = Result<kj::Own<MemberDoor>>;
  return known.promise.then([this](Result<node::LeaderInfo> info) -> kj::Promise<Door> {
    if (!info) return Door(fail(info.error()));
    if (info->id == self_) return Door(kj::Own<MemberDoor>());
    link_to(info->id, info->client_endpoint).led = true;
    return member(info->id, info->client_endpoint)
        .then([](kj::Own<MemberDoor> door) { return Door(kj::mv(door)); },
              [name = info->name](kj::Exception&& exception) {
                return Door(fail(Errc::kUnavailable, "the leader " + name + " cannot be reached: " +
                                                         exception.getDescription().cStr()));
              });
  });
}

kj::Promise<kj::Own<MemberDoor>> Members::member(MemberId id, const std::string& client_endpoint) {
  Link& link = link_to(id, client_endpoint);
  const std::uint64_t number = link.number;
  return link.connected.addBranch().then([this, id, number]() -> kj::Own<MemberDoor> {
    auto found = links_.find(id);
    if (found != links_.end() && found->second->number == number) {
      KJ_IF_MAYBE (door, found->second->door) return kj::addRef(**door);
    }
    kj::throwFatalException(disconnected("the connection was lost at once"));
  });
}

Members::Link& Members::link_to(MemberId id, const std::string& client_endpoint) {
  std::unique_ptr<Link>& link = links_[id];
  if (link && link->endpoint == client_endpoint) return *link;
  link = std::make_unique<Link>();
  link->endpoint = client_endpoint;
  link->number = ++last_number_;
  const auto endpoint = parse_endpoint(client_endpoint);
  auto opened = endpoint ? open(id, link->number, *endpoint)
                         : kj::Promise<void>(disconnected(endpoint.error().message));
  link->connected = opened.fork();
  // A failed attempt is forgotten, so that the next call makes a new one.
  tasks_.add(link->connected.addBranch().catch_([this, id, number = link->number](kj::Exception&&) {
    return kj::evalLater([this, id, number] { drop(id, number); });
  }));
  return *link;
}

kj::Promise<void> Members::open(MemberId id, std::uint64_t number, const Endpoint& endpoint) {
  return net::connect(loop_, endpoint, kConnectTimeout)
      .then([this, id, number](kj::Own<net::MessageStream> stream) {
        auto found = links_.find(id);
        if (found == links_.end() || found->second->number != number) return;
        Link& link = *found->second;
        link.connection = std::make_unique<net::RpcConnection>(kj::mv(stream));
        auto here =
            link.connection->bootstrap().castAs<schema::Holdfast>().hereRequest().send().getHoldfast();
        link.door = kj::refcounted<MemberDoor>(kj::mv(here));
        tasks_.add(link.connection->on_disconnect().then(
            [this, id, number] { return kj::evalLater([this, id, number] { drop(id, number); }); }));
      });
}

void Members::drop(MemberId id, std::uint64_t number) {
  auto found = links_.find(id);
  if (found == links_.end() || found->second->number != number) return;
  // Out of the map first: calls that fail by this may ask for a new link at once.
  auto link = std::move(found->second);
  links_.erase(found);
}

kj::Promise<void> Members::check_links() {
  return loop_.timer().afterDelay(to_kj(kCheckInterval)).then([this] {
    std::vector<std::pair<MemberId, std::uint64_t>> useless;
    for (auto& [id, link] : links_) {
      if (link->led && is_useless(id, *link)) useless.emplace_back(id, link->number);
    }
    for (const auto& [id, number] : useless) drop(id, number);
    return check_links();
  });
}

bool Members::is_useless(MemberId id, Link& link) {
  const auto leader = node_.leader();
  const bool leads = leader && leader->id == id;
  link.not_leading = leads ? 0 : link.not_leading + 1;
  if (link.not_leading >= kRetireAfterChecks) {
    logging_.write(LogLevel::kDebug, "former_leader_left", {{"member", id}});
    return true;
  }
  if (link.silent >= (leader && !leads ? kSilentFormerLeaderForChecks : kSilentForChecks)) {
    logging_.write(LogLevel::kWarn, "leader_link_silent", {{"member", id}, {"endpoint", link.endpoint}});
    return true;
  }
  if (!leads || link.silent > 0 || ++link.not_asked >= kAskLeaderEvery) probe(id, link);
  return false;
}

void Members::probe(MemberId id, Link& link) {
  link.not_asked = 0;
  if (link.silent++ > 0) return;  // the last one is still under way
  KJ_IF_MAYBE (door, link.door) {
    // An error is an answer, too: who is there to give it is not silent. A connection that breaks is dropped
    // elsewhere.
    tasks_.add((*door)
                   ->get<schema::Cluster::Client>()
                   .selfRequest()
                   .send()
                   .ignoreResult()
                   .catch_([](kj::Exception&&) {})
                   .then([this, id, number = link.number] {
                     auto found = links_.find(id);
                     if (found != links_.end() && found->second->number == number) found->second->silent = 0;
                   })
                   .attach(kj::addRef(**door)));
  } else {
    link.silent = 0;  // it is still being connected, which has a bound of its own
  }
}

void Members::taskFailed(kj::Exception&& exception) {
  logging_.write(LogLevel::kDebug, "member_link_failed", {{"error", exception.getDescription().cStr()}});
}

}  // namespace holdfast::rpc
