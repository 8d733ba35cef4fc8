"""lock without COMMAND, and locks: the fine print that scripts rely on."""
import os
import re
import signal
import subprocess
import time
import unittest

from cluster import eventually
from single_node import SingleNode


class Locking(SingleNode):
    def hold(self, name, *words):
        """A lock held for as long as its standard input is open."""
        running = self.spawn("lock", name, *words, stdin=subprocess.PIPE)
        return running, running.json()

    def lock(self, name):
        locks = self.ok("locks", name)["locks"]
        return locks[0] if locks else {"lock": name, "holders": [], "queue": []}

    def await_queue(self, name, length):
        eventually(lambda: len(self.lock(name)["queue"]) == length, f"{length} wait for {name}")

    def test_shapes(self):
        holder, locked = self.hold("shape", "--owner", "alice")
        self.assert_keys(locked, "lock", "token", "lease")
        self.assertEqual(locked["lock"], "shape")
        self.assertRegex(locked["lease"], r"^[0-9a-f]{16}$")
        self.spawn("lock", "shape", "--owner", "bob", stdin=subprocess.PIPE)
        self.await_queue("shape", 1)
        shown = self.ok("locks", "shape")
        self.assert_keys(shown, "locks")
        lock = shown["locks"][0]
        self.assert_keys(lock, "lock", "holders", "queue")
        self.assert_keys(lock["holders"][0], "token", "lease", "mode", "owner", "held_ms")
        self.assert_keys(lock["queue"][0], "position", "lease", "mode", "owner", "waiting_ms")
        held, waiting = lock["holders"][0], lock["queue"][0]
        self.assertEqual((held["token"], held["lease"], held["mode"], held["owner"]),
                         (locked["token"], locked["lease"], "exclusive", "alice"))
        self.assertEqual((waiting["position"], waiting["mode"], waiting["owner"]), (1, "exclusive", "bob"))
        self.assertIn("shape", [one["lock"] for one in self.ok("locks")["locks"]])
        holder.process.stdin.close()
        self.assertEqual(holder.end(), 0)

    def test_it_holds_until_the_end_of_input_and_then_it_is_free(self):
        holder, locked = self.hold("input")
        holder.process.stdin.write(b"what is typed is not heeded\n")
        holder.process.stdin.flush()
        self.assertEqual(self.run_cli("lock", "input", "--try").status, 1)
        holder.process.stdin.close()
        self.assertEqual(holder.end(), 0)
        again = self.ok("lock", "input", "--try")
        self.assertGreater(again["token"], locked["token"])
        self.assertEqual(self.ok("locks", "input"), {"locks": []})

    def test_it_holds_until_a_signal_and_then_it_is_free(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            holder, _ = self.hold("signal")
            holder.send(number)
            self.assertEqual(holder.end(), 0)
            self.assertEqual(self.lock("signal")["holders"], [])

    def test_try_is_told_at_once_who_holds_it(self):
        self.hold("tried", "--owner", "alice of the night shift")
        began = time.monotonic()
        done = self.run_cli("lock", "tried", "--try")
        self.assert_refused(done, 1, "tried", "alice of the night shift")
        self.assertEqual(done.out, b"")
        self.assertLess(time.monotonic() - began, 3.0)

    def test_wait_is_bounded_by_itself_and_not_by_the_timeout(self):
        self.hold("waited", "--owner", "alice")
        began = time.monotonic()
        done = self.cluster.run("lock", "waited", "--wait", "1s", options=("--timeout", "300ms"))
        self.assert_refused(done, 1, "waited", "alice", "1s")
        self.assertGreaterEqual(time.monotonic() - began, 1.0)
        self.assertEqual(self.lock("waited")["queue"], [])

    def test_without_wait_it_waits_as_long_as_it_takes(self):
        holder, first = self.hold("patient")
        waiter = self.spawn("lock", "patient", options=("-o", "json", "--timeout", "300ms"), stdin=subprocess.PIPE)
        self.await_queue("patient", 1)
        eventually(lambda: self.lock("patient")["queue"][0]["waiting_ms"] > 900, "it has waited for three timeouts")
        self.assertFalse(waiter.has_output())
        holder.process.stdin.close()
        self.assertGreater(waiter.json()["token"], first["token"])

    def test_the_end_of_input_counts_only_once_it_holds(self):
        holder, _ = self.hold("early")
        waiter = self.spawn("lock", "early", stdin=subprocess.DEVNULL)  # its input has ended from the start
        self.await_queue("early", 1)
        holder.process.stdin.close()
        self.assertEqual(waiter.json()["lock"], "early")
        self.assertEqual(waiter.end(), 0)

    def test_a_signal_ends_the_wait_and_gives_up_the_place(self):
        self.hold("given-up")
        for number in (signal.SIGTERM, signal.SIGINT):
            waiter = self.spawn("lock", "given-up", stdin=subprocess.PIPE)
            self.await_queue("given-up", 1)
            waiter.send(number)
            self.assertEqual(waiter.end(), 1)
            self.assertEqual(self.lock("given-up")["queue"], [])

    def test_a_killed_holder_is_released_by_the_end_of_its_lease(self):
        holder, _ = self.hold("killed", "--ttl", "700ms")
        holder.send(signal.SIGKILL)
        self.assertEqual(self.run_cli("lock", "killed", "--try").status, 1)
        self.ok("lock", "killed", "--wait", "10s")

    def test_a_lost_lock_exits_1(self):
        holder, locked = self.hold("revoked", "--ttl", "900ms")
        self.ok("lease", "revoke", locked["lease"])
        self.assertEqual(holder.end(), 1)
        self.assertIn("lost", holder.errors())

    def test_a_lock_lost_while_it_was_stopped_exits_1_once_it_continues(self):
        holder, _ = self.hold("stopped", "--ttl", "500ms")
        holder.send(signal.SIGSTOP)
        self.ok("lock", "stopped", "--wait", "10s")
        holder.send(signal.SIGCONT)
        self.assertEqual(holder.end(), 1)
        self.assertIn("lost", holder.errors())

    def test_a_stopped_holder_whose_input_ended_meanwhile_exits_1_too(self):
        holder, _ = self.hold("stopped-input", "--ttl", "500ms")
        holder.send(signal.SIGSTOP)
        self.ok("lock", "stopped-input", "--wait", "10s")
        holder.process.stdin.close()
        holder.send(signal.SIGCONT)
        self.assertEqual(holder.end(), 1)

    def test_its_lease_is_kept_alive(self):
        holder, locked = self.hold("kept", "--ttl", "600ms")
        eventually(lambda: self.lock("kept")["holders"][0]["held_ms"] > 1800, "it is held for three times its TTL")
        self.assertEqual(self.lock("kept")["holders"][0]["token"], locked["token"])
        self.assertIsNone(holder.process.poll())

    def test_text_says_what_is_held(self):
        running = self.spawn("lock", "said", options=())
        self.assertRegex(running.line(), re.compile(r"said.*token \d+"))
        self.assertEqual(running.end(), 0)

    def test_a_closed_standard_input_is_an_ended_one(self):
        command = [str(self.cluster.server_words("n1")[0]).replace("holdfastd", "holdfast"), "lock", "closed"]
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        process = subprocess.Popen(["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command], env=self.cluster.environment(),
                                   stdout=write_end)
        os.close(write_end)
        self.assertEqual(process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
