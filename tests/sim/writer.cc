#include <utility>
#include <variant>

#include "tests/sim/actors.h"

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
      session_(surroundings, random.fork(), milliseconds(random.between(600, 4000))),
      name_("writer" + std::to_string(number)) {}

void Writer::start() {
  session_.open();
  next();
}

void Writer::next() {
  busy_ = false;
  world_.schedule.after(milliseconds(random_.between(1, 120)), [this] {
    if (finishing_) return;
    if (!session_.lease()) return next();
    busy_ = true;
    std::uint64_t dice = random_.below(100);
    if (dice < 55) return put();
    if (dice < 65) return remove();
    if (dice < 75) return place_instance();
    read();
  });
}

void Writer::run(state::Operation operation, std::function<void(Outcome<state::ReplyBody>)> done) {
  Revision floor = world_.oracle.newest_seen();
  session_.propose(std::move(operation), kTotal, [this, floor, done = std::move(done)](auto outcome) {
    if (outcome.result) {
      if (const auto* reply = std::get_if<state::Done>(&*outcome.result)) {
        if (reply->revision < floor)
          world_.verdict.fail("a write's revision is older than one seen before it");
        world_.oracle.revision_seen(reply->revision);
      }
    }
    done(std::move(outcome));
    next();
  });
}

void Writer::put() {
  config::Put put;
  put.key = key_of(random_.below(12));
  std::string value = name_ + "-" + std::to_string(++writes_);
  if (random_.chance(10)) value.append(random_.below(2000), 'x');
  put.value = Blob(value);
  if (random_.chance(20)) put.lease = session_.lease();
  if (random_.chance(40)) put.expected = known_[put.key];
  std::string key = put.key;
  run(std::move(put), [this, key, value](const Outcome<state::ReplyBody>& outcome) {
    if (outcome.result) {
      known_[key] = std::get<state::Done>(*outcome.result).revision;
      world_.oracle.write_acknowledged(value, known_[key]);
      return;
    }
    const Error& error = outcome.result.error();
    if (error.code == Errc::kRevisionMismatch) known_[key] = error.revision;
    // A session's command runs once, so a refusal by the machine is final. Without a session any more, and
    // when the last attempt only was not taken, an earlier one may have run.
    bool by_machine = error.code == Errc::kRevisionMismatch;
    if (by_machine || !outcome.uncertain) world_.oracle.write_refused(value);
  });
}

void Writer::remove() {
  config::Delete remove;
  remove.range = random_.chance(70) ? config::KeyRange::one(key_of(random_.below(12)))
                                    : config::KeyRange::prefix("/k/" + std::to_string(random_.below(3)));
  run(std::move(remove), [](const auto&) {});
}

void Writer::place_instance() {
  std::string service = "service" + std::to_string(random_.below(2));
  if (random_.chance(40)) {
    return run(state::DeregisterInstance{service, name_, {}}, [](const auto&) {});
  }
  registry::Instance instance;
  instance.id = name_;
  instance.address = "10.0.0.1";
  instance.port = static_cast<std::uint16_t>(random_.between(1, 9999));
  instance.lease = session_.lease();
  run(state::RegisterInstance{service, std::move(instance)}, [](const auto&) {});
}

void Writer::read() {
  Revision floor = world_.oracle.newest_seen();
  session_.caller().call<Revision>(
      [](node::Node& node, Callback<void(Result<Revision>)> done) {
        node.linearizable_read(milliseconds(800),
                               [&node, done = std::move(done)](Result<void> ready) mutable {
                                 if (!ready) return done(fail(ready.error()));
                                 done(node.machine().revision());
                               });
      },
      true, kTotal,
      [this, floor](const Outcome<Revision>& outcome) {
        if (outcome.result) {
          if (*outcome.result < floor) world_.verdict.fail("a linearizable read was stale");
          world_.oracle.revision_seen(*outcome.result);
        }
        next();
      });
}

}  // namespace holdfast::sim
