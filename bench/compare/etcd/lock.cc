#include "bench/compare/etcd/lock.h"

#include <utility>

namespace holdfast::bench::etcd {

Lock::Lock(Member& member, const std::string& name, std::int64_t lease)
    : member_(member),
      prefix_(name + "/"),
      end_of_prefix_(name + "0"),  // '0' follows '/'
      key_(prefix_ + std::to_string(lease)) {
  auto* absent = entry_.add_compare();
  absent->set_target(pb::Compare::CREATE);
  absent->set_key(key_);
  absent->set_create_revision(0);
  auto* put = entry_.add_success()->mutable_request_put();
  put->set_key(key_);
  put->set_lease(lease);
  entry_.add_failure()->mutable_request_range()->set_key(key_);
  for (auto* branch : {entry_.mutable_success(), entry_.mutable_failure()}) {
    auto* oldest = branch->Add()->mutable_request_range();
    oldest->set_key(prefix_);
    oldest->set_range_end(end_of_prefix_);
    oldest->set_sort_target(pb::RangeRequest::CREATE);
    oldest->set_sort_order(pb::RangeRequest::ASCEND);
    oldest->set_limit(1);
  }
}

void Lock::acquire(Peer::Done done) {
  member_.commit(
      entry_, [this, done = std::move(done)](const std::string& why, const pb::TxnResponse& response) {
        if (!why.empty()) return done(why);
        const std::int64_t mine = response.succeeded()
                                      ? response.header().revision()
                                      : response.responses(0).response_range().kvs(0).create_revision();
        const auto& oldest = response.responses(1).response_range().kvs();
        if (!oldest.empty() && oldest[0].create_revision() == mine) return done({});
        await_older(mine, done);
      });
}

void Lock::await_older(std::int64_t than_revision, Peer::Done done) {
  pb::RangeRequest request;
  request.set_key(prefix_);
  request.set_range_end(end_of_prefix_);
  request.set_max_create_revision(than_revision - 1);
  request.set_sort_target(pb::RangeRequest::CREATE);
  request.set_sort_order(pb::RangeRequest::DESCEND);
  request.set_limit(1);
  member_.range(request, [this, than_revision, done = std::move(done)](const std::string& why,
                                                                       const pb::RangeResponse& response) {
    if (!why.empty() || response.kvs().empty()) return done(why);
    member_.await_deletion(response.kvs(0).key(), response.header().revision(),
                           [this, than_revision, done](const std::string& failure) {
                             failure.empty() ? await_older(than_revision, done) : done(failure);
                           });
  });
}

}  // namespace holdfast::bench::etcd
