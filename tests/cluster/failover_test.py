"""The leader goes, under load: nothing that was acknowledged is lost, and whoever watches misses nothing."""
import pathlib
import signal
import threading
import time
import unittest

from cluster import Cluster, eventually


class Load:
    """Writers that put numbered keys as fast as the command line can, each with its own prefix. Use it in `with`."""

    def __init__(self, cluster, writers=2):
        self.cluster = cluster
        self.acknowledged = {}  # key: revision
        self.unknown = set()    # may have been written
        self.slowest = 0.0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(number,)) for number in range(writers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def write(self, writer):
        number = 0
        while not self.stop.is_set():
            key = f"load/{writer}/{number:05}"
            began = time.monotonic()
            done = self.cluster.run("put", key, key)
            self.slowest = max(self.slowest, time.monotonic() - began)
            if done.status == 0:
                self.acknowledged[key] = done.json["revision"]
            else:
                assert done.status == 3, done  # nothing else refuses these writes
                self.unknown.add(key)
            number += 1

    def await_more(self, count=20):
        goal = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= goal, f"{count} further writes are acknowledged", 30)


def stored(cluster, endpoints=None, options=()):
    entries = cluster.ok("get", "load/", "--prefix", *options, endpoints=endpoints)["entries"]
    return {entry["key"]: entry["mod_revision"] for entry in entries}


def connected_to(pid, ports):
    """The names of those of `ports` (name: port) to which the process has a TCP connection."""
    sockets = {str(path.readlink()) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
    found = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        remote, state, inode = int(words[2].split(":")[1], 16), words[3], words[9]
        if state == "01" and f"socket:[{inode}]" in sockets:
            found |= {name for name, port in ports.items() if port == remote}
    return found


class Failover(unittest.TestCase):
    def test_kill_9_of_the_leader_under_load_loses_no_acknowledged_write(self):
        with Cluster() as cluster:
            with Load(cluster) as load:
                load.await_more()
                leader = cluster.leader()
                cluster.kill(leader)
                load.await_more()
                self.assertNotEqual(cluster.leader(), leader)
                cluster.start(leader)  # with the same options, at once
                cluster.await_ready(leader)
                load.await_more()
            self.check(load, stored(cluster))
            # It catches up: its own state, asked without the others, has everything.
            eventually(lambda: stored(cluster, cluster.endpoint(leader), ["--serializable"]) == stored(cluster),
                       f"{leader} has caught up")

    def check(self, load, found):
        for key, revision in load.acknowledged.items():
            self.assertEqual(found.get(key), revision, f"{key} was acknowledged")
        self.assertLessEqual(set(found) - set(load.acknowledged), load.unknown, "nobody wrote these")

    def test_a_watch_survives_the_member_it_is_connected_to(self):
        with Cluster() as cluster:
            watcher = cluster.spawn("watch", "load/", "--prefix", "--from-revision", "1")
            events = []
            with Load(cluster) as load:
                load.await_more()
                events.append(watcher.json())
                served_by = connected_to(watcher.pid, cluster.client_ports)
                self.assertTrue(served_by, "the watcher is connected")
                victim = sorted(served_by)[0]
                cluster.kill(victim)
                load.await_more()
                cluster.start(victim)
                cluster.await_ready(victim)
                load.await_more()
            expected = stored(cluster)
            while len(events) < len(expected):
                events.append(watcher.json())
            revisions = [event["mod_revision"] for event in events]
            self.assertEqual(revisions, sorted(set(revisions)), "in order, each once")
            self.assertEqual({event["key"]: event["mod_revision"] for event in events}, expected)
            self.check(load, expected)
            last = cluster.ok("put", "load/last", "x")["revision"]  # and nothing came behind them
            self.assertEqual(watcher.json()["mod_revision"], last)

    def test_a_watch_from_an_old_revision_is_served_by_a_member_just_restarted(self):
        with Cluster() as cluster:
            first = cluster.ok("put", "load/a", "1")["revision"]
            for number in range(2, 6):
                cluster.ok("put", "load/a", number)
            victim = cluster.leader()
            cluster.kill(victim)
            cluster.start(victim)
            cluster.await_ready(victim)
            watcher = cluster.spawn("watch", "load/a", "--from-revision", first, endpoints=cluster.endpoint(victim))
            self.assertEqual([watcher.json()["value"] for _ in range(5)], list("12345"))

    def test_locks_registrations_and_waiters_outlive_the_leader(self):
        with Cluster() as cluster:
            holder = cluster.spawn("lock", "kept", "--owner", "holder", "--", "sleep", "1000")
            token = holder.json()["token"]
            instance = cluster.spawn("register", "web", "--id", "one", "--address", "h:1")
            instance.line()
            waiter = cluster.spawn("lock", "kept", "--owner", "waiter", "--", "sleep", "1000")
            eventually(lambda: cluster.ok("locks", "kept")["locks"][0]["queue"], "it waits")
            leader = cluster.leader()
            cluster.kill(leader)
            self.assertNotEqual(cluster.leader(), leader)
            lock = cluster.ok("locks", "kept")["locks"][0]
            self.assertEqual([one["token"] for one in lock["holders"]], [token])
            self.assertEqual([one["owner"] for one in lock["queue"]], ["waiter"])
            self.assertEqual([one["id"] for one in cluster.ok("resolve", "web")["instances"]], ["one"])
            holder.send(signal.SIGTERM)
            self.assertEqual(holder.end(), 143)  # released: it was never lost
            self.assertGreater(waiter.json()["token"], token)
            waiter.send(signal.SIGTERM)
            self.assertEqual(waiter.end(), 143)

    def test_a_leader_that_is_asked_to_stop_hands_over_first(self):
        # An election would take at least the timeout: writes that go on sooner prove the hand-over.
        with Cluster(options=["--election-timeout", "5000ms"]) as cluster:
            with Load(cluster) as load:
                load.await_more(5)
                leader = cluster.leader()
                load.slowest = 0.0
                self.assertEqual(cluster.kill(leader, signal.SIGTERM), 0)
                load.await_more()
            self.assertLess(load.slowest, 4.0)
            self.check(load, stored(cluster))

    def test_members_that_are_stopped_one_after_the_other_fail_no_call(self):
        with Cluster() as cluster:
            with Load(cluster, writers=4) as load:
                for _ in range(3):
                    load.await_more(10)
                    leader = cluster.leader()
                    self.assertEqual(cluster.kill(leader, signal.SIGTERM), 0)
                    load.await_more(10)
                    cluster.start(leader)
                    cluster.await_ready(leader)
            self.assertEqual(load.unknown, set(), "what became of a call is known")
            self.check(load, stored(cluster))


if __name__ == "__main__":
    unittest.main()
