#include <limits>

#include "command.capnp.h"
#include "state/command.h"
#include "state/feature_level.h"
#include "state/message.h"

namespace holdfast::state {

namespace {

/// No number on the wire is too large for a time: it becomes the largest there is.
milliseconds time_of(std::uint64_t count) {
  constexpr auto kMost = static_cast<std::uint64_t>(milliseconds::max().count());
  return milliseconds(static_cast<milliseconds::rep>(count < kMost ? count : kMost));
}

Operation read(schema::Command::EndLeases::Reader from) {
  EndLeases to;
  to.leases.reserve(from.getLeases().size());
  for (const std::uint64_t lease : from.getLeases()) to.leases.emplace_back(lease);
  return to;
}

/// The value stays where it is, in `bytes`.
Operation read(schema::Put::Reader from, const Blob& bytes) {
  config::Put to{
      string_of(from.getKey()), bytes.part(view_of(from.getValue())), LeaseId(from.getLease()), {}};
  if (from.getConditional()) to.expected = Revision(from.getExpected());
  return to;
}

Operation read(schema::Delete::Reader from) {
  config::Delete to{{string_of(from.getBegin()), string_of(from.getEnd())}, {}, {}, false};
  if (from.getConditional()) to.expected = Revision(from.getExpected());
  if (from.getBounded()) to.most = static_cast<std::size_t>(from.getMost());
  to.partial = from.getPartial();
  return to;
}

Result<Operation> read(schema::RegisterInstance::Reader from) {
  if (from.getHealth() > static_cast<std::uint8_t>(registry::Health::kCritical)) {
    return fail(Errc::kCorrupt, "a command registers an instance with an unknown health");
  }
  RegisterInstance to{string_of(from.getService()), {}};
  registry::Instance& instance = to.instance;
  instance.id = string_of(from.getId());
  instance.address = string_of(from.getAddress());
  instance.port = from.getPort();
  instance.tags.reserve(from.getTags().size());
  for (const auto tag : from.getTags()) instance.tags.push_back(string_of(tag));
  for (const auto pair : from.getMetadata()) {
    instance.metadata.insert_or_assign(string_of(pair.getKey()), string_of(pair.getValue()));
  }
  instance.weight = from.getWeight();
  instance.health = static_cast<registry::Health>(from.getHealth());
  instance.maintenance = from.getMaintenance();
  instance.lease = LeaseId(from.getLease());
  return Operation(std::move(to));
}

Operation read(schema::DeregisterInstance::Reader from) {
  return DeregisterInstance{string_of(from.getService()), string_of(from.getId()), LeaseId(from.getLease())};
}

Result<Operation> read(schema::Acquire::Reader from) {
  if (from.getMode() != static_cast<std::uint8_t>(lock::Mode::kExclusive)) {
    return fail(Errc::kCorrupt, "a command acquires a lock in an unknown mode");
  }
  lock::Acquire to;
  to.lock = string_of(from.getLock());
  to.lease = LeaseId(from.getLease());
  to.mode = static_cast<lock::Mode>(from.getMode());
  to.owner = string_of(from.getOwner());
  to.queue = from.getQueue();
  if (from.getBounded()) to.wait = time_of(from.getWaitMs());
  to.attempt = from.getAttempt();
  return Operation(std::move(to));
}

Operation read(schema::CancelAcquire::Reader from) {
  return CancelAcquire{string_of(from.getLock()), LeaseId(from.getLease()), from.getAttempt()};
}

Operation read(schema::ReleaseLock::Reader from) {
  return ReleaseLock{string_of(from.getLock()), Token(from.getToken())};
}

Operation read(capnp::List<schema::OverdueWaiter>::Reader from) {
  TimeOutWaiters to;
  to.waiters.reserve(from.size());
  for (const auto waiter : from) {
    to.waiters.push_back({string_of(waiter.getLock()), LeaseId(waiter.getLease()), waiter.getTicket()});
  }
  return to;
}

Operation read(schema::AnnounceMember::Reader from) {
  return AnnounceMember{MemberId(from.getMember()), string_of(from.getName()),
                        string_of(from.getClientEndpoint()), from.getFeatureLevel()};
}

Result<Operation> read_operation(schema::Command::Reader from, const Blob& bytes) {
  switch (from.which()) {
    case schema::Command::GRANT_LEASE:
      return Operation(GrantLease{time_of(from.getGrantLease().getTtlMs())});
    case schema::Command::REVOKE_LEASE:
      return Operation(RevokeLease{LeaseId(from.getRevokeLease().getLease())});
    case schema::Command::END_LEASES:
      return read(from.getEndLeases());
    case schema::Command::PUT:
      return read(from.getPut(), bytes);
    case schema::Command::DELETE:
      return read(from.getDelete());
    case schema::Command::REGISTER_INSTANCE:
      return read(from.getRegisterInstance());
    case schema::Command::DEREGISTER_INSTANCE:
      return read(from.getDeregisterInstance());
    case schema::Command::ACQUIRE:
      return read(from.getAcquire());
    case schema::Command::CANCEL_ACQUIRE:
      return read(from.getCancelAcquire());
    case schema::Command::RELEASE_LOCK:
      return read(from.getReleaseLock());
    case schema::Command::TIME_OUT_WAITERS:
      return read(from.getTimeOutWaiters());
    case schema::Command::ANNOUNCE_MEMBER:
      return read(from.getAnnounceMember());
    case schema::Command::RAISE_FEATURE_LEVEL:
      return Operation(RaiseFeatureLevel{from.getRaiseFeatureLevel().getLevel()});
  }
  return fail(Errc::kCorrupt, "a command asks for an operation that this version does not know");
}

/// Asked before anything else is read, so that what another version meant is not mistaken for garbage.
Result<void> check_readable(std::uint16_t format, std::uint16_t supported) {
  if (format == 0) return fail(Errc::kCorrupt, "a command has no format version");
  if (format <= supported) return {};
  return fail(Errc::kNotEnabled, "the log has a command of feature level " + std::to_string(format) +
                                     ", and this version understands those up to level " +
                                     std::to_string(supported) +
                                     "; start the version of Holdfast that the other members run");
}

Result<Decoded> read_command(schema::Command::Reader from, const Blob& bytes, std::uint16_t supported) {
  const std::uint16_t level = from.getFormatVersion();
  if (auto readable = check_readable(level, supported); !readable) return fail(readable.error());
  auto operation = read_operation(from, bytes);
  if (!operation) return fail(std::move(operation).error());
  if (const auto* raise = std::get_if<RaiseFeatureLevel>(&*operation)) {
    if (auto readable = check_readable(raise->level, supported); !readable) return fail(readable.error());
  }
  if (level < level_of(*operation)) {
    return fail(Errc::kCorrupt, "a command of feature level " + std::to_string(level) +
                                    " asks for what there is only at a higher one");
  }
  return Decoded{{{LeaseId(from.getSession()), from.getSequence(), from.getAcknowledgedBelow()},
                  time_of(from.getClusterTimeMs()),
                  *std::move(operation)},
                 level};
}

}  // namespace

Result<Decoded> decode(const Blob& bytes, std::uint16_t supported) {
  return read_message<schema::Command>(bytes,
                                       [&bytes, supported](schema::Command::Reader from) -> Result<Decoded> {
                                         return read_command(from, bytes, supported);
                                       });
}

std::string_view key_of_put(const Blob& bytes) {
  const auto key =
      read_message<schema::Command>(bytes, [](schema::Command::Reader from) -> Result<std::string_view> {
        return from.isPut() ? view_of(from.getPut().getKey()) : std::string_view();
      });
  return key ? *key : std::string_view();
}

Result<Command> decode(const Blob& bytes) {
  auto decoded = decode(bytes, kSupportedLevel);
  if (!decoded) return fail(std::move(decoded).error());
  return std::move(decoded->command);
}

}  // namespace holdfast::state
