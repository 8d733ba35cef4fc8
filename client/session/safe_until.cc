#include "client/session/safe_until.h"

#include <algorithm>

#include "base/canary.h"

namespace holdfast::session {

SafeUntil::SafeUntil(milliseconds ttl, Instant sent_at) : ttl_(ttl), until_(sent_at) { extend(sent_at); }

Duration SafeUntil::safe_for(Instant now) const { return now < until_ ? until_ - now : Duration(0); }

void SafeUntil::sent() { due_ = kNever; }

void SafeUntil::acknowledged(Instant sent_at, milliseconds ttl) {
  ttl_ = ttl;
  extend(sent_at);
}

void SafeUntil::failed(Instant now) {
  // Often enough that several tries fit into what is left, seldom enough not to storm a cluster in trouble.
  due_ = now + std::clamp<Duration>(Duration(ttl_) / 20, milliseconds(5), milliseconds(250));
}

void SafeUntil::extend(Instant sent_at) {
  // Answers may overtake each other; an older one never takes back what a newer one promised.
  const int margin = HOLDFAST_CANARY(client_is_sure_of_a_lock_too_long) ? -100 : kMarginPercent;
  until_ = std::max(until_, sent_at + Duration(ttl_) * (100 - margin) / 100);
  due_ = sent_at + Duration(ttl_) / 3;
}

}  // namespace holdfast::session
