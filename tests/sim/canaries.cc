#include "tests/sim/canaries.h"

#include <algorithm>

#include "base/canary.h"
#include "tests/sim/world.h"

namespace holdfast::sim {

const std::vector<Canary>& canaries() {
  static const std::vector<Canary> all = {
      // raft
      {"acknowledge_before_durable", "a follower acknowledges entries that a crash can still take", 200},
      {"append_behind_another_term", "a follower appends behind an entry of another term", 800},
      {"change_membership_before_the_no_op", "a new leader changes who takes part before its first commit",
       1000},
      {"change_membership_while_one_is_open", "a second change begins before the first one is over", 200},
      {"commit_an_old_term_by_counting", "a leader counts replicas of an older term's entry", 800},
      {"commit_before_the_membership_entry", "new voters decide about what stands before them", 200},
      {"commit_beyond_what_matches", "a follower commits what it did not compare with the leader's log", 400},
      {"count_a_pre_vote_as_a_vote", "a candidate counts a late pre-vote", 800},
      {"count_the_new_voters_only", "a joint membership commits by one side", 200},
      {"count_what_the_leader_has_not_synced", "a leader counts itself before its own disk did", 200},
      {"forget_the_vote_when_following", "a vote is forgotten within its term", 400},
      {"learners_confirm_reads", "who does not vote counts when a leader asks whether it still leads", 800},
      {"leave_joint_before_it_is_committed", "the new voters take over before the old ones agreed", 200},
      {"membership_outlives_its_entry", "a truncated change of the membership stays in force", 1000},
      {"read_before_the_no_op", "a new leader answers reads before its first commit", 400},
      {"read_in_an_older_round", "a question joins a round of ReadIndex that began before it", 400},
      {"send_beyond_the_window", "a leader sends a follower that does not answer more and more", 400},
      {"snapshot_without_its_membership", "whoever installs an image goes on with its old membership", 200},
      {"take_whatever_is_proposed", "a leader that cannot commit takes proposals without end", 400},
      {"truncate_a_matching_suffix", "a late message cuts off what a newer one brought", 400},
      {"vote_for_a_shorter_log", "a voter does not compare logs", 400},
      {"vote_twice_in_a_term", "a voter forgets that it voted", 400},
      {"vote_without_persisting", "a crash takes a vote back", 800},
      {"wiped_disk_votes", "a disk votes for a log that does not know it", 400},
      // node
      {"answer_by_index_alone", "a caller is told of the entry that took its entry's place", 800},
      {"call_unknown_unavailable", "a member says that a write had no effect, which may have one yet", 200},
      {"expire_by_the_first_deadline", "the leader ends a lease in spite of its renewals", 100},
      {"image_ahead_of_the_durable_log", "an image has entries that the log may lose", 200},
      {"keepalive_before_the_no_op", "a new leader renews leases that its predecessor may have ended", 400},
      {"keepalive_over_an_undecided_expiry", "a lease is renewed while its end is in the log", 800},
      {"keepalive_without_asking", "a leader renews leases without asking whether it still leads", 400},
      {"new_leader_gives_half_a_ttl", "a new leader does not give a lease its whole time again", 400},
      {"low_space_takes_entries", "a follower that is short of space takes what a leader sends", 400},
      {"low_space_takes_writes", "a leader that is short of space takes writes", 400},
      {"queue_whatever_is_asked", "a leader takes commands without end, though none is decided", 400},
      {"read_without_asking", "a leader answers reads without asking whether it still leads", 400},
      {"slow_watcher_keeps_its_queue", "what waits for a slow watcher grows", 400},
      {"slow_watcher_loses_its_queue", "a watcher that falls behind goes on behind what it missed", 1000},
      {"watch_resumes_one_too_late", "a watch begins one revision too late", 100},
      // state
      {"attach_a_key_to_a_dead_lease", "a key outlives its lease because it came after its end", 800},
      {"cancel_keeps_the_grant", "a cancel that comes after the grant does nothing", 200},
      {"compare_and_swap_without_comparing", "a put with an expected revision takes any", 200},
      {"forgotten_command_runs_again", "a repeated command runs again once its outcome is forgotten", 400},
      {"grant_a_held_lock", "who tries a held lock gets it", 100},
      {"grant_without_looking_at_the_lease", "a lock goes to a lease that has ended", 400},
      {"history_not_made_once_more", "a start leaves out what the image's rows lack", 800},
      {"image_keeps_what_was_deleted", "deletions do not reach the image", 800},
      {"lease_ends_without_its_attachments", "what hangs on a lease outlives it", 200},
      {"lost_reply_runs_again", "a command whose answer was lost runs again", 200},
      {"queue_is_a_stack", "who comes last is served first", 200},
      {"release_with_an_old_token", "anybody may release a lock", 800},
      {"two_grants_with_one_token", "one command's grants share a token", 200},
      {"walk_forgets_what_was_deleted", "a walk over the configuration leaves deleted rows in the image",
       800},
      // storage
      {"commit_without_a_sync", "the store calls durable what a power cut can still take", 400},
      {"vote_is_written_with_its_term_only", "a vote in a term that is stored already is not", 400},
      // client/session
      {"client_calls_an_ambiguous_write_refused", "the client says that a write had no effect, not knowing",
       200},
      {"client_is_sure_of_a_lock_too_long", "a holder believes in its lock when its lease is over", 1000},
      {"client_repeats_what_has_no_stamp", "a write that nothing tells apart is sent again", 200},
      {"client_watch_repeats_what_it_had", "a resumed watch delivers again what it had of a revision", 400},
      {"client_writes_again_under_a_new_session", "a write that may have run is sent under a new session",
       800},
  };
  return all;
}

const Canary* find_canary(std::string_view name) {
  auto found = std::find_if(canaries().begin(), canaries().end(),
                            [name](const Canary& canary) { return canary.name == name; });
  return found == canaries().end() ? nullptr : &*found;
}

CanarySwitch::CanarySwitch(std::string_view name) { canary::active = canary::id(name); }
CanarySwitch::~CanarySwitch() { canary::active = 0; }

std::optional<Kill> hunt(const Canary& canary) {
  for (std::uint64_t seed = 1; seed <= canary.most_seeds; ++seed) {
    WorldResult broken;
    {
      CanarySwitch on(canary.name);
      broken = World(seed, draw_options(seed)).run();
    }
    if (!broken.failure || broken.failure->invariant == Invariant::kAssertion) continue;
    // Without the canary the seed must be clean, or it proves nothing about the canary.
    if (World(seed, draw_options(seed)).run().failure) continue;
    return Kill{seed, broken.failure->invariant, broken.failure->what};
  }
  return std::nullopt;
}

}  // namespace holdfast::sim
