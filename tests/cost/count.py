#!/usr/bin/env python3
"""What a put and a get cost a member, counted in instructions by valgrind: no clock, so the same on a busy machine.

    count.py            counts and compares with baseline.json; exit 1 if one has grown by more than a tenth, 77 if it cannot say
    count.py --print    counts only
    count.py --renew    counts three times and makes the medians the new baseline

HOLDFAST_BIN says where the programs are; build/release/bin unless set.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
os.environ.setdefault("HOLDFAST_BIN", str(TOP / "build" / "release" / "bin"))
sys.path.insert(0, str(HERE.parent / "cluster"))

from cluster import BIN, Cluster, eventually, free_ports  # noqa: E402 (it reads HOLDFAST_BIN)

BASELINE = HERE / "baseline.json"
RENEW = "tests/cost/count.py --renew"
# Far above what one count differs from the next (see README.md), well below what is worth a look.
TOLERANCE = 0.10
MORE_COUNTS = 2
# Of a run in which another member came to lead: its figures are nobody's.
MORE_RUNS = 2
SKIPPED = 77
# Operations of one kind, a burst of them at a time: each burst is read, committed and answered in a few turns of the loop.
BURST = 64
PUTS = 8 * BURST
GETS = 16 * BURST


class Cannot(Exception):
    """There is nothing to compare, and why."""


class CountedCluster(Cluster):
    """Two members, each under valgrind: neither can go on without the other, so they stay in step. Either may lead."""

    def __init__(self, ports):
        super().__init__(members=2)
        self.client_ports, self.peer_ports = dict(zip(self.names, ports[:2])), dict(zip(self.names, ports[2:]))

    def server_words(self, name):
        # Few heartbeats, and no elections but the first, which n1 repeats if both stood in it: the slower the machine, the more
        # of them there would be to count.
        patience = "3s" if name == "n1" else "60s"
        return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *super().server_words(name),
                "--election-timeout", patience, "--heartbeat-interval", "500ms"]

    def await_ready(self, name):
        def ready():
            assert self.servers[name].poll() is None, f"{name} ended: {self.log(name)[-2000:]}"
            return "event=ready" in self.log(name)
        eventually(ready, f"{name} is ready", limit=90)

    def elected(self):
        """Who has been elected so far, one name an election. Read from the logs: a question to the members would count."""
        return [name for name in self.names for _ in re.findall(r"event=role role=leader", self.log(name))]

    def load(self, leader, operation, total):
        command = [BIN / "holdfast-bench", operation, "--endpoints", self.endpoint(leader), "--connections", "1",
                   "--in-flight", str(BURST), "--total", str(total)]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done

    def instructions(self):
        """Ends the members. Returns: what each of them has executed from its start to its end, by name."""
        for server in self.servers.values():
            server.terminate()
        for server in self.servers.values():
            server.wait(60)
        return {name: int(re.search(r"Collected : (\d+)", self.log(name)).group(1)) for name in self.names}


def ports_in_a_row(count):
    """Free ports below those that the kernel gives to outgoing connections: under valgrind seconds go by until a member takes
    its own."""
    while True:
        first = 20000 + free_ports(1)[0] % 10000
        ports = list(range(first, first + count))
        try:
            for port in ports:
                with socket.socket() as one:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    one.bind(("127.0.0.1", port))
        except OSError:
            continue
        return ports


def run(loads, ports):
    """Returns: what the leader and the follower have executed."""
    for _ in range(1 + MORE_RUNS):
        with CountedCluster(ports) as cluster:
            before = cluster.elected()
            leader = before[-1]
            for operation, total in loads:
                cluster.load(leader, operation, total)
            after = cluster.elected()
            if after == before:
                executed = cluster.instructions()
                return {"leader": executed.pop(leader), "follower": sum(executed.values())}
    raise AssertionError(f"the roles changed while they were counted: {before} were elected before it, {after} after it")


def count():
    """Three runs: one with a burst of puts, and two with many puts or gets besides. What a start, an end, a first burst and an
    image cost is in all of them. Returns: instructions an operation."""
    first, puts, gets = ("put", BURST), ("put", PUTS), ("get", GETS)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ports = ports_in_a_row(3 * 4)
        bare, written, read = pool.map(run, [[first], [first, puts], [first, gets]], [ports[:4], ports[4:8], ports[8:]])

    def each(more, role, operations):
        return round((more[role] - bare[role]) / operations)
    return {"put_leader": each(written, "leader", PUTS), "put_follower": each(written, "follower", PUTS),
            "get_leader": each(read, "leader", GETS)}


def compiler():
    """As the server says itself."""
    notes = subprocess.run(["readelf", "-p", ".comment", BIN / "holdfastd"], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^ *\[ *[0-9a-f]+\] *(.*)$", notes, re.MULTILINE)
    return ", ".join(sorted({line for line in lines if "GCC" in line or "clang" in line}))


def renew():
    counts = [count() for _ in range(3)]
    for each in counts:
        print(json.dumps(each))
    figures = {name: round(statistics.median(each[name] for each in counts)) for name in counts[0]}
    BASELINE.write_text(json.dumps({"compiler": compiler(), "instructions": figures}, indent=2) + "\n")
    print(f"{BASELINE.relative_to(TOP)} says now: {json.dumps(figures)}")


def verdict(baseline, counted):
    """Returns: what to tell, a line a figure, and which figures have grown too much."""
    lines, grown = [], []
    for name, before in baseline.items():
        now = counted[name]
        change = now / before - 1
        lines.append(f"{name}: {now} instructions, the baseline says {before} ({change:+.1%})")
        if change > TOLERANCE:
            grown.append(name)
    return lines, grown


def compare():
    baseline = json.loads(BASELINE.read_text())
    if compiler() != baseline["compiler"]:
        raise Cannot(f"the baseline was counted with {baseline['compiler']}, this server was built by {compiler()}")
    counted = count()
    lines, grown = verdict(baseline["instructions"], counted)
    for _ in range(MORE_COUNTS):
        if not grown:
            break
        # What comes in between, an election or a burst that was torn, only adds: the lowest count is the best one.
        again = count()
        counted = {name: min(counted[name], again[name]) for name in counted}
        lines, grown = verdict(baseline["instructions"], counted)
    print(*lines, sep="\n")
    if grown:
        print(f"grown by more than {TOLERANCE:.0%}: {', '.join(grown)}. If that is meant, say why in the commit, with the new "
              f"baseline: {RENEW}")
        return 1
    if any(counted[name] < before * (1 - TOLERANCE) for name, before in baseline["instructions"].items()):
        print(f"cheaper than the baseline by more than {TOLERANCE:.0%}: keep that with {RENEW}")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Counts the instructions of a put and a get.")
    parser.add_argument("--print", action="store_true", help="count only")
    parser.add_argument("--renew", action="store_true", help="make what is counted the new baseline")
    parser.add_argument("--skip", metavar="WHY", help="do nothing but say so")
    arguments = parser.parse_args()
    try:
        if arguments.skip:
            raise Cannot(arguments.skip)
        if shutil.which("valgrind") is None or shutil.which("readelf") is None:
            raise Cannot("valgrind or readelf is not installed; scripts/deps installs them")
        if arguments.renew:
            return renew() or 0
        if arguments.print:
            return print(json.dumps(count())) or 0
        return compare()
    except Cannot as why:
        print(f"skipped: {why}")
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main())
