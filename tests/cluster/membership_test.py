"""Members come and go: a lost disk, a new member, a removed one. The others serve all the while."""
import shutil
import subprocess
import unittest

from changing import QUICK, Changing
from cluster import PATIENCE, eventually


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
            other_token = subprocess.run(cluster.joining_words("n4", "--cluster-token", "another"), capture_output=True,
                                         timeout=PATIENCE, check=False)
            self.assertEqual(other_token.returncode, 2)
            self.assertIn("--cluster-token", other_token.stderr.decode())
            self.assertFalse((cluster.dir / "n4").exists())

            # An image is written every five seconds, and the log is shortened behind it.
            eventually(lambda: all(cluster.image(name) >= 3000 for name in cluster.founders), "all have written an image")
            cluster.ok("member", "add", "n4", cluster.peer("n4"), "--learner")
            cluster.join("n4", "--cluster-token", cluster.token)
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
