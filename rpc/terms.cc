#include "rpc/terms.h"

#include <algorithm>

#include "base/limits.h"

namespace holdfast::rpc {

Terms read_terms(schema::Call::Reader call) {
  Terms terms;
  if (call.getTimeoutMs() != 0) {
    terms.timeout = std::min(milliseconds(call.getTimeoutMs()), limits::kMaxCallTimeout);
  }
  terms.stamp.session = LeaseId(call.getSession());
  terms.stamp.sequence = call.getSequence();
  terms.stamp.acknowledged_below = call.getAcknowledgedBelow();
  return terms;
}

}  // namespace holdfast::rpc
