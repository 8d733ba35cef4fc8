"""A process of another cluster is refused, and the refusal is told by those who refuse."""
import unittest

from cluster import PATIENCE, Cluster


class Strangers(unittest.TestCase):
    def test_a_member_with_another_token_is_refused_and_ends(self):
        with Cluster() as cluster:
            cluster.ok("put", "k", "before")
            cluster.kill("n3")
            cluster.token = "another token"
            (cluster.dir / "n3").rename(cluster.dir / "n3.before")
            cluster.start("n3")
            self.assertEqual(cluster.servers["n3"].wait(PATIENCE), 1)
            self.assertRegex(cluster.log("n3"), "(?i)refused")
            self.assertRegex(cluster.log("n3"), "(?i)token")
            refusals = [name for name in ("n1", "n2") if "refused" in cluster.log(name).lower()]
            self.assertTrue(refusals, "those who refused it say so")
            cluster.ok("put", "k", "after")

            # The member itself, with its own data and token, is let in again.
            cluster.token = "a token"
            (cluster.dir / "n3").rename(cluster.dir / "n3.stranger")
            (cluster.dir / "n3.before").rename(cluster.dir / "n3")
            cluster.start("n3")
            cluster.await_ready("n3")


if __name__ == "__main__":
    unittest.main()
