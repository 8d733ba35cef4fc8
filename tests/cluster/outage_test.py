"""Without a quorum, and with members that hang: what still answers, what says that it cannot, and how soon."""
import signal
import time
import unittest

from cluster import Cluster, eventually


class Outage(unittest.TestCase):
    def test_without_a_quorum_calls_say_so_and_status_and_serializable_reads_answer(self):
        with Cluster() as cluster:
            cluster.ok("put", "a", "1")
            leader = cluster.leader()
            survivor = next(name for name in cluster.names if name != leader)
            eventually(lambda: cluster.run("get", "a", "--serializable", endpoints=cluster.endpoint(survivor)).status == 0, f"{survivor} has it")
            for name in cluster.names:
                if name != survivor:
                    cluster.kill(name)
            self.assertEqual(cluster.run("put", "b", "2", options=("--timeout", "2s")).status, 3)
            self.assertEqual(cluster.run("get", "a", options=("--timeout", "2s")).status, 3)
            self.assertEqual(cluster.ok("get", "a", "--serializable")["count"], 1)
            began = time.monotonic()
            done = cluster.run("status", options=("--timeout", "4s"))
            self.assertLess(time.monotonic() - began, 3.0)
            members = {member["name"]: member for member in done.json["members"]}
            self.assertEqual({name: member["healthy"] for name, member in members.items()},
                             {name: name == survivor for name in cluster.names})

    def test_members_that_hang_are_told_apart_from_those_that_answer(self):
        with Cluster() as cluster:
            cluster.leader()
            for name in ("n1", "n2"):  # the first that a client asks, too
                cluster.kill(name, signal.SIGSTOP)
            began = time.monotonic()
            done = cluster.run("status", options=("--timeout", "4s"))
            self.assertLess(time.monotonic() - began, 4.0)
            self.assertEqual(done.status, 0, done)
            self.assertEqual({member["name"]: member["healthy"] for member in done.json["members"]},
                             {"n1": False, "n2": False, "n3": True})


if __name__ == "__main__":
    unittest.main()
