#!/usr/bin/env python3
"""Mixed churn at a bounded rate against three members, and whether their memory and disk stay flat: see README.md here."""
import argparse
import dataclasses
import json
import pathlib
import sqlite3
import subprocess
import sys
import threading
import time
from typing import Optional

from clusters import NODES, Cluster, Holdfast, running
from compare import TREE, end_cleanly_on_signals
from flatness import Verdict, judge
from processes import Unfinished
from workloads import VALUE_BYTES

MIB = 1024 * 1024
BAD_ARGUMENTS, NOT_FLAT = 2, 1
# Of the operations that were due: with fewer done the churn was not what was asked for.
LEAST_DONE = 0.9
# A loader tells of a failed call after its timeout, which is 10 s by itself.
LOADER_PATIENCE_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Kind:
    """One sort of churn: an operation of holdfast-bench that runs for a while, goes with its connections, leases and watches,
    and begins anew."""
    name: str
    share: float  # of all operations
    words: tuple[str, ...]
    longest: float = float("inf")  # seconds of one run


def kinds(options: argparse.Namespace) -> list[Kind]:
    return [
        Kind("put, delete", 0.5, ("put", "--delete-percent", "20", "--key-space", str(options.keys),
                                  "--value-size", str(VALUE_BYTES))),
        Kind("register, deregister", 0.15, ("churn", "--instances", str(options.instances), "--leases-per-call", "20")),
        Kind("lock, unlock", 0.2, ("lock",)),
        Kind("lease, revoke", 0.05, ("lease",)),
        Kind("watch", 0.1, ("watch", "--own-prefix", "--watchers", str(options.watchers)), longest=10.0),
    ]


@dataclasses.dataclass
class Tally:
    """What became of one sort of churn."""
    due: float = 0.0
    done: int = 0
    errors: int = 0
    complaint: str = ""  # the first


