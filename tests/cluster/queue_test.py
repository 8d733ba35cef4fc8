"""The fair queue, and calls through any member."""
import signal
import unittest

from cluster import Cluster, eventually


class FairQueue(unittest.TestCase):
    def line_up(self, cluster, names):
        """A holder, and a waiter for each name in this order. Returns: the holder and the waiters."""
        holder = cluster.spawn("lock", "fair", "--owner", "holder", "--", "sleep", "1000")
        holder.line()
        waiters = []
        for number, name in enumerate(names):
            endpoint = cluster.endpoint(cluster.names[number % len(cluster.names)])
            waiters.append(cluster.spawn("lock", "fair", "--owner", name, "--", "true", endpoints=endpoint))
            eventually(lambda: len(cluster.ok("locks", "fair")["locks"][0]["queue"]) == number + 1, f"{name} waits")
        return holder, waiters

    def check_turns(self, holder, waiters):
        holder.send(signal.SIGTERM)
        holder.end()
        tokens = [waiter.json()["token"] for waiter in waiters]
        self.assertEqual(tokens, sorted(tokens))
        self.assertEqual([waiter.end() for waiter in waiters], [0] * len(waiters))

    def test_turns_come_in_the_order_of_asking_whichever_member_was_asked(self):
        with Cluster() as cluster:
            names = ["a", "b", "c", "d", "e"]
            holder, waiters = self.line_up(cluster, names)
            queue = cluster.ok("locks", "fair")["locks"][0]["queue"]
            self.assertEqual([(one["position"], one["owner"]) for one in queue], list(enumerate(names, 1)))
            self.check_turns(holder, waiters)
            self.assertEqual(cluster.ok("locks", "fair"), {"locks": []})

    def test_one_that_gives_up_leaves_the_others_in_order(self):
        with Cluster() as cluster:
            holder, waiters = self.line_up(cluster, ["a", "b", "c"])
            waiters[1].send(signal.SIGTERM)
            self.assertEqual(waiters[1].end(), 1)
            queue = cluster.ok("locks", "fair")["locks"][0]["queue"]
            self.assertEqual([(one["position"], one["owner"]) for one in queue], [(1, "a"), (2, "c")])
            del waiters[1]
            self.check_turns(holder, waiters)

    def test_the_queue_keeps_its_order_when_the_leader_is_killed(self):
        with Cluster() as cluster:
            holder = cluster.spawn("lock", "fair", "--owner", "holder", "--", "sleep", "1000")
            holder.line()
            names = ["a", "b", "c", "d"]
            waiters = []
            for number, name in enumerate(names):
                waiters.append(cluster.spawn("lock", "fair", "--owner", name, "--", "true"))
                eventually(lambda: len(cluster.ok("locks", "fair")["locks"][0]["queue"]) == number + 1, f"{name} waits")
            leader = cluster.leader()
            cluster.kill(leader)
            self.assertNotEqual(cluster.leader(), leader)
            queue = cluster.ok("locks", "fair")["locks"][0]["queue"]
            self.assertEqual([one["owner"] for one in queue], names)
            self.check_turns(holder, waiters)


class AnyMember(unittest.TestCase):
    def test_every_member_answers_every_call(self):
        with Cluster() as cluster:
            for name in cluster.names:
                endpoint = cluster.endpoint(name)

                def ok(*words):
                    return cluster.ok(*words, endpoints=endpoint)

                revision = ok("put", f"by/{name}", name)["revision"]
                self.assertEqual(ok("get", f"by/{name}")["entries"][0]["mod_revision"], revision)
                self.assertEqual(ok("get", "by/", "--prefix")["count"], cluster.names.index(name) + 1)
                lease = ok("lease", "grant", "10s")["lease"]
                self.assertEqual(ok("lease", "keep-alive", lease, "--once")["ttl_ms"], 10000)
                self.assertGreater(ok("lease", "show", lease)["remaining_ms"], 0)
                self.assertEqual(ok("lease", "revoke", lease), {"lease": lease})
                self.assertEqual(cluster.run("lock", name, "--try", "--", "true", endpoints=endpoint).status, 0)
                self.assertEqual(ok("locks"), {"locks": []})
                instance = cluster.spawn("register", "web", "--id", name, "--address", "h:1", endpoints=endpoint)
                instance.line()
                self.assertEqual(len(ok("resolve", "web")["instances"]), cluster.names.index(name) + 1)
                status = ok("status")
                self.assertEqual(status["leader"], cluster.leader())
                self.assertEqual({member["name"]: member["endpoint"] for member in status["members"]},
                                 {other: cluster.endpoint(other) for other in cluster.names})

    def test_what_one_member_acknowledged_every_member_reads_at_once(self):
        with Cluster() as cluster:
            for number in range(9):
                writer, reader = cluster.names[number % 3], cluster.names[(number + 1) % 3]
                cluster.ok("put", "same", number, endpoints=cluster.endpoint(writer))
                found = cluster.ok("get", "same", endpoints=cluster.endpoint(reader))
                self.assertEqual(found["entries"][0]["value"], str(number))


if __name__ == "__main__":
    unittest.main()
