#include "base/check.h"
#include "state/machine.h"
#include "tests/fuzz/machine_check.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/targets.h"

namespace holdfast::fuzz {

namespace {

using namespace state;

std::string entries(const std::vector<Command>& commands) {
  std::string bytes;
  for (const Command& command : commands) add_piece(bytes, encode(command).value().view());
  return bytes;
}

Command at(std::int64_t time, Operation operation, Stamp stamp = {}) {
  return {stamp, ClusterTime(time), std::move(operation)};
}

RegisterInstance instance(LeaseId lease) {
  RegisterInstance wish{"web", {}};
  wish.instance.id = "web-1";
  wish.instance.address = "127.0.0.1";
  wish.instance.tags = {"blue"};
  wish.instance.metadata = {{"zone", "a"}};
  wish.instance.lease = lease;
  return wish;
}

lock::Acquire acquire(LeaseId lease, std::uint64_t attempt) {
  lock::Acquire wish;
  wish.lock = "deploy";
  wish.lease = lease;
  wish.queue = true;
  wish.wait = milliseconds(50);
  wish.attempt = attempt;
  return wish;
}

}  // namespace

/// The machine decides alike on every member: two of them apply the same, and so does one that takes over
/// from an image in between.
void apply(std::string_view bytes) {
  Machine one;
  Machine other;
  const auto pieces = pieces_of(bytes);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Blob entry{std::string(pieces[i])};
    if (!decode(entry)) continue;
    const Applied applied = one.apply(one.applied().next(), entry);
    const Applied same = other.apply(other.applied().next(), entry);
    INVARIANT(encode(applied.reply) == encode(same.reply), "two machines give the same reply");
    INVARIANT(one.digest() == other.digest(), "two machines are equal at equal index");
  }
  check_image(one);
}

std::vector<std::string> apply_seeds() {
  const LeaseId lease(1);
  const LeaseId second(2);
  const auto grant = [](std::int64_t time) { return at(time, GrantLease{milliseconds(1000)}); };
  const config::Put put{"/a", Blob("1"), lease, {}};
  return {
      entries({grant(1), at(2, put), at(3, config::Put{"/a", Blob("2"), {}, Revision(1)}),
               at(4, config::Delete{config::KeyRange::prefix("/"), {}})}),
      entries({grant(1), grant(2), at(3, acquire(lease, 1)), at(4, acquire(second, 1)),
               at(5, CancelAcquire{"deploy", lease, 1}), at(6, ReleaseLock{"deploy", Token(2)})}),
      entries({grant(1), grant(2), at(3, acquire(lease, 1)), at(4, acquire(second, 1)),
               at(100, TimeOutWaiters{{{"deploy", second, 4}}}), at(101, EndLeases{{lease, second}})}),
      entries({grant(1), at(2, instance(lease)), at(3, DeregisterInstance{"web", "web-1", {}}),
               at(4, RevokeLease{lease})}),
      entries({grant(1), at(2, put, {lease, 1, 1}), at(3, put, {lease, 1, 1}), at(4, put, {lease, 2, 2})}),
      entries({at(1, AnnounceMember{MemberId(1), "n1", "host:1", 2}), at(2, RaiseFeatureLevel{2}), grant(3),
               at(4, put), at(5, config::Delete{config::KeyRange::prefix("/"), {}, 1, true})}),
  };
}

}  // namespace holdfast::fuzz
