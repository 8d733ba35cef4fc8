"""How a member ends whose disk fails, and one that is told a second time to stop."""
import resource
import signal
import unittest

from cluster import PATIENCE, Cluster, eventually

# What a file may grow to from now on: enough for the logs that the test reads, not for what it writes.
MOST_BYTES = 512 * 1024
VALUE = "v" * 64 * 1024


class DiskFailure(unittest.TestCase):
    def test_a_leader_whose_disk_fails_ends_with_74_and_loses_nothing_acknowledged(self):
        with Cluster() as cluster:
            leader = cluster.leader()
            resource.prlimit(cluster.servers[leader].pid, resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
            others = [name for name in cluster.names if name != leader]
            acknowledged = []

            def the_disk_has_failed():
                key = f"k{len(acknowledged)}"
                done = cluster.run("put", key, VALUE, options=("--timeout", "10s"))
                if done.status == 0:
                    acknowledged.append(key)
                else:
                    self.assertEqual(done.status, 3, done)  # unknown at worst; certainly not refused
                return cluster.servers[leader].poll() is not None
            eventually(the_disk_has_failed, "the leader's disk fails", 2 * PATIENCE)

            self.assertEqual(cluster.servers[leader].wait(PATIENCE), 74)
            last = cluster.log(leader).splitlines()[-1]
            self.assertIn("event=storage_failed", last)
            self.assertIn("check the disk, then start again", last)
            self.assertIn(".db", last)

            self.assertTrue(acknowledged)
            kept = cluster.ok("get", "k", "--prefix", "--keys-only", endpoints=cluster.endpoint(others[0]))
            self.assertLessEqual(set(acknowledged), {entry["key"] for entry in kept["entries"]})

            # With a disk that works again it comes back with the same options, and holds all of it too.
            cluster.start(leader)
            cluster.await_ready(leader)
            def caught_up():
                seen = cluster.run("get", "k", "--prefix", "--keys-only", "--serializable",
                                   endpoints=cluster.endpoint(leader))
                return seen.status == 0 and set(acknowledged) <= {entry["key"] for entry in seen.json["entries"]}
            eventually(caught_up, "the member holds what was acknowledged")


class SecondSignal(unittest.TestCase):
    def test_a_second_signal_ends_a_member_that_still_hands_over(self):
        # Nobody is there to take over, so the leader would wait for an election timeout.
        with Cluster(members=2, options=("--election-timeout", "2500ms")) as cluster:
            leader = cluster.leader()
            other = next(name for name in cluster.names if name != leader)
            cluster.kill(other, signal.SIGSTOP)
            server = cluster.servers[leader]
            server.send_signal(signal.SIGTERM)
            eventually(lambda: "event=stopping" in cluster.log(leader), "it begins to stop")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(PATIENCE), 1)
            self.assertNotIn("event=stopped", cluster.log(leader))


if __name__ == "__main__":
    unittest.main()
