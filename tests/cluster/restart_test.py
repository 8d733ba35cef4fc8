"""Members stop and start again, with the same options, at once; and those that must not start say why."""
import pathlib
import signal
import subprocess
import time
import unittest

from cluster import PATIENCE, Cluster, eventually


class Restart(unittest.TestCase):
    def test_a_single_node_keeps_everything_over_kill_9(self):
        with Cluster(members=1) as cluster:
            revision = cluster.ok("put", "kept", "value")["revision"]
            lease = cluster.ok("lease", "grant", "1m")["lease"]
            cluster.ok("put", "leased", "x", "--lease", lease)
            first = cluster.ok("lock", "counted", "--try")["token"]
            for _ in range(2):
                cluster.kill("n1")
                cluster.start("n1")
                cluster.await_ready("n1")
                self.assertEqual(cluster.ok("get", "kept")["entries"][0]["mod_revision"], revision)
                self.assertEqual(cluster.ok("get", "leased")["entries"][0]["lease"], lease)
            self.assertGreater(cluster.ok("lock", "counted", "--try")["token"], first)

    def test_a_whole_cluster_stops_and_starts_again_with_the_same_options(self):
        with Cluster() as cluster:
            cluster_id = cluster.ok("status")["cluster_id"]
            cluster.ok("put", "kept", "value")
            for name in cluster.names:
                cluster.servers[name].terminate()
            for name in cluster.names:
                self.assertEqual(cluster.servers[name].wait(PATIENCE), 0)
            for name in cluster.names:
                cluster.start(name)
            for name in cluster.names:
                cluster.await_ready(name)
            self.assertEqual(cluster.ok("get", "kept")["entries"][0]["value"], "value")
            self.assertEqual(cluster.ok("status")["cluster_id"], cluster_id)

    def test_a_server_stops_within_5_seconds_of_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Cluster(members=1) as cluster:
                watcher = cluster.spawn("watch", "k", "--from-revision", "1")
                cluster.ok("put", "k", "x")
                watcher.line()
                began = time.monotonic()
                self.assertEqual(cluster.kill("n1", number), 0)
                self.assertLess(time.monotonic() - began, 5.0)


class Refused(unittest.TestCase):
    def refused(self, cluster, words, *says):
        done = subprocess.run([str(word) for word in words], capture_output=True, timeout=PATIENCE, check=False,
                              cwd=cluster.dir, env=cluster.environment())
        message = done.stderr.decode()
        self.assertIn(done.returncode, (1, 2), message)
        for word in says:
            self.assertIn(word, message)

    def test_a_second_process_on_the_same_data_is_refused(self):
        with Cluster(members=1) as cluster:
            other = Cluster(members=1)
            self.addCleanup(other.close)
            words = other.server_words("n1")
            words[words.index("--data-dir") + 1] = cluster.dir / "n1"
            self.refused(cluster, words, str(cluster.dir / "n1"))
            cluster.ok("put", "k", "still here")

    def test_a_port_in_use_is_named(self):
        with Cluster(members=1) as cluster:
            words = cluster.server_words("n1")
            words[words.index("--data-dir") + 1] = cluster.dir / "other"
            self.refused(cluster, words, str(cluster.client_ports["n1"]))


class Scripts(unittest.TestCase):
    def test_scripts_cluster_starts_shows_stops_and_starts_again(self):
        script = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "cluster"
        cluster = Cluster(members=1)  # for its directory, its environment and a port
        self.addCleanup(cluster.close)
        environment = cluster.environment() | {"HOLDFAST_BIN": str(pathlib.Path(cluster.server_words("n1")[0]).parent)}
        folder = cluster.dir / "local"
        # Two ports in a row for each member: below those that the kernel gives away.
        base = 20000 + cluster.client_ports["n1"] % 10000

        def run(*words):
            done = subprocess.run([script, *words, "--dir", folder], env=environment, capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done)
            return done.stdout

        self.addCleanup(run, "stop")
        started = run("start", "--nodes", "2", "--base-port", str(base))
        self.assertIn(f"export HOLDFAST_ENDPOINTS=127.0.0.1:{base},127.0.0.1:{base + 2}", started)
        self.assertIn("n1 runs already", run("start"))
        status = run("status")
        self.assertRegex(status, rf"n2 +\w+ +127.0.0.1:{base + 2}")
        self.assertEqual(run("stop"), "2 members stopped\n")
        run("start")
        eventually(lambda: "leader n" in run("status"), "there is a leader again")
        self.assertEqual(run("stop"), "2 members stopped\n")
        self.assertEqual(run("stop"), "0 members stopped\n")


if __name__ == "__main__":
    unittest.main()
