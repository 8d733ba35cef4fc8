#!/usr/bin/env python3
"""How Holdfast's figures grow with the number of keys, on three members: see README.md here."""
import argparse
import json
import pathlib
import subprocess
import sys
from typing import Optional

from clusters import Holdfast
from compare import TREE, alone, describe, end_cleanly_on_signals
from growth import MIB, as_text, medians, missed
from lifecycle import first_write
from processes import Unfinished
from workloads import Load, Plan, fill, loader_words, run_loader

BAD_ARGUMENTS, MISSED = 2, 1
LEAST_FILLING = 100_000  # writes
SETTLE_SECONDS = 12.0  # the image of a large state waits until nothing was written for up to 10
WRITES = Load("put", 100, 1000)
APPLY_BENCHMARK = "table/apply_put"


class Size:
    """A cluster that holds so many keys. All sizes are set up at the start and stopped; whose turn it is starts again, so that
    the machine's faster and slower minutes meet every size."""

    def __init__(self, plan: Plan, keys: int, settle_seconds: float) -> None:
        self.keys = keys
        self._plan = plan
        self._cluster = Holdfast(plan.bin_dir, plan.scratch)
        self._cluster.settle_seconds = settle_seconds

    def fill(self) -> None:
        """Also a few keys are written so often that a member has taken what any load makes it take: memory is compared."""
        self._cluster.start()
        writes = self._plan.total or LEAST_FILLING
        fill(self._plan, self._cluster, self.keys, WRITES, limit=max(300.0, self.keys / 1000), writes=writes)

    def footprint(self) -> dict[str, float]:
        """Of the largest member, once it is idle."""
        self._cluster.settled_cpu_seconds(limit=120)
        return {"resident_mib": max(self._cluster.resident_bytes()) / MIB,
                "anonymous_mib": max(self._cluster.anonymous_bytes()) / MIB,
                "disk_mib": max(self._cluster.disk_bytes()) / MIB}

    def stop(self) -> None:
        self._cluster.stop()

    def turn(self) -> dict[str, float]:
        """Restarts all members, and writes to keys drawn at random from those that there are."""
        values = {"restart_s": first_write(self._cluster)["seconds"]}
        self._cluster.await_leader()
        self._cluster.settled_cpu_seconds(limit=120)
        before = self._cluster.cpu_seconds()
        words = loader_words(self._plan, "holdfast", WRITES, self.keys)
        bound = ["--total", str(self._plan.total)] if self._plan.total else ["--duration", f"{self._plan.seconds:g}"]
        figures = run_loader([*words, "--endpoints", self._cluster.endpoints, *bound], 600)
        if figures["errors"] or not figures["count"]:
            raise Unfinished(f"{figures['errors']} of {figures['count']} writes failed with {self.keys} keys")
        values["rate"] = figures["rate"]
        values["cpu_s_per_100k"] = (self._cluster.settled_cpu_seconds(limit=120) - before) / figures["count"] * 100_000
        self._cluster.stop()
        return values

    def remove(self) -> None:
        self._cluster.remove()


def apply_us(plan: Plan, keys: int) -> Optional[float]:
    """By holdfast-micro, which knows the powers of ten up to a million; None for other numbers of keys."""
    words = [str(plan.bin_dir / "holdfast-micro"), f"--benchmark_filter=^{APPLY_BENCHMARK}/{keys}$", "--benchmark_format=json"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=600)
    if run.returncode != 0 or not run.stdout.strip().startswith("{"):
        return None
    found = json.loads(run.stdout)["benchmarks"]
    return found[0]["cpu_time"] / 1000 if found else None  # it counts nanoseconds


def note(values: dict[str, float], keys: int, what: str) -> None:
    told = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
    print(f"  {keys} keys, {what}: {told}", file=sys.stderr, flush=True)


def collect(options: argparse.Namespace, plan: Plan) -> list[dict]:
    """Rows of keys, round (0: once they were written) and values."""
    rows: list[dict] = []

    def keep(keys: int, number: int, values: dict[str, float]) -> None:
        rows.append({"keys": keys, "round": number, "values": values})
        note(values, keys, f"round {number}" if number else "filled")
    sizes: list[Size] = []
    try:
        for keys in options.keys:
            sizes.append(Size(plan, keys, options.settle))
            sizes[-1].fill()
            keep(keys, 0, sizes[-1].footprint())
            sizes[-1].stop()
        for number in range(1, options.rounds + 1):
            for size in sizes:
                values = size.turn()
                taken = apply_us(plan, size.keys) if options.apply else None
                keep(size.keys, number, values if taken is None else {**values, "apply_us": taken})
    finally:
        for size in sizes:
            size.remove()
    return rows


def numbers(text: str) -> list[int]:
    found = sorted(int(part) for part in text.split(","))
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError("numbers of keys, above zero")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=numbers, default="1000,10000,100000,1000000", help="how many, comma-separated (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each size takes its turn (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of writes in each turn (%(default)s)")
    parser.add_argument("--total", type=int, help="writes of each turn, instead of --seconds")
    parser.add_argument("--settle", type=float, default=SETTLE_SECONDS,
                        help="seconds without work after which members count as idle (%(default)s)")
    parser.add_argument("--no-apply", dest="apply", action="store_false", help="leave holdfast-micro out")
    parser.add_argument("--bin", type=pathlib.Path, default=TREE / "build/release/bin", help="our programs (%(default)s)")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("/var/tmp"),
                        help="where the members' data lie: a disk, not a tmpfs, with 5 GB for a million keys (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    plan = Plan(options.bin.resolve(), options.scratch.resolve(), options.seconds, 0.0, options.total)
    end_cleanly_on_signals()
    try:
        about = describe(options, ["holdfast"])
        with alone(options.scratch):
            rows = collect(options, plan)
    except (Unfinished, OSError) as error:
        print(f"scaling.py: {error}", file=sys.stderr)
        return BAD_ARGUMENTS
    failed = missed(rows)
    if options.json:
        print(json.dumps({**about, "medians": medians(rows), "rows": rows, "missed": failed}))
    else:
        for name, value in about.items():
            print(f"{name}: {value if isinstance(value, str) else '; '.join(value.values())}")
        print("\n" + as_text(rows))
        for text in failed:
            print(f"\nmissed: {text}")
    return MISSED if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
