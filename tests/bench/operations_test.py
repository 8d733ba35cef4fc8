"""Each operation of holdfast-bench against real servers. What it counts is checked, never how fast it was."""
import json
import subprocess
import unittest

from cluster import BIN, Cluster

KEYS = ["op", "count", "errors", "seconds", "rate", "p50_us", "p99_us", "p999_us", "max_us"]


def bench(cluster, *words):
    command = [str(BIN / "holdfast-bench"), *[str(word) for word in words], "-o", "json"]
    return subprocess.run(command, capture_output=True, env=cluster.environment(), timeout=60, check=False)


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(members=1))

    def figures(self, *words):
        done = bench(self.cluster, *words)
        self.assertEqual(done.returncode, 0, done)
        figures = json.loads(done.stdout.decode().splitlines()[-1])
        self.assertEqual(list(figures)[:len(KEYS)], KEYS)
        self.assertEqual(figures["op"], words[0])
        self.assertEqual(figures["errors"], 0)
        self.assertLessEqual(figures["p50_us"], figures["max_us"])
        return figures

    def test_operations_that_are_calls_count_each_of_them(self):
        small = ("--connections", 3, "--in-flight", 10, "--total", 100)
        for operation in ("put", "get", "mixed", "lock", "contended", "lease", "churn"):
            self.assertEqual(self.figures(operation, *small)["count"], 100, operation)
        self.assertEqual(self.figures("keepalive", "--leases-per-call", 5, *small)["count"], 500)

    def keys(self):
        return len(self.cluster.ok("get", "/bench/key", "--prefix", "--keys-only")["entries"])

    def test_puts_may_remove_keys_of_their_key_space(self):
        self.cluster.ok("del", "/bench/key", "--prefix")  # of other runs
        self.figures("put", "--total", 200, "--key-space", 20, "--in-order")
        self.assertEqual(self.keys(), 20)
        self.figures("put", "--total", 200, "--key-space", 20, "--delete-percent", 100, "--in-order")
        self.assertEqual(self.keys(), 0)
        self.figures("put", "--total", 400, "--key-space", 20, "--delete-percent", 50)
        left = self.keys()
        self.assertTrue(0 < left < 20, left)

    def test_a_run_leaves_no_lease_behind(self):
        for words in (("lock",), ("lease",), ("churn",), ("keepalive", "--leases-per-call", 3)):
            self.figures(*words, "--connections", 2, "--in-flight", 4, "--total", 20)
            self.assertEqual(self.cluster.ok("lease", "list")["leases"], [], words)

    def test_a_watch_counts_what_every_watcher_was_told(self):
        shared = self.figures("watch", "--watchers", 20, "--connections", 4, "--total", 30)
        self.assertEqual((shared["count"], shared["writes"]), (600, 30))
        in_step = self.figures("watch", "--watchers", 20, "--in-step", "--connections", 4, "--total", 30)
        self.assertEqual((in_step["count"], in_step["writes"]), (600, 30))
        own = self.figures("watch", "--watchers", 20, "--own-prefix", "--connections", 4, "--in-flight", 3, "--total", 30)
        self.assertEqual((own["count"], own["writes"]), (30, 30))

    def test_live_instances_are_kept_alive_past_their_time_and_leave_nothing(self):
        figures = self.figures("churn", "--live", "--instances", 40, "--ttl", 600, "--leases-per-call", 7, "--connections", 2,
                               "--duration", 1)
        self.assertEqual(figures["instances"], 40)
        self.assertGreaterEqual(figures["count"], 4 * 40)  # every 200 ms
        self.assertEqual([service for service in self.cluster.ok("services")["services"] if "bench-live" in service["name"]], [])

    def test_an_open_loop_takes_the_time_that_its_rate_says(self):
        figures = self.figures("put", "--rate", 200, "--total", 100, "--connections", 2, "--in-flight", 10)
        self.assertEqual(figures["count"], 100)
        self.assertGreaterEqual(figures["seconds"], 99 / 200)
        timed = self.figures("put", "--rate", 100, "--duration", "0.5", "--connections", 2, "--in-flight", 10)
        self.assertEqual(timed["count"], 50)

    def test_a_drawing_is_written_and_a_cluster_that_is_not_there_is_named(self):
        drawing = self.cluster.dir / "latencies.svg"
        self.figures("put", "--total", 50, "--plot", drawing)
        self.assertIn("<svg", drawing.read_text())
        done = bench(self.cluster, "put", "--endpoints", "127.0.0.1:1")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"127.0.0.1:1", done.stderr)


