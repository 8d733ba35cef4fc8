#include "bench/compare/zookeeper/lock.h"

#include <string_view>
#include <utility>

namespace holdfast::bench::zookeeper {
namespace {

/// Of the `count` names in `children`: the highest that is lower than `mine`; empty if there is none.
std::string last_before(std::string_view mine, Reader children) {
  std::string_view before;
  for (std::int32_t count = children.int32(); count > 0; --count) {
    const std::string_view name = children.bytes();
    if (name < mine && name > before) before = name;
  }
  return std::string(before);
}

}  // namespace

std::string why(std::int32_t error) { return error == 0 ? "" : "ZooKeeper's error " + std::to_string(error); }

void Lock::acquire(Peer::Done done) {
  session_.send(Kind::kCreate, create(parent_ + "/n-", "", Flags::kEphemeralSequential),
                [this, done = std::move(done)](std::int32_t error, Reader body) {
                  if (error != 0) return done(why(error));
                  mine_ = body.bytes();
                  look_at_queue(done);
                });
}

void Lock::look_at_queue(Peer::Done done) {
  session_.send(Kind::kGetChildren, look_at(parent_, false),
                [this, done = std::move(done)](std::int32_t error, Reader body) {
                  if (error != 0) return done(why(error));
                  const std::string before = last_before(mine_.substr(parent_.size() + 1), body);
                  before.empty() ? done({}) : await_end_of(parent_ + "/" + before, done);
                });
}

void Lock::await_end_of(const std::string& node, Peer::Done done) {
  session_.send(Kind::kExists, look_at(node, true),
                [this, node, done = std::move(done)](std::int32_t error, Reader) {
                  if (error == kNoNode) return look_at_queue(done);
                  if (error != 0) return done(why(error));
                  session_.on_event(node, [this, done] { look_at_queue(done); });
                });
}

void Lock::release(Peer::Done done) {
  session_.send(Kind::kDelete, remove(mine_),
                [done = std::move(done)](std::int32_t error, Reader) { done(why(error)); });
}

}  // namespace holdfast::bench::zookeeper
