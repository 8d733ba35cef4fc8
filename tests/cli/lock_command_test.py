"""lock with COMMAND: what it is told, what is passed on, and that nothing of it outlives the lock."""
import os
import pathlib
import signal
import subprocess
import time
import unittest

from cluster import eventually
from single_node import SingleNode

# Says its process group, ignores SIGTERM, and leaves a child behind that does the same.
STUBBORN = "trap '' TERM; echo $$; (while :; do sleep 0.1; done) & while :; do sleep 0.1; done"


def group_is_gone(number):
    """True if no process of the group runs: one that is dead but not yet collected by its parent does nothing."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it ended while we looked
        if int(group) == number and state not in "ZX":
            return False
    return True


class LockCommand(SingleNode):
    def is_free(self, name):
        return self.ok("locks", name)["locks"] == []

    def run_under(self, name, *command, words=(), text=True, **how):
        return self.run_cli("lock", name, *words, "--", *command, text=text, **how)

    def test_it_is_told_lock_token_and_endpoints(self):
        done = self.run_under("told", "sh", "-c", "echo $HOLDFAST_LOCK $HOLDFAST_TOKEN $HOLDFAST_ENDPOINTS", text=False)
        first, second = done.out.decode().splitlines()  # the CLI's line comes first
        self.assertIn('"lock":"told"', first)
        token = first.split('"token":')[1].split(",")[0]
        self.assertEqual(second, f"told {token} {self.cluster.endpoints}")

    def test_in_text_only_its_own_output_is_printed(self):
        self.assertEqual(self.run_under("plain", "echo", "mine").out, b"mine\n")

    def test_its_words_are_passed_on_as_they_are(self):
        words = ["[a,b]", "", "--", "-x", "{}", "a b", "--try"]
        done = self.run_under("words", "printf", r"<%s>", *words)
        self.assertEqual(done.out.decode(), "".join(f"<{word}>" for word in words))

    def test_its_exit_status_is_passed_on(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill -TERM $$", 143)):
            self.assertEqual(self.run_under("status", "sh", "-c", script).status, status, script)
            self.assertTrue(self.is_free("status"))

    def test_a_command_that_cannot_run_frees_the_lock(self):
        self.assert_refused(self.run_under("cannot", "no-such-command"), 127, "no-such-command")
        self.assert_refused(self.run_under("cannot", "/etc/passwd"), 126, "/etc/passwd")
        self.assertTrue(self.is_free("cannot"))

    def test_it_gets_standard_input(self):
        read_end, write_end = os.pipe()
        os.write(write_end, b"one\ntwo\n")
        os.close(write_end)
        self.assertEqual(self.run_under("fed", "cat", stdin=read_end).out, b"one\ntwo\n")
        os.close(read_end)

    def test_it_inherits_no_descriptor_and_no_blocked_signal(self):
        done = self.run_under("clean", "sh", "-c", "ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status")
        count, mask = done.out.decode().splitlines()
        self.assertLessEqual(int(count), 4)  # 0, 1, 2 and the directory that ls reads
        self.assertEqual(int(mask.split()[1], 16), 0)

    def test_signals_are_forwarded_to_its_group(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            running = self.spawn("lock", "forwarded", "--", "sh", "-c",
                                 "trap 'echo got; exit 9' TERM INT HUP; echo ready; while :; do sleep 0.1; done", options=())
            self.assertEqual(running.line(), "ready")
            running.send(number)
            self.assertEqual(running.line(), "got")
            self.assertEqual(running.end(), 9)
            self.assertTrue(self.is_free("forwarded"))

    def test_a_lost_lease_ends_the_whole_group_and_exits_1(self):
        running = self.spawn("lock", "lost", "--ttl", "900ms", "--", "sh", "-c", STUBBORN, options=())
        group = int(running.line())
        lease = self.ok("locks", "lost")["locks"][0]["holders"][0]["lease"]
        self.ok("lease", "revoke", lease)
        self.assertEqual(running.end(), 1)
        eventually(lambda: group_is_gone(group), "the group is gone", 2)
        self.assertIn("lost", running.errors())

    def test_a_command_that_heeds_sigterm_may_clean_up(self):
        running = self.spawn("lock", "heeded", "--ttl", "900ms", "--", "sh", "-c",
                             "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done", options=())
        self.assertEqual(running.line(), "ready")
        self.ok("lease", "revoke", self.ok("locks", "heeded")["locks"][0]["holders"][0]["lease"])
        self.assertEqual(running.line(), "cleaned")
        self.assertEqual(running.end(), 1)

    def test_stopped_past_its_lease_it_ends_the_group_when_it_continues(self):
        running = self.spawn("lock", "paused", "--ttl", "600ms", "--", "sh", "-c", STUBBORN, options=())
        group = int(running.line())
        running.send(signal.SIGSTOP)
        self.ok("lock", "paused", "--wait", "10s")
        running.send(signal.SIGCONT)
        self.assertEqual(running.end(), 1)
        eventually(lambda: group_is_gone(group), "the group is gone", 2)

    def test_stopped_past_its_lease_it_exits_1_though_the_command_succeeded_meanwhile(self):
        gate_read, gate_write = os.pipe()
        running = self.spawn("lock", "finished", "--ttl", "600ms", "--", "sh", "-c", "echo on; read line; exit 0",
                             options=(), stdin=gate_read)
        os.close(gate_read)
        self.assertEqual(running.line(), "on")
        running.send(signal.SIGSTOP)
        self.ok("lock", "finished", "--wait", "10s")
        os.write(gate_write, b"go\n")
        os.close(gate_write)
        running.send(signal.SIGCONT)
        self.assertEqual(running.end(), 1)

    def test_the_timeout_does_not_bound_the_command(self):
        done = self.cluster.run("lock", "long", "--", "sh", "-c", "sleep 1; exit 4", options=("--timeout", "300ms"), text=True)
        self.assertEqual(done.status, 4)


class ClusterGone(SingleNode):
    def test_the_group_is_killed_before_the_lease_could_expire(self):
        """The only server stops answering: nobody says that the lock is lost, the clock alone does."""
        ttl = 2.0
        running = self.spawn("lock", "silent", "--ttl", "2s", "--", "sh", "-c", STUBBORN, options=("--timeout", "300ms"))
        group = int(running.line())
        self.addCleanup(self.cluster.kill, "n1", signal.SIGCONT)
        self.cluster.kill("n1", signal.SIGSTOP)
        stopped = time.monotonic()
        eventually(lambda: group_is_gone(group), "the group is gone", ttl)
        # Renewed at the latest when the server stopped, the lease lives until then plus its TTL.
        self.assertLess(time.monotonic() - stopped, ttl)
        self.assertEqual(running.end(), 1)


if __name__ == "__main__":
    unittest.main()
