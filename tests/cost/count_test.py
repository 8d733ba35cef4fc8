"""What count.py says about what it counted."""
import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from unittest import mock

import count

BASELINE = {"compiler": "GCC 1", "instructions": {"put_leader": 1000, "get_leader": 500}}


class Verdict(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.baseline = folder / "baseline.json"
        self.baseline.write_text(json.dumps(BASELINE))
        self.enterContext(mock.patch.object(count, "BASELINE", self.baseline))
        self.enterContext(mock.patch.object(count, "TOP", folder))
        self.enterContext(mock.patch.object(count, "compiler", lambda: "GCC 1"))

    def run_main(self, *words, counts=()):
        counts = [{"put_leader": put, "get_leader": get} for put, get in counts]
        out = io.StringIO()
        with mock.patch.object(count, "count", mock.Mock(side_effect=counts)), mock.patch("sys.argv", ["count.py", *words]), \
                contextlib.redirect_stdout(out):
            return count.main(), out.getvalue()

    def test_growth_within_a_tenth_is_good(self):
        status, said = self.run_main(counts=[(1099, 451)])
        self.assertEqual(status, 0)
        self.assertIn("put_leader: 1099 instructions, the baseline says 1000 (+9.9%)", said)

    def test_growth_beyond_a_tenth_fails_with_both_numbers_and_the_way_out(self):
        status, said = self.run_main(counts=[(1000, 551), (1000, 560), (1200, 552)])
        self.assertEqual(status, 1)
        self.assertIn("get_leader: 551 instructions, the baseline says 500 (+10.2%)", said)
        self.assertIn("grown by more than 10%: get_leader.", said)
        self.assertIn("count.py --renew", said)

    def test_what_was_disturbed_is_counted_again(self):
        self.assertEqual(self.run_main(counts=[(2000, 500), (1500, 600), (1001, 900)])[0], 0)

    def test_what_became_much_cheaper_is_to_be_kept(self):
        status, said = self.run_main(counts=[(899, 500)])
        self.assertEqual(status, 0)
        self.assertIn("keep that with", said)

    def test_another_compiler_s_figures_are_not_compared(self):
        with mock.patch.object(count, "compiler", lambda: "clang 9"):
            status, said = self.run_main()
        self.assertEqual(status, count.SKIPPED)
        self.assertIn("GCC 1", said)
        self.assertIn("clang 9", said)

    def test_a_build_that_is_not_compared_says_why(self):
        self.assertEqual(self.run_main("--skip", "not optimised"), (count.SKIPPED, "skipped: not optimised\n"))

    def test_the_median_of_three_counts_is_the_new_baseline(self):
        status, _ = self.run_main("--renew", counts=[(900, 410), (880, 400), (910, 420)])
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(self.baseline.read_text()),
                         {"compiler": "GCC 1", "instructions": {"put_leader": 900, "get_leader": 410}})


class Run(unittest.TestCase):
    """Who leads may change while it is counted."""

    def run_with(self, *elections):
        elections = iter(elections)

        class Members:
            def __init__(self, ports):
                self.seen = list(next(elections))

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def elected(self):
                return self.seen.pop(0)

            def load(self, leader, operation, total):
                pass

            def instructions(self):
                return {"n1": 10, "n2": 20}

        with mock.patch.object(count, "CountedCluster", Members):
            return count.run([("put", 1)], [])

    def test_the_figures_go_by_role(self):
        self.assertEqual(self.run_with((["n1"], ["n1"])), {"leader": 10, "follower": 20})
        self.assertEqual(self.run_with((["n2"], ["n2"])), {"leader": 20, "follower": 10})

    def test_a_run_whose_leader_changed_is_made_again_and_in_the_end_fails(self):
        changed = (["n1"], ["n1", "n2"])
        self.assertEqual(self.run_with(changed, changed, (["n2"], ["n2"])), {"leader": 20, "follower": 10})
        with self.assertRaisesRegex(AssertionError, "the roles changed"):
            self.run_with(changed, changed, changed)


if __name__ == "__main__":
    unittest.main()
