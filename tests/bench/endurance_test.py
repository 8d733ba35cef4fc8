"""bench/compare/endurance.py: what counts as flat, and short runs on real servers. How flat they are is not judged here."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

from cluster import BIN

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "bench/compare"
sys.path.insert(0, str(COMPARE))

from flatness import judge, slope  # noqa: E402

KINDS = ("put, delete", "register, deregister", "lock, unlock", "lease, revoke", "watch")


def endurance(*words):
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-B", str(COMPARE / "endurance.py"), "--bin", str(BIN), "--scratch", scratch, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        left = list(pathlib.Path(scratch).iterdir())
    return done, left


class Flatness(unittest.TestCase):
    TIMES = [float(at) for at in range(0, 3600, 30)]

    def test_what_fills_up_in_the_first_half_and_then_stays_is_flat(self):
        verdict = judge("memory", self.TIMES, [min(at, 1200) for at in self.TIMES], 0.05)
        self.assertTrue(verdict.flat, verdict)
        self.assertEqual(verdict.growth, 0)

    def test_what_grows_by_more_than_the_limit_is_not_flat_and_by_how_much_is_told(self):
        growing = judge("memory", self.TIMES, [100 + at / 100 for at in self.TIMES], 0.05)
        self.assertFalse(growing.flat, growing)
        self.assertAlmostEqual(growing.growth, 17.7, places=1)
        self.assertIn("NOT flat, the limit is 5 %", growing.text)
        self.assertTrue(judge("memory", self.TIMES, [100 + at / 1000 for at in self.TIMES], 0.05).flat)

    def test_a_saw_and_a_few_points_far_off_do_not_look_like_growth(self):
        saw = [100 + (at / 30 % 7) * 5 for at in self.TIMES]
        saw[-2] = 500
        self.assertTrue(judge("disk", self.TIMES, saw, 0.05).flat)

    def test_what_shrinks_is_flat(self):
        self.assertTrue(judge("memory", self.TIMES, [200 - at / 100 for at in self.TIMES], 0.05).flat)
        self.assertEqual(slope([0, 1, 2], [4, 2, 0]), -2)

    def test_too_few_samples_judge_nothing(self):
        with self.assertRaises(ValueError):
            judge("memory", [0, 1, 2], [1, 1, 1], 0.05)


class Runs(unittest.TestCase):
    def test_every_kind_of_churn_is_done_and_judged_and_nothing_is_left_behind(self):
        done, left = endurance("--duration", "8", "--sample", "1", "--segment", "3", "--rate", "60", "--keys", "50",
                               "--instances", "20", "--watchers", "5", "--limit", "1000")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(left, [])
        lines = done.stdout.splitlines()
        self.assertEqual(len([line for line in lines if "RssAnon MiB" in line]), 8)
        for kind in KINDS:
            told = next(line for line in lines if line.startswith(f"{kind}: "))
            self.assertIn(", 0 failed", told)
            self.assertGreater(int(told.split(": ")[1].split()[0]), 0, told)
        self.assertEqual(len([line for line in lines if line.endswith(": flat")]), 6, done.stdout)

    def test_a_run_that_is_not_flat_ends_with_status_1(self):
        done, _ = endurance("--duration", "3", "--sample", "0.5", "--rate", "60", "--instances", "20", "--limit", "-1000")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("NOT flat", done.stdout)

    def test_a_run_too_short_to_judge_is_refused(self):
        done, _ = endurance("--duration", "3", "--sample", "1")
        self.assertEqual(done.returncode, 2, done)


if __name__ == "__main__":
    unittest.main()
