#include "state/reply.h"

#include "command.capnp.h"
#include "state/message.h"

namespace holdfast::state {

namespace {

struct BodyWriter {
  schema::StoredReply::Builder to;

  void operator()(const Done& from) { to.initDone().setRevision(from.revision.value()); }
  void operator()(const LeaseGranted& from) {
    auto out = to.initLeaseGranted();
    out.setLease(from.lease.value());
    out.setTtlMs(static_cast<std::uint64_t>(from.ttl.count()));
  }
  void operator()(const Deleted& from) {
    auto out = to.initDeleted();
    out.setDeletedRevision(from.revision.value());
    out.setCount(from.count);
    out.setMore(from.more);
  }
  void operator()(const LockAnswer& from) {
    auto out = to.initLock();
    out.setLockRevision(from.revision.value());
    out.setToken(from.acquired.token.value());
    out.setPosition(from.acquired.position);
  }
};

Result<Reply> read_reply(schema::StoredReply::Reader from) {
  switch (from.which()) {
    case schema::StoredReply::DONE:
      return Reply(Done{Revision(from.getDone().getRevision())});
    case schema::StoredReply::LEASE_GRANTED: {
      const auto granted = from.getLeaseGranted();
      return Reply(LeaseGranted{LeaseId(granted.getLease()),
                                milliseconds(static_cast<milliseconds::rep>(granted.getTtlMs()))});
    }
    case schema::StoredReply::DELETED: {
      const auto deleted = from.getDeleted();
      return Reply(Deleted{Revision(deleted.getDeletedRevision()), deleted.getCount(), deleted.getMore()});
    }
    case schema::StoredReply::LOCK: {
      const auto answer = from.getLock();
      return Reply(LockAnswer{Revision(answer.getLockRevision()),
                              {Token(answer.getToken()), static_cast<std::size_t>(answer.getPosition())}});
    }
    case schema::StoredReply::ERROR: {
      const auto error = from.getError();
      return Reply(fail(static_cast<Errc>(error.getCode()), string_of(error.getMessage()),
                        Revision(error.getErrorRevision())));
    }
  }
  return fail(Errc::kCorrupt, "a stored outcome is of a kind that this version does not know");
}

}  // namespace

Blob encode(const Reply& reply) {
  capnp::word scratch[64] = {};
  capnp::MallocMessageBuilder message(kj::arrayPtr(scratch, 64));
  auto to = message.initRoot<schema::StoredReply>();
  if (reply) {
    std::visit(BodyWriter{to}, *reply);
  } else {
    auto error = to.initError();
    error.setCode(static_cast<std::uint16_t>(reply.error().code));
    error.setMessage(reply.error().message);
    error.setErrorRevision(reply.error().revision.value());
  }
  return blob_of(message);
}

Result<Reply> decode_reply(const Blob& bytes) {
  return read_message<schema::StoredReply>(
      bytes, [](schema::StoredReply::Reader from) -> Result<Reply> { return read_reply(from); });
}

}  // namespace holdfast::state
