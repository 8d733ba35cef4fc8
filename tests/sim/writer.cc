#include <utility>
#include <variant>

#include "tests/sim/actors.h"
#include "tests/sim/door.h"

namespace holdfast::sim {

namespace {

constexpr Duration kTotal = std::chrono::seconds(4);

std::string key_of(std::uint64_t number) {
  return "/k/" + std::to_string(number % 3) + "/" + std::to_string(number);
}

}  // namespace

Writer::Writer(Surroundings surroundings, Random random, int number)
    : world_(surroundings),
      random_(random.fork()),
      caller_(surroundings, random.fork()),
      session_(surroundings, caller_, random.fork(), milliseconds(random.between(400, 2500))),
      name_("writer" + std::to_string(number)) {}

void Writer::start() {
  session_.start();
  for (std::uint64_t hands = random_.between(1, 4); hands > 0; --hands) next();
}

void Writer::next() {
  world_.after(milliseconds(random_.between(1, 120)), [this] {
    if (finishing_) return;
    ++busy_;
    // A client that dies and comes back leaves a lease behind that nobody keeps.
    if (random_.chance(1) && session_.id()) {
      former_session_ = session_.id();
      session_.ended(former_session_);
    }
    std::uint64_t dice = random_.below(100);
    if (dice < 45) return put();
    if (dice < 53) return remove();
    if (dice < 60) return place_instance();
    read();
  });
}

void Writer::again() {
  --busy_;
  next();
}

void Writer::run(state::Operation operation, bool names_lease,
                 std::function<void(const state::Reply&)> done) {
  Revision floor = world_.oracle.newest_seen();
  // A few have no session: theirs must end as unknown when nobody answers.
  session::Repeat repeat = random_.chance(10) ? session::Repeat::kNever : session::Repeat::kStamped;
  caller_.call<state::ReplyBody>(
      {repeat, kTotal, names_lease},
      [operation = std::move(operation)](const Attempt& attempt, Callback<void(state::Reply)> answered) {
        attempt.node.propose(operation, attempt.stamp, attempt.timeout, std::move(answered));
      },
      [this, floor, done = std::move(done)](const state::Reply& reply) {
        const auto* written = reply ? std::get_if<state::Done>(&*reply) : nullptr;
        if (written) {
          // A command's outcome may be older than the answer that brings it, but not than its command.
          if (written->revision < floor)
            world_.verdict.fail(Invariant::kLinearizableRead,
                                "a write's revision is older than one seen before it");
          world_.oracle.revision_seen(written->revision);
        }
        done(reply);
        again();
      });
}

void Writer::put() {
  config::Put put;
  put.key = key_of(random_.below(12));
  std::string value = name_ + "-" + std::to_string(++writes_);
  if (random_.chance(10)) value.append(random_.below(2000), 'x');
  if (world_.large_values && random_.chance(50)) value.append(random_.between(50'000, 300'000), 'y');
  put.value = Blob(value);
  if (random_.chance(20)) put.lease = session_.id();
  if (random_.chance(2)) put.lease = former_session_;
  if (random_.chance(40)) put.expected = known_[put.key];
  std::string key = put.key;
  bool names_lease = put.lease != LeaseId();
  run(std::move(put), names_lease, [this, key, value](const state::Reply& reply) {
    if (reply) {
      known_[key] = std::get<state::Done>(*reply).revision;
      return world_.oracle.write_acknowledged(value, known_[key]);
    }
    const Error& error = reply.error();
    if (error.code == Errc::kRevisionMismatch) known_[key] = error.revision;
    // Whatever the session core does not call unknown is final.
    if (!is_unknown(error.code)) world_.oracle.write_refused(value);
  });
}

void Writer::remove() {
  config::Delete remove;
  remove.range = random_.chance(70) ? config::KeyRange::one(key_of(random_.below(12)))
                                    : config::KeyRange::prefix("/k/" + std::to_string(random_.below(3)));
  run(std::move(remove), false, [](const auto&) {});
}

void Writer::place_instance() {
  std::string service = "service" + std::to_string(random_.below(2));
  if (random_.chance(40)) {
    return run(state::DeregisterInstance{service, name_, {}}, false, [](const auto&) {});
  }
  registry::Instance instance;
  instance.id = name_;
  instance.address = "10.0.0.1";
  instance.port = static_cast<std::uint16_t>(random_.between(1, 9999));
  instance.lease = session_.id();
  if (!instance.lease) return again();
  run(state::RegisterInstance{service, std::move(instance)}, true, [](const auto&) {});
}

void Writer::read() {
  Revision floor = world_.oracle.newest_seen();
  caller_.call<Revision>(
      {session::Repeat::kRead, kTotal},
      [world = world_](const Attempt& attempt, Callback<void(Result<Revision>)> done) {
        read_linearizably(world, attempt, std::move(done));
      },
      [this, floor](Result<Revision> revision) {
        if (revision) {
          if (*revision < floor)
            world_.verdict.fail(Invariant::kLinearizableRead, "a linearizable read was stale");
          world_.oracle.revision_seen(*revision);
        }
        again();
      });
}

}  // namespace holdfast::sim
