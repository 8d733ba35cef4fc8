#include "peer/transport.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/random.h"
#include "net/alarm.h"
#include "net/listener.h"
#include "peer/incoming_link.h"
#include "peer/outgoing_link.h"

namespace holdfast::peer {
namespace {

// Strangers until their handshake or its deadline; beyond it the newcomer displaces one, so that nobody who
// opens connections and says nothing keeps members out. Members come on top, one connection each.
constexpr std::size_t kMaxStrangers = 256;
constexpr std::size_t kMaxAccepted = kMaxStrangers + 64;
constexpr std::size_t kMaxGuests = 16;
constexpr Duration kBetweenEqualLines = std::chrono::seconds(10);
constexpr std::size_t kMaxDifferentLines = 64;

}  // namespace

class Transport::Impl final : public IncomingLink::Owner {
 public:
  Impl(net::EventLoop& loop, Options options, LogSink& logging)
      : context_{loop,
                 logging,
                 std::move(options.self),
                 options.timing,
                 options.max_queue_bytes,
                 {},
                 RepeatedLines(kBetweenEqualLines, kMaxDifferentLines)},
        relink_(loop),
        random_(options.seed),
        peers_(std::move(options.peers)),
        wanted_(peers_) {}

  Result<void> listen(const Endpoint& endpoint);
  void start(Events events, std::string data_id);
  void set_peers(std::vector<Peer> peers, Index index);
  void set_members(const raft::Membership& membership, Index index) {
    set_peers(peers_of(membership, context_.self.member), index);
  }
  OutgoingLink* link_to(MemberId member);

  const std::vector<Peer>& peers() const override { return wanted_; }
  void welcomed(IncomingLink& link) override;
  void closed(IncomingLink& link) override;

  std::unique_ptr<net::Listener> listener_;

 private:
  void accept(net::Socket socket);
  void make_room();
  void dial(const Peer& peer);
  void relink();
  void relink_soon();
  void admit(const Hello& hello);
  void merge_guests();
  template <typename Condition>
  void drop_outgoing(Condition unwanted);