class Failover(unittest.TestCase):
    def test_writes_go_on_after_the_named_process_was_killed_and_the_gap_is_told(self):
        with Cluster() as cluster:
            leader = cluster.servers[cluster.leader()]
            done = bench(cluster, "failover", "--kill", leader.pid, "--kill-after", "0.3", "--duration", 2)
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(leader.wait(1), -9)
            figures = json.loads(done.stdout.decode().splitlines()[-1])
            self.assertGreater(figures["gap_after_kill_us"], 0)
            self.assertGreaterEqual(figures["longest_gap_us"], figures["gap_after_kill_us"])
            self.assertGreaterEqual(figures["slowest_client_us"], figures["gap_after_kill_us"])
            self.assertGreater(figures["count"], 0)

    def test_a_cluster_that_does_not_come_back_is_not_a_success(self):
        with Cluster(members=1) as cluster:
            done = bench(cluster, "failover", "--kill", cluster.servers["n1"].pid, "--kill-after", "0.2", "--duration", "0.6",
                         "--call-timeout", 100)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(b"no write was acknowledged any more", done.stderr)
            self.assertGreater(json.loads(done.stdout.decode().splitlines()[-1])["gap_after_kill_us"], 300_000)

    def test_a_planned_stop_ends_the_member_as_it_wants_to_end(self):
        with Cluster(members=1) as cluster:
            member = cluster.servers["n1"]
            done = bench(cluster, "failover", "--kill", member.pid, "--terminate", "--kill-after", "0.2", "--duration", "0.5",
                         "--call-timeout", 100)
            self.assertEqual(done.returncode, 1, done)
            self.assertEqual(member.wait(10), 0)

    def test_a_planned_stop_of_the_leader_fails_no_write(self):
        with Cluster() as cluster:
            for _ in range(2):
                leader = cluster.leader()
                done = bench(cluster, "failover", "--kill", cluster.servers[leader].pid, "--terminate", "--kill-after", "0.3",
                             "--duration", "0.8", "--call-timeout", 5000)
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(json.loads(done.stdout.decode().splitlines()[-1])["errors"], 0, done)
                self.assertEqual(cluster.servers[leader].wait(10), 0)
                cluster.start(leader)
                cluster.await_ready(leader)

    def test_a_stopped_member_goes_on_at_the_end(self):
        with Cluster(members=1) as cluster:
            done = bench(cluster, "failover", "--kill", cluster.servers["n1"].pid, "--stop", "--kill-after", "0.2", "--duration",
                         "0.5", "--call-timeout", 100)
            self.assertEqual(done.returncode, 1, done)
            cluster.ok("put", "k", "it answers")

    def test_a_process_that_is_not_there_or_a_run_that_is_too_short_measures_nothing(self):
        with Cluster(members=1) as cluster:
            nobody = 1 << 30  # above what any system gives
            short = ("--kill-after", "0.1", "--duration", "0.3")
            self.assertEqual(bench(cluster, "failover", "--kill", nobody, *short).returncode, 3)
            late = bench(cluster, "failover", "--kill", cluster.servers["n1"].pid, "--kill-after", 30, "--duration", "0.1")
            self.assertEqual(late.returncode, 3)
            self.assertIn(b"--kill-after", late.stderr)
            cluster.ok("put", "k", "nobody was killed")


if __name__ == "__main__":
    unittest.main()
