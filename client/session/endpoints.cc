#include "client/session/endpoints.h"

#include <algorithm>

namespace holdfast::session {

namespace {
// A cluster has few members; what they announce over the years must not pile up.
constexpr std::size_t kMostMembers = 64;
}  // namespace

Endpoints::Endpoints(std::vector<std::string> addresses, Random random, Backoff backoff)
    : backoff_(backoff), random_(random) {
  for (auto& address : addresses) {
    if (find(address) == nullptr) {
      members_.push_back(Member{.address = std::move(address)});
    }
  }
}

std::optional<std::string> Endpoints::next(Instant now) {
  if (Member* member = find(preferred_); member != nullptr && member->not_before <= now) {
    return member->address;
  }
  for (bool learnt : {false, true}) {
    for (std::size_t step = 0; step < members_.size(); ++step) {
      std::size_t position = (turn_ + step) % members_.size();
      const Member& member = members_[position];
      if (member.learnt == learnt && member.not_before <= now) {
        turn_ = position + 1;
        return member.address;
      }
    }
  }
  return std::nullopt;
}

Instant Endpoints::ready_at() const {
  Instant earliest = kNever;
  for (const Member& member : members_) {
    earliest = std::min(earliest, member.not_before);
  }
  return earliest;
}

void Endpoints::learn(std::string_view address) {
  if (!address.empty() && find(address) == nullptr && members_.size() < kMostMembers) {
    members_.push_back(Member{.address = std::string(address), .learnt = true});
  }
}

void Endpoints::succeeded(std::string_view address) {
  if (Member* member = find(address)) {
    member->failures = 0;
    member->not_before = Instant::min();
    member->last = "connected";
    preferred_ = address;
  }
}

void Endpoints::failed(std::string_view address, std::string why, Instant now) {
  Member* member = find(address);
  if (member == nullptr) {
    return;
  }
  Duration pause = backoff_.first;
  for (int i = 0; i < member->failures && pause < backoff_.longest; ++i) {
    pause *= 2;
  }
  pause = std::min(pause, backoff_.longest);
  // Half of it is chance: clients that lost the same member at once must not come back at once.
  pause = pause / 2 + Duration(random_.below(static_cast<std::uint64_t>(pause.count()) / 2 + 1));
  ++member->failures;
  member->not_before = now + pause;
  member->last = std::move(why);
  if (preferred_ == address) {
    preferred_.clear();
  }
}

std::string Endpoints::describe() const {
  std::string text;
  for (const Member& member : members_) {
    text += (text.empty() ? "" : ", ") + member.address + " (" +
            (member.last.empty() ? "not tried" : member.last) + ")";
  }
  return text.empty() ? "no endpoints" : text;
}

Endpoints::Member* Endpoints::find(std::string_view address) {
  auto found = std::find_if(members_.begin(), members_.end(),
                            [&](const Member& member) { return member.address == address; });
  return found == members_.end() ? nullptr : &*found;
}

}  // namespace holdfast::session
