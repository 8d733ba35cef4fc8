"""What `holdfast member` does to a real cluster, command by command, and what it says when it refuses."""
import shutil
import signal
import unittest

from changing import QUICK, Changing
from cluster import PATIENCE, eventually


class MemberCommands(unittest.TestCase):
    def refused(self, cluster, said, *words):
        """The command is refused, changes nothing, and says what it has to."""
        before = cluster.parts()
        done = cluster.run("member", *words, text=True)
        self.assertNotEqual(done.status, 0, done)
        for part in said:
            self.assertIn(part, done.err.decode(), done)
        self.assertEqual(cluster.parts(), before)
        return done

    def test_a_learner_is_promoted_when_it_has_caught_up_and_not_before(self):
        with Changing(options=QUICK) as cluster:
            cluster.ok("put", "kept", "value")
            cluster.add_name("n4")
            added = cluster.ok("member", "add", "n4", cluster.peer("n4"), "--learner")
            self.assertEqual(added["role"], "learner")
            # Nobody has started it: it has nothing of the log.
            self.refused(cluster, ["n4", "does not answer", "--join"], "promote", "n4")
            self.refused(cluster, ["n4", "already", "promote"], "add", "n4", cluster.peer("n4"))
            self.refused(cluster, ["n9", "n1, n2, n3, n4"], "promote", "n9")
            self.refused(cluster, ["n1", "voter already"], "promote", "n1")

            cluster.join("n4")
            cluster.await_ready("n4")
            eventually(lambda: cluster.has("n4", "kept", "value"), "the learner has the state")
            self.assertEqual(cluster.parts()["n4"], "learner")
            cluster.promote("n4")
            self.assertEqual(cluster.parts()["n4"], "voter")

            # As a voter it counts: three of four are a majority.
            others = [name for name in cluster.founders if name != cluster.leader()]
            cluster.kill(others[0])
            cluster.ok("put", "kept", "by three of four")

    def test_a_member_is_added_and_becomes_a_voter_in_one_command(self):
        with Changing(members=1, options=QUICK) as cluster:
            cluster.add_name("n2")
            adding = cluster.spawn("member", "add", "n2", cluster.peer("n2"), options=("-o", "json", "--timeout", "30s"))
            eventually(lambda: "n2" in cluster.parts(), "it was added")
            cluster.join("n2")
            self.assertEqual(adding.json(30)["role"], "voter")
            self.assertEqual(adding.end(), 0)
            self.assertEqual(cluster.parts(), {"n1": "voter", "n2": "voter"})

    def test_the_leader_is_replaced_in_one_step_and_its_successor_votes(self):
        with Changing(options=QUICK) as cluster:
            cluster.ok("put", "kept", "value")
            leader = cluster.leader()
            cluster.add_name("n4")
            replacing = cluster.spawn("member", "replace", leader, "n4", cluster.peer("n4"), options=("-o", "json", "--timeout", "30s"))
            eventually(lambda: "n4" in cluster.parts(), "its successor was added")
            cluster.join("n4")
            replacing.json(30)
            self.assertEqual(replacing.end(), 0)
            self.assertEqual(cluster.servers[leader].wait(PATIENCE), 1)
            self.assertIn("removed", cluster.log(leader))
            cluster.names.remove(leader)
            self.assertEqual(cluster.parts(), {name: "voter" for name in cluster.names})
            cluster.ok("put", "kept", "on")
            eventually(lambda: cluster.has("n4", "kept", "on"), "the successor has it")

    def test_a_member_whose_disk_is_gone_is_replaced_in_one_step(self):
        with Changing(options=QUICK) as cluster:
            cluster.ok("put", "kept", "value")
            lost = next(name for name in cluster.names if name != cluster.leader())
            cluster.kill(lost)
            shutil.rmtree(cluster.dir / lost)
            cluster.names.remove(lost)
            cluster.add_name("n4")
            replacing = cluster.spawn("member", "replace", lost, "n4", cluster.peer("n4"), options=("-o", "json", "--timeout", "30s"))
            eventually(lambda: "n4" in cluster.parts(), "its successor was added")
            cluster.join("n4")
            replacing.json(30)
            self.assertEqual(replacing.end(), 0)
            self.assertEqual(cluster.parts(), {name: "voter" for name in cluster.names})
            eventually(lambda: cluster.has("n4", "kept", "value"), "the successor has what was written before")

    def test_a_dead_member_is_removed_by_those_who_live(self):
        with Changing(options=QUICK) as cluster:
            self.refused(cluster, ["n9", "n1, n2, n3"], "remove", "n9")
            dead = next(name for name in cluster.names if name != cluster.leader())
            cluster.kill(dead)
            self.assertEqual(cluster.ok("member", "remove", dead)["name"], dead)
            cluster.names.remove(dead)
            self.assertEqual(cluster.parts(), {name: "voter" for name in cluster.names})
            cluster.ok("put", "kept", "by two of two")

    def test_the_last_voter_stays(self):
        with Changing(members=1, options=QUICK) as cluster:
            self.refused(cluster, ["n1", "only voter"], "remove", "n1")

    def test_a_member_that_was_removed_while_it_was_away_is_told_when_it_comes_back(self):
        with Changing(options=QUICK) as cluster:
            away = next(name for name in cluster.names if name != cluster.leader())
            cluster.kill(away, signal.SIGTERM)
            cluster.ok("member", "remove", away)
            cluster.start(away)
            self.assertEqual(cluster.servers[away].wait(PATIENCE), 1)
            self.assertIn("refused_by_majority", cluster.log(away))
            self.assertIn("it was removed from the cluster", cluster.log(away))


if __name__ == "__main__":
    unittest.main()