class Churn:
    """Runs all kinds side by side, each on a thread that starts one loader after the other. The servers end before the
    threads do if the run is given up; loaders then fail, and end too."""

    def __init__(self, options: argparse.Namespace, cluster: Cluster) -> None:
        self._options = options
        self._endpoints = cluster.endpoints
        self._until = time.monotonic() + options.duration
        self.tallies = {kind.name: Tally() for kind in kinds(options)}
        self._threads = [threading.Thread(target=self._repeat, args=(kind,), daemon=True) for kind in kinds(options)]
        for thread in self._threads:
            thread.start()

    def _repeat(self, kind: Kind) -> None:
        while (left := self._until - time.monotonic()) > 0.1:
            self._once(kind, min(left, kind.longest, self._options.segment))

    def _once(self, kind: Kind, seconds: float) -> None:
        tally, rate = self.tallies[kind.name], self._options.rate * kind.share
        words = [str(self._options.bin / "holdfast-bench"), *kind.words, "--rate", f"{rate:g}", "--duration", f"{seconds:g}",
                 "--connections", "4", "--in-flight", "16", "--endpoints", self._endpoints, "-o", "json"]
        tally.due += rate * seconds
        try:
            run = subprocess.run(words, capture_output=True, text=True, timeout=seconds + LOADER_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            tally.complaint = tally.complaint or f"a loader did not end: {' '.join(words)}"
            return
        if run.stdout:
            figures = json.loads(run.stdout.splitlines()[-1])
            tally.done += figures["count"]
            tally.errors += figures["errors"]
        if run.returncode != 0 and not tally.complaint:
            tally.complaint = (run.stderr.strip().splitlines() or [f"a loader ended with status {run.returncode}"])[-1]

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def shortcomings(self) -> list[str]:
        """Why it was not the churn that it should have been."""
        return [f"{name}: {tally.done} of {tally.due:.0f} operations were done; {tally.complaint}"
                for name, tally in self.tallies.items() if tally.done < LEAST_DONE * tally.due]


@dataclasses.dataclass(frozen=True)
class Sample:
    seconds: float  # since the churn began
    anonymous_mib: list[float]  # of each member
    disk_mib: list[float]
    cpu_seconds: float  # of all, since they were started

    @property
    def text(self) -> str:
        def each(values: list[float]) -> str:
            return " ".join(f"{value:8.2f}" for value in values)
        return f"{self.seconds:7.0f} s  RssAnon MiB {each(self.anonymous_mib)}  disk MiB {each(self.disk_mib)}  CPU s {self.cpu_seconds:8.2f}"


def take_sample(cluster: Cluster, begin: float) -> Sample:
    return Sample(time.monotonic() - begin, [size / MIB for size in cluster.anonymous_bytes()],
                  [size / MIB for size in cluster.disk_bytes()], cluster.cpu_seconds())


def churn(options: argparse.Namespace, cluster: Cluster) -> tuple[list[Sample], Churn]:
    begin = time.monotonic()
    load = Churn(options, cluster)
    samples: list[Sample] = []
    while (at := begin + options.sample * (len(samples) + 1)) <= begin + options.duration:
        time.sleep(max(0.0, at - time.monotonic()))
        dead = [node for node, server in enumerate(cluster.servers) if server is None or not server.runs]
        if dead:
            raise Unfinished(f"member n{dead[0]} ended: {cluster.dir}/node{dead[0]}.log")
        samples.append(take_sample(cluster, begin))
        print(samples[-1].text, flush=True)
    load.join()
    return samples, load


def history_mib(cluster: Cluster, node: int) -> float:
    """Of a stopped member: what it keeps of every change of the configuration there ever was."""
    images = sorted(cluster.data_dir(node).glob("state*.db"))
    if len(images) != 1:
        raise Unfinished(f"one image was expected in {cluster.data_dir(node)}, not {len(images)}")
    with sqlite3.connect(images[0]) as database:
        return (database.execute("select coalesce(sum(length(changes)), 0) from history").fetchone()[0]) / MIB


def verdicts(samples: list[Sample], histories: list[float], seconds: float, limit: float) -> list[Verdict]:
    """The rate is the same all the time, so history is taken to have grown evenly; the disk is judged without it."""
    times = [sample.seconds for sample in samples]
    found = []
    for node in range(NODES):
        found.append(judge(f"n{node} memory (RssAnon)", times, [sample.anonymous_mib[node] for sample in samples], limit))
        rest = [sample.disk_mib[node] - histories[node] * min(1.0, sample.seconds / seconds) for sample in samples]
        found.append(judge(f"n{node} disk without history", times, rest, limit))
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=3600, help="seconds (%(default)s)")
    parser.add_argument("--sample", type=float, default=30, help="seconds between samples (%(default)s)")
    parser.add_argument("--rate", type=float, default=200, help="operations a second, of all kinds together (%(default)s)")
    parser.add_argument("--segment", type=float, default=30,
                        help="seconds until a loader goes, and the next comes (%(default)s; a watch 10 at most)")
    parser.add_argument("--keys", type=int, default=10_000, help="that are put and deleted (%(default)s)")
    parser.add_argument("--instances", type=int, default=200, help="kept alive, besides those that come and go (%(default)s)")
    parser.add_argument("--watchers", type=int, default=50, help="at a time (%(default)s)")
    parser.add_argument("--limit", type=float, default=5,
                        help="of growth over the second half, in percent of its median (%(default)s)")
    parser.add_argument("--bin", type=pathlib.Path, default=TREE / "build/release/bin", help="our programs (%(default)s)")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("/var/tmp"),
                        help="where the members' data lie while it runs: a disk, not a tmpfs (%(default)s)")
    return parser.parse_args()


def report(options: argparse.Namespace, samples: list[Sample], load: Churn, histories: list[float]) -> int:
    for name, tally in load.tallies.items():
        print(f"{name}: {tally.done} done, {tally.errors} failed" + (f": {tally.complaint}" if tally.complaint else ""))
    print(f"the three members took {samples[-1].cpu_seconds / samples[-1].seconds * 100:.1f} % of a core; "
          f"history: {max(histories):.1f} MiB, which is not dropped")
    found = verdicts(samples, histories, options.duration, options.limit / 100)
    for verdict in found:
        print(verdict.text)
    shortcomings = load.shortcomings()
    for text in shortcomings:
        print(f"not the churn that was asked for: {text}")
    return 0 if all(verdict.flat for verdict in found) and not shortcomings else NOT_FLAT


def main() -> int:
    options = arguments()
    if options.duration < 6 * options.sample:
        print("endurance.py: --duration must be six times --sample at least, to judge its second half", file=sys.stderr)
        return BAD_ARGUMENTS
    options.bin = options.bin.resolve()
    end_cleanly_on_signals()
    try:
        with running(Holdfast, options.bin, options.scratch.resolve()) as cluster:
            samples, load = churn(options, cluster)
            cluster.stop()
            histories = [history_mib(cluster, node) for node in range(NODES)]
    except (Unfinished, OSError) as error:
        print(f"endurance.py: {error}", file=sys.stderr)
        return BAD_ARGUMENTS
    return report(options, samples, load, histories)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
