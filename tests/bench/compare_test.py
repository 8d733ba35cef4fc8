"""bench/compare: how rows become a table, and one small run on real servers of ours. Other services need not be installed."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from cluster import BIN

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "bench/compare"
sys.path.insert(0, str(COMPARE))

import table  # noqa: E402


def row(number, service, **values):
    return {"round": number, "service": service, "workload": "put-1", "values": values}


def compare(*words):
    command = [sys.executable, "-B", str(COMPARE / "compare.py"), "--bin", str(BIN), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


class Table(unittest.TestCase):
    ROWS = [row(1, "holdfast", rate=300.0, p99_ms=2.0, errors=0), row(1, "etcd", rate=100.0, p99_ms=8.0, errors=0),
            row(2, "holdfast", rate=500.0, p99_ms=4.0, errors=0), row(2, "etcd", rate=100.0, p99_ms=4.0, errors=0),
            row(3, "holdfast", rate=400.0, p99_ms=1.0, errors=0), row(3, "etcd", rate=200.0, p99_ms=3.0, errors=0)]

    def lines(self, rows, services=("holdfast", "etcd")):
        return {line["metric"]: line for line in table.summary(rows, [("put-1", "durable writes")], list(services))}

    def test_a_ratio_is_taken_round_by_round_and_above_one_is_better_whatever_the_metric(self):
        lines = self.lines(self.ROWS)
        self.assertEqual(lines["rate"]["times_better"]["etcd"], {"median": 3.0, "least": 2.0, "most": 5.0, "count": 3})
        self.assertEqual(lines["p99_ms"]["times_better"]["etcd"], {"median": 3.0, "least": 1.0, "most": 4.0, "count": 3})
        self.assertEqual(lines["rate"]["services"]["holdfast"], {"median": 400.0, "least": 300.0, "most": 500.0, "count": 3})

    def test_errors_are_shown_when_there_are_some_and_never_as_a_ratio(self):
        self.assertNotIn("errors", self.lines(self.ROWS))
        lines = self.lines([*self.ROWS, row(4, "etcd", errors=7)])
        self.assertEqual(lines["errors"]["services"]["etcd"]["most"], 7)
        self.assertEqual(lines["errors"]["times_better"], {})

    def test_what_a_loader_takes_is_shown_and_never_as_a_ratio(self):
        lines = self.lines([row(1, "holdfast", loader_us=5.0), row(1, "etcd", loader_us=9.0)])
        self.assertEqual(lines["loader_us"]["services"]["etcd"]["median"], 9.0)
        self.assertEqual(lines["loader_us"]["times_better"], {})

    def test_the_floor_is_shown_and_how_far_above_it_one_write_is(self):
        floor = {"round": 1, "service": "machine", "workload": "floor",
                 "values": {"sync_ms": 0.2, "round_trip_ms": 0.1, "floor_ms": 0.4}}
        text = table.floor_text([floor, row(1, "holdfast", p50_ms=0.6)])
        self.assertIn("at least 0.400 ms", text)
        self.assertIn("1.50 times", text)
        self.assertEqual(table.floor_text(self.ROWS), "")

    def test_a_round_that_failed_for_one_service_is_in_no_ratio(self):
        failed = {"round": 1, "service": "etcd", "workload": "put-1", "failed": "it ended"}
        lines = self.lines([row(1, "holdfast", rate=9.0), failed, row(2, "holdfast", rate=8.0), row(2, "etcd", rate=2.0)])
        self.assertEqual(lines["rate"]["times_better"]["etcd"]["count"], 1)
        self.assertEqual(lines["rate"]["times_better"]["etcd"]["median"], 4.0)

    def test_what_a_service_was_not_measured_for_is_a_dash(self):
        services = ["holdfast", "etcd", "zookeeper"]
        text = table.as_text(table.summary(self.ROWS, [("put-1", "durable writes")], services), services)
        self.assertIn("| per second | 400 (300-500) | 100 (100-200) | - | 3.00 (2.00-5.00) | - |", text)


class Runs(unittest.TestCase):
    def test_a_round_measures_what_was_asked_for_and_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = compare("--services", "holdfast", "--workloads", "contended-2,keepalive", "--rounds", "1", "--seconds", "0.2",
                           "--warm-up", "0", "--scratch", scratch, "--json")
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual([path.name for path in pathlib.Path(scratch).iterdir()], ["holdfast-compare.lock"])
        found = json.loads(done.stdout)
        self.assertEqual([one["workload"] for one in found["rows"]], ["floor", "contended-2", "keepalive"])
        machine = found["rows"][0]["values"]
        self.assertAlmostEqual(machine["floor_ms"], machine["sync_ms"] + 2 * machine["round_trip_ms"])
        self.assertGreater(machine["round_trip_ms"], 0)
        for one in found["rows"][1:]:
            self.assertEqual(one["values"]["errors"], 0)
            self.assertGreater(one["values"]["rate"], 0)
            self.assertGreater(one["values"]["loader_us"], 0)
        self.assertIn("holdfastd", found["versions"]["holdfast"])

    def test_what_it_does_not_know_is_refused_with_what_there_is(self):
        for words in (("--workloads", "put-7"), ("--services", "consul")):
            done = compare(*words)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("there are: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
