"""bench/compare/scaling.py: what counts as growing as it should, and one small run on real servers."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from cluster import BIN

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "bench/compare"
sys.path.insert(0, str(COMPARE))

import growth  # noqa: E402


def row(keys, number, **values):
    return {"keys": keys, "round": number, "values": values}


def mib(amount):
    return amount / growth.MIB


class Growth(unittest.TestCase):
    def test_the_share_of_the_rate_is_taken_within_each_round(self):
        rows = [row(1000, 1, rate=100.0), row(10**6, 1, rate=90.0), row(1000, 2, rate=200.0), row(10**6, 2, rate=170.0),
                row(1000, 3, rate=50.0), row(10**6, 3, rate=50.0)]
        self.assertAlmostEqual(growth.rate_shares(rows)[10**6].median, 0.9)
        self.assertEqual(growth.missed(rows), [])
        slower = [{**one, "values": {"rate": one["values"]["rate"] * (0.8 if one["keys"] > 1000 else 1)}} for one in rows]
        self.assertIn("72 % of the writes/s", growth.missed(slower)[0])

    def test_a_restart_is_judged_with_the_most_keys(self):
        self.assertEqual(growth.missed([row(1000, 1, restart_s=3.0), row(10**6, 1, restart_s=1.9)]), [])
        self.assertEqual(len(growth.missed([row(1000, 1, restart_s=0.1), row(10**6, 1, restart_s=2.1)])), 1)

    def test_memory_is_linear_if_a_key_costs_the_same_with_many_keys(self):
        def rows(of_a_million):
            return [row(1000, 0, anonymous_mib=mib(10_000_000)), row(10**5, 0, anonymous_mib=mib(10_000_000 + 99_000 * 400)),
                    row(10**6, 0, anonymous_mib=mib(10_000_000 + 999_000 * of_a_million))]
        self.assertAlmostEqual(growth.bytes_a_key(rows(500))[10**6], 500)
        self.assertEqual(growth.missed(rows(500)), [])
        self.assertIn("from 400 to 700 bytes", growth.missed(rows(700))[0])

    def test_what_grows_as_a_power_of_the_number_of_keys_is_not_logarithmic(self):
        steps = [row(1000, 1, apply_us=0.7), row(10_000, 1, apply_us=1.7), row(10**6, 1, apply_us=4.0)]
        self.assertEqual(growth.missed(steps), [])
        power = [row(1000, 1, apply_us=1.0), row(10_000, 1, apply_us=3.2), row(10**6, 1, apply_us=32.0)]
        self.assertEqual(len(growth.missed(power)), 2)

    def test_the_table_has_a_column_for_each_size_and_a_dash_for_what_was_not_measured(self):
        text = growth.as_text([row(1000, 1, rate=300.0), row(1000, 2, rate=100.0), row(1000, 3, rate=200.0),
                               row(10_000, 1, rate=150.0, apply_us=1.0)])
        self.assertIn("| keys of 256 bytes | 1,000 | 10,000 |", text)
        self.assertIn("| 200 (100-300) | 150 |", text)
        self.assertIn("| - | 1.00 |", text)
        self.assertNotIn("disk", text)


class Runs(unittest.TestCase):
    def test_every_figure_is_measured_and_nothing_is_left_behind(self):
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-B", str(COMPARE / "scaling.py"), "--bin", str(BIN), "--scratch", scratch, "--json",
                       "--keys", "200,100", "--rounds", "1", "--total", "300", "--settle", "0.5", "--no-apply"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
            self.assertIn(done.returncode, (0, 1), done)  # on a busy machine a goal may be missed
            self.assertEqual([path.name for path in pathlib.Path(scratch).iterdir()], ["holdfast-compare.lock"])
        found = json.loads(done.stdout)
        self.assertEqual([(one["keys"], one["round"]) for one in found["rows"]], [(100, 0), (200, 0), (100, 1), (200, 1)])
        for medians in found["medians"].values():
            self.assertEqual(set(medians), set(growth.FIGURES) - {"apply_us"})
            self.assertTrue(all(value > 0 for value in medians.values()), medians)


if __name__ == "__main__":
    unittest.main()
