"""One server for all tests of a file: each test uses keys and names of its own."""
import unittest

from cluster import Cluster


class SingleNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(members=1)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.close)

    def run_cli(self, *words, **how):
        return self.cluster.run(*words, **how)

    def ok(self, *words, **how):
        done = self.cluster.run(*words, **how)
        self.assertEqual(done.status, 0, done)
        return done.json

    def spawn(self, *words, **how):
        running = self.cluster.spawn(*words, **how)
        self.addCleanup(running.close)
        return running

    def assert_keys(self, found, *names):
        self.assertEqual(list(found), list(names))

    def assert_refused(self, done, status, *words):
        """It ended with this status and one line on stderr that holds all the words."""
        self.assertEqual(done.status, status, done)
        message = done.err.decode()
        self.assertEqual(message.count("\n"), 1, done)
        for word in ("holdfast: ", *words):
            self.assertIn(word, message)
