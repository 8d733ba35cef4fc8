"""Members come and go: a lost disk, a new member, a removed one. The others serve all the while."""
import re
import shutil
import subprocess
import unittest

from cluster import BIN, PATIENCE, Cluster, eventually, free_ports


QUICK = ("--election-timeout", "500ms", "--heartbeat-interval", "50ms")


class Changing(Cluster):
    """A cluster whose members may be more or others than those it was founded with."""

    def __init__(self, *words, **more):
        super().__init__(*words, **more)
        self.founders = list(self.names)

    def add_name(self, name):
        self.names.append(name)
        self.client_ports[name], self.peer_ports[name] = free_ports(2)

    def peer(self, name):
        return f"127.0.0.1:{self.peer_ports[name]}"

    def joining_words(self, name, *more):
        asked = ",".join(self.endpoint(other) for other in self.names if other != name)
        return [str(word) for word in (BIN / "holdfastd", "--name", name, "--data-dir", self.dir / name, "--listen",
                                       self.endpoint(name), "--peer-listen", self.peer(name), "--join", asked,
                                       *self.options, *more)]

    def join(self, name, *more):
        with open(self.log_path(name), "wb") as log:
            self.servers[name] = subprocess.Popen(self.joining_words(name, *more), stdin=subprocess.DEVNULL, stdout=log,
                                                  stderr=log)

    def server_words(self, name):
        if name not in self.founders:
            return self.joining_words(name)
        names, self.names = self.names, self.founders
        try:
            return super().server_words(name)
        finally:
            self.names = names

    def parts(self):
        return {member["name"]: member["role"] for member in self.ok("member", "list")["members"]}

    def promote(self, name):
        """As soon as it has caught up."""
        eventually(lambda: self.run("member", "promote", name).status == 0, f"{name} is promoted", 30)

    def has(self, name, key, value):
        done = self.run("get", key, "--serializable", endpoints=self.endpoint(name))
        return done.status == 0 and done.json["entries"][0]["value"] == value

    def image(self, name):
        """The index at which its newest image stands. Requires: it logs at level debug."""
        written = re.findall(r"event=image_written index=(\d+)", self.log(name))
        return int(written[-1]) if written else 0

    def load(self, count):
        """Many puts at once."""
        done = subprocess.run([BIN / "holdfast-bench", "put", "--endpoints", self.endpoint(self.leader()), "--connections", "4",
                               "--in-flight", "64", "--total", str(count), "--key-space", "50", "-o", "json"],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done


class Membership(unittest.TestCase):
    def test_a_member_whose_disk_was_wiped_is_refused_until_it_was_removed_and_added_again(self):
        with Changing(options=QUICK) as cluster:
            cluster.ok("put", "kept", "value")
            lost = next(name for name in cluster.names if name != cluster.leader())
            cluster.kill(lost)
            shutil.rmtree(cluster.dir / lost)
            cluster.start(lost)
            self.assertEqual(cluster.servers[lost].wait(PATIENCE), 1)
            self.assertIn("refused_by_majority", cluster.log(lost))
            self.assertIn("other_data", cluster.log(lost))

            cluster.join(lost, "--rejoin")
            self.assertEqual(cluster.servers[lost].wait(PATIENCE), 1)
            self.assertIn("member remove " + lost, cluster.log(lost))
            self.assertFalse((cluster.dir / (lost + ".set-aside")).exists())

            cluster.ok("member", "remove", lost)
            cluster.ok("member", "add", lost, cluster.peer(lost), "--learner")
            cluster.join(lost, "--rejoin")
            cluster.await_ready(lost)
            self.assertTrue((cluster.dir / (lost + ".set-aside")).exists())
            cluster.promote(lost)
            self.assertEqual(set(cluster.parts().values()), {"voter"})
            eventually(lambda: cluster.has(lost, "kept", "value"), "it has what was written before")

            # Started again with the same options it goes on with what it has.
            cluster.kill(lost)
            cluster.join(lost, "--rejoin")
            cluster.await_ready(lost)
            self.assertFalse((cluster.dir / (lost + ".set-aside-2")).exists())

    def test_a_new_member_is_sent_the_image_and_a_removed_leader_hands_over_and_ends(self):
        with Changing(options=(*QUICK, "--log-level", "debug")) as cluster:
            cluster.load(3000)
            cluster.ok("put", "kept", "value")
            cluster.add_name("n4")
            refused = subprocess.run(cluster.joining_words("n4"), capture_output=True, timeout=PATIENCE, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("holdfast member add n4", refused.stderr.decode())

            # An image is written every five seconds, and the log is shortened behind it.
            eventually(lambda: all(cluster.image(name) >= 3000 for name in cluster.founders), "all have written an image")
            cluster.ok("member", "add", "n4", cluster.peer("n4"), "--learner")
            cluster.join("n4")
            cluster.await_ready("n4")
            eventually(lambda: cluster.has("n4", "kept", "value"), "the new member has the state")
            self.assertIn("event=snapshot_installed", cluster.log("n4"))
            cluster.promote("n4")

            leader = cluster.leader()
            cluster.ok("member", "remove", leader)
            self.assertEqual(cluster.servers[leader].wait(PATIENCE), 1)
            self.assertIn("removed", cluster.log(leader))
            cluster.names.remove(leader)
            self.assertEqual(cluster.parts(), {name: "voter" for name in cluster.names})
            cluster.ok("put", "kept", "on")


if __name__ == "__main__":
    unittest.main()
