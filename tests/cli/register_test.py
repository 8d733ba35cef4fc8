"""register keeps an instance registered, alone or for as long as COMMAND runs, and never reads standard input."""
import os
import signal
import subprocess
import unittest

from cluster import eventually
from single_node import SingleNode


class Register(SingleNode):
    def instances(self, service):
        return [one["id"] for one in self.ok("resolve", service)["instances"]]

    def register(self, service, *words, **how):
        return self.spawn("register", service, "--id", "one", "--address", "127.0.0.1:80", *words, **how)

    def test_it_stays_registered_until_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            running = self.register("alone", "--ttl", "600ms")
            lease = running.json()["lease"]
            for _ in range(3):
                before = self.ok("lease", "show", lease)["remaining_ms"]
                eventually(lambda: self.ok("lease", "show", lease)["remaining_ms"] > before, "the lease is renewed")
            self.assertEqual(self.instances("alone"), ["one"])
            running.send(number)
            self.assertEqual(running.end(), 0)
            self.assertEqual(self.instances("alone"), [])

    def test_the_end_of_input_does_not_end_it(self):
        running = self.register("deaf", stdin=subprocess.DEVNULL)
        running.line()
        self.ok("put", "a-call", "that takes a while")
        self.assertIsNone(running.process.poll())
        self.assertEqual(self.instances("deaf"), ["one"])

    def test_it_never_reads_standard_input(self):
        read_end, write_end = os.pipe()
        os.write(write_end, b"untouched")
        os.close(write_end)
        running = self.register("unread", stdin=read_end)
        running.line()
        running.process.terminate()
        running.end()
        self.assertEqual(os.read(read_end, 100), b"untouched")
        os.close(read_end)

    def test_a_command_gets_the_input_and_its_end_deregisters(self):
        read_end, write_end = os.pipe()
        running = self.register("command", "--", "sh", "-c", "read line; echo \"$line\"; exit 5", stdin=read_end)
        os.close(read_end)
        self.assertEqual(running.json()["service"], "command")
        self.assertEqual(self.instances("command"), ["one"])
        os.write(write_end, b"a line\n")
        os.close(write_end)
        self.assertEqual(running.line(), "a line")
        self.assertEqual(running.end(), 5)
        self.assertEqual(self.instances("command"), [])

    def test_a_command_whose_registration_is_lost_is_ended(self):
        running = self.register("lost", "--ttl", "900ms", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
        lease = running.json()["lease"]
        self.ok("lease", "revoke", lease)
        self.assertEqual(running.end(), 1)

    def test_alone_it_registers_anew_after_a_lost_lease(self):
        running = self.register("anew", "--ttl", "900ms")
        lease = running.json()["lease"]
        self.ok("lease", "revoke", lease)
        eventually(lambda: [one["lease"] for one in self.ok("resolve", "anew")["instances"]] not in ([], [lease]),
                   "it is registered under another lease")
        running.process.terminate()
        self.assertEqual(running.end(), 0)
        self.assertEqual(self.instances("anew"), [])

    def test_a_killed_one_disappears_with_its_lease(self):
        running = self.register("killed", "--ttl", "700ms")
        running.line()
        running.send(signal.SIGKILL)
        eventually(lambda: self.instances("killed") == [], "the instance is gone")

    def test_the_same_id_takes_the_place_of_the_one_before(self):
        self.register("replaced").line()
        second = self.register("replaced")
        lease = second.json()["lease"]
        self.assertEqual([one["lease"] for one in self.ok("resolve", "replaced")["instances"]], [lease])


if __name__ == "__main__":
    unittest.main()
