"""What is wrong with a command line is said in one line, with exit status 2, and nobody is asked."""
import subprocess
import time
import unittest

from cluster import Cluster


class Usage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(members=1)  # never started: usage is judged without it
        cls.addClassCleanup(cls.cluster.close)

    def refused(self, *words, says=()):
        done = self.cluster.run(*words, text=True)
        self.assertEqual(done.status, 2, done)
        self.assertEqual(done.out, b"", done)
        message = done.err.decode()
        self.assertEqual(message.count("\n"), 1, done)
        for word in says:
            self.assertIn(word, message)

    def test_a_missing_word_is_named(self):
        self.refused()
        self.refused("put", says=["KEY"])
        self.refused("put", "k", says=["VALUE"])
        self.refused("lease")
        self.refused("lease", "revoke", says=["ID"])
        self.refused("member")
        self.refused("member", "add", says=["NAME"])
        self.refused("member", "add", "n4", says=["PEER"])
        self.refused("member", "add", "n4", "nowhere", says=["PEER", "nowhere"])
        self.refused("member", "replace", "n1", "n4", says=["PEER"])
        self.refused("leader", "transfer", says=["NAME"])
        self.refused("register", "web", "--address", "h:1", says=["--id"])
        self.refused("register", "web", "--id", "a", says=["--address"])
        self.refused("lock", says=["NAME"])
        self.refused("lock", "x", "--", says=["COMMAND"])

    def test_a_word_too_many_is_named(self):
        self.refused("frobnicate", says=["frobnicate"])
        self.refused("put", "k", "v", "extra", says=["extra"])
        self.refused("get", "k", "--sideways", says=["--sideways"])
        self.refused("lock", "x", "echo", says=["echo"])

    def test_a_duration_needs_a_unit(self):
        for text in ("10", "s", "1.5s", "-1s", "10 s", "10d", "99999999999999999999s"):
            self.refused("lease", "grant", text, says=["TTL"] if not text.startswith("-") else [])
            self.refused("lock", "x", f"--wait={text}", says=["--wait", text])
            self.refused(f"--timeout={text}", "status", says=["--timeout", text])
        self.refused("lease", "grant", "0s", says=["above zero"])
        self.refused("lock", "x", "--ttl", "0ms", says=["--ttl"])

    def test_numbers_addresses_leases_and_pairs_are_checked(self):
        self.refused("get", "k", "--limit", "-1", says=["--limit", "-1"])
        self.refused("put", "k", "v", "--if-revision", "seven", says=["--if-revision", "seven"])
        self.refused("put", "k", "v", "--lease", "xyz", says=["--lease", "xyz"])
        self.refused("lease", "show", "11112222333344445", says=["16 hexadecimal digits"])
        for address in ("host", "host:", ":80", "host:0", "host:65536", "::1:80"):
            self.refused("register", "web", "--id", "a", "--address", address, says=["--address", address])
            self.refused("--endpoints", address, "status", says=["--endpoints", address])
        self.refused("--endpoints", "a:1,,b:2", "status", says=["--endpoints"])
        self.refused("register", "web", "--id", "a", "--address", "h:1", "--meta", "novalue", says=["--meta", "novalue"])
        self.refused("-o", "xml", "status", says=["xml"])
        self.refused("lock", "x", "--try", "--wait", "1s", says=["--try", "--wait"])

    def test_the_environment_is_checked_too_and_gives_way_to_the_command_line(self):
        environment = self.cluster.environment()
        environment["HOLDFAST_TIMEOUT"] = "5"
        words = [self.cluster.server_words("n1")[0].replace("holdfastd", "holdfast"), "status"]
        done = subprocess.run(words, env=environment, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--timeout", done.stderr)

    def test_help_is_no_failure(self):
        for words in (["--help"], ["lock", "--help"], ["lease", "grant", "--help"]):
            done = self.cluster.run(*words, text=True)
            self.assertEqual((done.status, done.err), (0, b""), done)
            self.assertIn(b"Usage", done.out)


class Unreachable(unittest.TestCase):
    def test_without_a_cluster_every_command_exits_3_within_its_timeout(self):
        cluster = Cluster(members=1)
        self.addCleanup(cluster.close)
        lease = "00000000000000aa"
        for words in (["put", "k", "v"], ["get", "k"], ["del", "k"], ["watch", "k"], ["lease", "grant", "10s"],
                      ["lease", "keep-alive", lease], ["lease", "revoke", lease], ["lease", "show", lease],
                      ["lease", "list"], ["register", "web", "--id", "a", "--address", "h:1"], ["deregister", "web", "a"],
                      ["services"], ["resolve", "web"], ["resolve", "web", "--watch"], ["lock", "x"], ["lock", "x", "--try"],
                      ["lock", "x", "--wait", "1m"], ["locks"], ["status"], ["member", "list"], ["member", "add", "n4", "h:1"], ["member", "promote", "n4"],
                      ["member", "remove", "n4"], ["member", "replace", "n1", "n4", "h:1"], ["leader", "transfer", "n1"]):
            began = time.monotonic()
            done = cluster.run(*words, options=("--timeout", "300ms"))
            self.assertEqual(done.status, 3, done)
            self.assertEqual(done.out, b"", done)
            self.assertEqual(done.err.count(b"\n"), 1, done)
            self.assertLess(time.monotonic() - began, 5.0, done)


if __name__ == "__main__":
    unittest.main()