  Context context_;
  net::Alarm relink_;
  Random random_;
  std::vector<Peer> peers_;  // as the membership has them
  struct Guest {
    Peer peer;
    Index membership_index;
  };
  std::map<MemberId, Guest> guests_;  // who knows a later membership, and may well be in it
  std::vector<Peer> wanted_;          // peers_, with the guests as they said they are
  bool started_ = false;
  std::map<MemberId, std::unique_ptr<OutgoingLink>> outgoing_;
  std::vector<std::unique_ptr<IncomingLink>> incoming_;
};

Result<void> Transport::Impl::listen(const Endpoint& endpoint) {
  net::Listener::Options options;
  options.max_connections = kMaxAccepted;
  options.logging = &context_.logging;
  auto listener = net::Listener::open(context_.loop, endpoint, options,
                                      [this](net::Socket socket) { accept(std::move(socket)); });
  if (!listener) {
    return fail(listener.error());
  }
  listener_ = std::move(*listener);
  return {};
}

void Transport::Impl::accept(net::Socket socket) {
  if (!started_) {
    return;  // closed; the peer dials again
  }
  make_room();
  socket.set_stall_timeout(context_.timing.stall_timeout);
  incoming_.push_back(std::make_unique<IncomingLink>(context_, *this, std::move(socket)));
}

/// Gives up the oldest stranger of the host that has most of them: a host that floods displaces itself.
void Transport::Impl::make_room() {
  std::map<std::string, std::size_t> strangers;
  std::size_t count = 0;
  for (const auto& link : incoming_) {
    if (link->member()) continue;
    ++strangers[link->host()];
    ++count;
  }
  if (count < kMaxStrangers) return;
  const auto most = std::max_element(strangers.begin(), strangers.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  incoming_.erase(std::find_if(incoming_.begin(), incoming_.end(), [&](const auto& link) {
    return !link->member() && link->host() == most->first;
  }));
}

void Transport::Impl::start(Events events, std::string data_id) {
  context_.self.data_id = std::move(data_id);
  context_.events = std::move(events);
  started_ = true;
  for (const Peer& peer : wanted_) {
    dial(peer);
  }
}

void Transport::Impl::dial(const Peer& peer) {
  auto& link = outgoing_[peer.id];
  link = std::make_unique<OutgoingLink>(context_, peer, random_.fork());
  link->start();
}

void Transport::Impl::set_peers(std::vector<Peer> peers, Index index) {
  peers_ = std::move(peers);
  context_.self.membership_index = index;
  merge_guests();
  relink_soon();
}

void Transport::Impl::relink_soon() {
  if (started_) {
    // Later: this may be called by what a link just received, and the link must not go under its own feet.
    relink_.set_after(Duration::zero(), [this] { relink(); });
  }
}

/// A guest stays until this member's own membership is as new as the guest's.
void Transport::Impl::merge_guests() {
  std::erase_if(guests_, [this](const auto& guest) {
    return guest.second.membership_index <= context_.self.membership_index;
  });
  wanted_ = peers_;
  std::erase_if(wanted_, [this](const Peer& peer) { return guests_.count(peer.id) > 0; });
  for (const auto& [id, guest] : guests_) {
    wanted_.push_back(guest.peer);
  }
}

void Transport::Impl::admit(const Hello& hello) {
  const auto peer = std::find_if(wanted_.begin(), wanted_.end(),
                                 [&](const Peer& known) { return known.id == hello.member; });
  if (peer != wanted_.end() && !is_other_data(hello.data_id, *peer)) {
    return;
  }
  const auto endpoint = parse_endpoint(hello.peer_address);
  if (!endpoint || (guests_.size() >= kMaxGuests && guests_.count(hello.member) == 0)) {
    return;
  }
  guests_[hello.member] = {Peer{hello.member, hello.name, *endpoint, hello.data_id}, hello.membership_index};
  merge_guests();
  relink_soon();
}

template <typename Condition>
void Transport::Impl::drop_outgoing(Condition unwanted) {
  std::vector<MemberId> lost;
  for (auto link = outgoing_.begin(); link != outgoing_.end();) {
    if (!unwanted(link->first)) {
      ++link;
      continue;
    }
    if (link->second->connected()) {
      lost.push_back(link->first);
    }
    link = outgoing_.erase(link);
  }
  for (MemberId member : lost) {
    context_.events.lost(member);
  }
}

void Transport::Impl::relink() {
  const auto find = [this](MemberId member) {
    return std::find_if(wanted_.begin(), wanted_.end(), [&](const Peer& peer) { return peer.id == member; });
  };
  const auto is_stranger = [&](const IncomingLink& link) {
    const auto peer = find(link.member());
    return (peer == wanted_.end() || is_other_data(link.greeting().data_id, *peer)) &&
           !knows_more(link.greeting(), context_.self);
  };
  drop_outgoing([&](MemberId member) { return find(member) == wanted_.end(); });
  std::erase_if(incoming_, [&](const auto& link) { return link->member() && is_stranger(*link); });
  for (const Peer& peer : std::vector<Peer>(wanted_)) {
    OutgoingLink* link = link_to(peer.id);
    if (link == nullptr) {
      dial(peer);
    } else if (link->peer().endpoint != peer.endpoint) {
      drop_outgoing([&](MemberId member) { return member == peer.id; });
      dial(peer);
    } else if (link->peer().data_id != peer.data_id) {
      link->know(peer.data_id);
    }
  }
}

OutgoingLink* Transport::Impl::link_to(MemberId member) {
  const auto found = outgoing_.find(member);
  return found == outgoing_.end() ? nullptr : found->second.get();
}

void Transport::Impl::welcomed(IncomingLink& link) {
  // A member that dials again has given up its last connection, even if we have not heard so yet.
  std::erase_if(incoming_,
                [&](const auto& other) { return other.get() != &link && other->member() == link.member(); });
  admit(link.greeting());
  if (OutgoingLink* back = link_to(link.member())) {
    back->hurry();
  }
}

void Transport::Impl::closed(IncomingLink& link) {
  std::erase_if(incoming_, [&](const auto& other) { return other.get() == &link; });
}

Result<std::unique_ptr<Transport>> Transport::open(net::EventLoop& loop, Options options, LogSink& logging) {
  const Endpoint listen = options.listen;
  auto impl = std::make_unique<Impl>(loop, std::move(options), logging);
  if (const auto listening = impl->listen(listen); !listening) {
    return fail(listening.error());
  }
  return std::unique_ptr<Transport>(new Transport(std::move(impl)));
}

Transport::Transport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transport::~Transport() = default;

void Transport::start(Events events, std::string data_id) {
  impl_->start(std::move(events), std::move(data_id));
}

void Transport::send(raft::Message message) {
  if (OutgoingLink* link = impl_->link_to(message.to)) {
    link->send(message);
  }
}

void Transport::set_members(const raft::Membership& membership, Index index) {
  impl_->set_members(membership, index);
}

void Transport::set_peers(std::vector<Peer> peers, Index index) { impl_->set_peers(std::move(peers), index); }

const Endpoint& Transport::endpoint() const { return impl_->listener_->endpoint(); }

bool Transport::connected(MemberId member) const {
  const OutgoingLink* link = impl_->link_to(member);
  return link != nullptr && link->connected();
}

std::uint64_t Transport::dropped(MemberId member) const {
  const OutgoingLink* link = impl_->link_to(member);
  return link == nullptr ? 0 : link->dropped();
}

}  // namespace holdfast::peer
