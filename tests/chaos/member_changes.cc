#include "tests/chaos/member_changes.h"

#include <holdfast/client.h>

#include <csignal>

#include "tests/chaos/waiting.h"

namespace holdfast::chaos {

namespace {

using Kind = MemberChange::Kind;

/// What a removed member ends with.
constexpr int kRemoved = 1;

client::Client client_of(const std::vector<std::string>& endpoints) {
  client::Options options;
  options.endpoints = endpoints;
  options.call_timeout = milliseconds(2000);
  options.session_ttl = milliseconds(0);
  return client::Client(options);
}

/// "voter", "learner", ...; empty: it has none.
std::string part_of(const client::Membership& membership, const std::string& name) {
  for (const client::Participant& member : membership.members) {
    if (member.name == name) return member.part;
  }
  return {};
}

bool is_done(const MemberChange& change, const client::Membership& membership) {
  if (membership.changing) return false;
  const bool is_gone = change.kind == Kind::kPromote || part_of(membership, change.gone).empty();
  const bool has_come = change.kind == Kind::kRemove || part_of(membership, change.come) == "voter";
  return is_gone && has_come;
}

client::Result<client::MemberChange> ask(client::Client& client, const MemberChange& change) {
  if (change.kind == Kind::kPromote) return client.promote_member(change.come);
  if (change.kind == Kind::kRemove) return client.remove_member(change.gone);
  return client.replace_member(change.gone, change.come, change.address);
}

/// Asks, looks, and asks again. `Done`: of the membership.
template <typename Done, typename Ask>
Result<void> ask_until(client::Client& client, milliseconds limit, const std::string& what, Done done,
                       Ask ask_for_it) {
  std::string said = "nothing";
  const bool came_about = wait_until(
      [&] {
        const auto membership = client.members();
        if (!membership) return said = membership.error().message, false;
        if (done(*membership)) return true;
        if (const auto asked = ask_for_it(); !asked) said = asked.error().message;
        return false;
      },
      limit);
  if (came_about) return {};
  return fail(Errc::kUnavailable, what + " did not come about within " + std::to_string(limit.count()) +
                                      " ms; last said: " + said);
}

}  // namespace

Result<void> carry_out(const MemberChange& change, const std::vector<std::string>& endpoints,
                       milliseconds limit) {
  client::Client client = client_of(endpoints);
  const std::string what = "the change -" + change.gone + " +" + change.come;
  return ask_until(
      client, limit, what, [&](const client::Membership& now) { return is_done(change, now); },
      [&] { return ask(client, change); });
}

Result<std::size_t> bring_in(Members& members, milliseconds limit) {
  std::size_t place = 0;
  while (place < members.count() && members.part(place) != Members::Part::kNone) ++place;
  if (place == members.count()) return fail(Errc::kUnavailable, "there is no empty place");
  const std::string& name = members.name(place);
  client::Client client = client_of(members.own_endpoints());
  auto added = ask_until(
      client, limit, "adding " + name,
      [&](const client::Membership& now) { return !part_of(now, name).empty(); },
      [&] { return client.add_member(name, members.peer_address(place), {.learner = true}); });
  if (!added) return fail(added.error());
  members.let_join(place);
  if (auto started = members.start(place); !started) return fail(started.error());
  members.set_part(place, Members::Part::kMember);
  if (members.await_ready(place, limit)) return place;
  return fail(Errc::kUnavailable, name + " did not come in; its log ends:\n" + members.log_tail(place));
}

Result<void> see_off(Members& members, std::size_t place, milliseconds limit) {
  members.set_part(place, Members::Part::kNone);
  const bool ended = wait_until([&] { return !members.is_running(place); }, limit);
  members.kill(place);
  const int status = members.status(place);
  if (ended && (status == kRemoved || status == 128 + SIGKILL)) return {};
  return fail(Errc::kUnavailable, members.name(place) + " was removed and " +
                                      (ended ? "ended with status " + std::to_string(status) : "runs on") +
                                      "; its log ends:\n" + members.log_tail(place));
}

}  // namespace holdfast::chaos
