#!/usr/bin/env python3
"""Runs Holdfast, etcd and ZooKeeper in turn with the same workloads and prints how they compare: see README.md here."""
import argparse
import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import platform
import signal
import sys
from typing import Iterator

import table
from clusters import KINDS, kind_version
from processes import Unfinished
from rounds import one_round
from workloads import WORKLOADS, Plan, chosen

TREE = pathlib.Path(__file__).resolve().parents[2]
BAD_ARGUMENTS, INCOMPLETE = 2, 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", default=",".join(KINDS), help="which, in this order (%(default)s)")
    parser.add_argument("--workloads", default="*", help="names or patterns, comma-separated; --list names them (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each service is measured (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load (%(default)s)")
    parser.add_argument("--total", type=int, help="operations of each load, instead of --seconds")
    parser.add_argument("--warm-up", type=float, default=10.0, help="seconds of each kind of load beforehand (%(default)s)")
    parser.add_argument("--bin", type=pathlib.Path, default=TREE / "build/release/bin", help="our programs (%(default)s)")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("/var/tmp"),
                        help="where the servers' data lie while they run: a disk, not a tmpfs (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--save", type=pathlib.Path, help="append each row to this file as it is measured")
    parser.add_argument("--from", dest="saved", type=pathlib.Path, help="measure nothing: print what --save wrote")
    parser.add_argument("--list", action="store_true", help="name the workloads")
    return parser.parse_args()


@contextlib.contextmanager
def alone(scratch: pathlib.Path) -> Iterator[None]:
    """Two comparisons at once would measure each other. Raises Unfinished."""
    path = scratch / "holdfast-compare.lock"
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise Unfinished(f"another comparison runs: it holds {path}") from held
        yield


def end_cleanly_on_signals() -> None:
    """A signal unwinds the stack, so that clusters and their data are removed."""
    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def describe(options: argparse.Namespace, services: list[str]) -> dict:
    """Whoever reads the figures later wants to know where they come from."""
    memory_kib = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "command": " ".join([f"bench/compare/{pathlib.Path(sys.argv[0]).name}", *sys.argv[1:]]),
            "machine": f"{os.cpu_count()} cores, {memory_kib / 1024 / 1024:.0f} GiB, Linux {platform.release()}",
            "versions": {service: kind_version(service, options.bin) for service in services}}


def collect(options: argparse.Namespace, services: list[str], workloads: list) -> list[dict]:
    plan = Plan(options.bin.resolve(), options.scratch.resolve(), options.seconds, options.warm_up, options.total)
    rows = []
    with contextlib.ExitStack() as open_files:
        saved = open_files.enter_context(open(options.save, "a")) if options.save else None
        for number in range(1, options.rounds + 1):
            for row in one_round(plan, number, services, workloads):
                rows.append(row)
                if saved:
                    print(json.dumps(row), file=saved, flush=True)
    return rows


def show(about: dict, rows: list[dict], services: list[str], as_json: bool) -> None:
    lines = table.summary(rows, [(one.name, one.what) for one in WORKLOADS], services)
    if as_json:
        print(json.dumps({**about, "table": lines, "rows": rows}))
        return
    for name, value in about.items():
        print(f"{name}: {value if isinstance(value, str) else '; '.join(value.values())}")
    print("\nMedian (least-most) of the rounds; a ratio above 1 means that Holdfast is better.\n")
    print(table.floor_text(rows), end="\n\n")
    print(table.as_text(lines, services))
    for row in rows:
        if "failed" in row:
            print(f"\nnot measured: round {row['round']}, {row['service']}, {row['workload']}: {row['failed']}")


def main() -> int:
    options = arguments()
    if options.list:
        for one in WORKLOADS:
            print(f"{one.name:32} {one.what}")
        return 0
    services = options.services.split(",")
    try:
        unknown = [service for service in services if service not in KINDS]
        if unknown:
            raise Unfinished(f"no service is called {unknown[0]}; there are: {', '.join(KINDS)}")
        workloads = chosen(options.workloads)
        if options.saved:
            rows = [json.loads(line) for line in options.saved.read_text().splitlines()]
            show({"saved": str(options.saved)}, rows, services, options.json)
            return 0
        about = describe(options, services)
        end_cleanly_on_signals()
        with alone(options.scratch):
            rows = collect(options, services, workloads)
    except (Unfinished, OSError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return BAD_ARGUMENTS
    show(about, rows, services, options.json)
    return INCOMPLETE if any("failed" in row for row in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
