"""What is measured: one entry of WORKLOADS is one row, or a few, of the table."""
import dataclasses
import fnmatch
import json
import pathlib
import resource
import subprocess
import sys
from typing import Iterable, Optional

from clusters import KINDS, Cluster
from processes import Unfinished

KEY_SPACE = 10_000
VALUE_BYTES = 256
WATCHERS = 1000


@dataclasses.dataclass(frozen=True)
class Load:
    """How a loader is called."""
    op: str
    connections: int
    in_flight: int
    serializable: bool = False
    spread: bool = False  # Holdfast's connections too are spread over the members
    to_leader: bool = False  # the others' too go to the leader
    watchers: int = WATCHERS


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    what: str
    # Which part of a cluster's life it belongs to: see rounds.py and lifecycle.py.
    phase: str
    load: Optional[Load] = None
    # Processor time is counted until the servers have nothing left to do for it, not only during it.
    settles: bool = False
    services: tuple[str, ...] = tuple(KINDS)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What holds for a whole comparison."""
    bin_dir: pathlib.Path
    scratch: pathlib.Path
    seconds: float
    warm_up: float
    total: Optional[int] = None  # operations of a load, instead of seconds


POINTS = ((1, 1), (16, 64), (32, 256), (100, 1000))  # connections, operations in flight


def _puts() -> Iterable[Workload]:
    for connections, in_flight in POINTS:
        yield Workload(f"put-{in_flight}", f"durable writes, {in_flight} in flight on {connections}",
                       "writes", Load("put", connections, in_flight), settles=True)


def _gets(phase: str, suffix: str, when: str) -> Iterable[Workload]:
    for connections, in_flight in ((16, 64), (100, 1000)):
        yield Workload(f"get-{in_flight}{suffix}", f"linearizable reads, {in_flight} in flight on {connections}, {when}",
                       phase, Load("get", connections, in_flight))
    yield Workload(f"get-serializable-1000{suffix}", f"serializable reads, 1000 in flight on 100, {when}",
                   phase, Load("get", 100, 1000, serializable=True))


def _locks() -> Iterable[Workload]:
    for connections, in_flight in ((1, 1), (16, 64), (100, 1000)):
        yield Workload(f"lock-{in_flight}", f"lock + unlock, each its own, {in_flight} in flight on {connections}",
                       "locks", Load("lock", connections, in_flight))
    for clients in (2, 32):
        yield Workload(f"contended-{clients}", f"one lock, {clients} clients, handovers",
                       "locks", Load("contended", clients, clients))


WORKLOADS: tuple[Workload, ...] = (
    *_gets("fresh", "", "freshly started"),
    Workload("get-1000-spread", "linearizable reads, 1000 in flight on 100 to all members, freshly started", "fresh",
             Load("get", 100, 1000, spread=True)),
    *_puts(),
    *_gets("burst", "-after-writes", "after a burst of writes"),
    *_locks(),
    Workload("keepalive", "1000 leases or sessions kept alive", "many", Load("keepalive", 100, 1000)),
    Workload("keepalive-leader", "the same, through the leader alone", "many", Load("keepalive", 100, 1000, to_leader=True)),
    Workload("watch-1000", "1000 watchers of one key, written again when all were told", "many", Load("watch", 100, 1)),
    Workload("watch-10000", "10,000 watchers of one key, written again when all were told", "many",
             Load("watch", 100, 1, watchers=10_000), services=("holdfast", "etcd")),
    Workload("live-100k", "100,000 instances under a lease each of 10 s, kept alive every third of that, 1000 in a call", "live",
             services=("holdfast",)),
    Workload("live-100k-singly", "the same, a call for each: 30,000 calls/s", "live", services=("holdfast",)),
    Workload("cold-start", "three new members started until the first write", "size"),
    Workload("idle", "nothing stored, nothing done", "size"),
    Workload("keys-100k", "100,000 keys of 256 bytes written once each", "size"),
    Workload("restart-100k", "all stopped, started again with these keys until the first write", "size"),
    Workload("planned-stop", "leader ended by SIGTERM, longest time without a write", "failover"),
    Workload("failover", "leader killed (kill -9) until the next write", "failover"),
    Workload("stopped-leader", "leader stopped (SIGSTOP) until the last of six clients writes", "failover"),
)


def chosen(patterns: str) -> list[Workload]:
    """The workloads that one of the comma-separated patterns names, in the order of the table. Raises Unfinished."""
    wanted = patterns.split(",")
    for pattern in wanted:
        if not any(fnmatch.fnmatch(one.name, pattern) for one in WORKLOADS):
            raise Unfinished(f"no workload is called {pattern}; there are: {', '.join(one.name for one in WORKLOADS)}")
    return [one for one in WORKLOADS if any(fnmatch.fnmatch(one.name, pattern) for pattern in wanted)]


def loader_words(plan: Plan, service: str, load: Load, key_space: int = KEY_SPACE) -> list[str]:
    """The loader of a service and what it needs to be told beyond endpoints and bounds."""
    program = "holdfast-bench" if service == "holdfast" else f"holdfast-load-{service}"
    connections, in_flight, more = load.connections, load.in_flight, []
    if load.serializable:
        more.append("--serializable")
    if load.spread and service == "holdfast":
        more.append("--spread")
    if load.op == "keepalive":
        # Each service's best way to keep `in_flight` alive: many leases in a call, or a stream each, or a session each.
        if service == "holdfast":
            connections, in_flight, more = 10, 10, ["--leases-per-call", str(load.in_flight // 10)]
        elif service == "zookeeper":
            connections = in_flight
    if load.op == "watch":
        more += ["--watchers", str(load.watchers), "--in-step"]
        if service == "zookeeper":
            connections = load.watchers  # a server keeps one watch for a session and key
    return [str(plan.bin_dir / program), load.op, "--connections", str(connections), "--in-flight", str(in_flight),
            "--value-size", str(VALUE_BYTES), "--key-space", str(key_space), *more]


def run_loader(words: list[str], limit: float) -> dict:
    """Runs a loader to its end. Returns: the object it printed, and the processor time that it used itself. Raises Unfinished
    if it prints none within `limit` s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        run = subprocess.run([*words, "-o", "json"], capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired as late:
        raise Unfinished(f"not within {limit:g} s: {' '.join(words)}") from late
    lines = run.stdout.splitlines()
    if not lines:
        raise Unfinished(f"{' '.join(words)}: {run.stderr.strip()[-500:]}")
    figures = json.loads(lines[-1])
    if figures["errors"]:
        print(f"  {figures['errors']} errors; {run.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures["loader_cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return figures


def targets(cluster: Cluster, load: Load) -> str:
    """One client talks to the leader; many connections are spread over the members, unless told otherwise."""
    if load.connections == 1 or load.to_leader:
        return cluster.endpoint(cluster.await_leader())
    return cluster.endpoints


def run_load(plan: Plan, cluster: Cluster, load: Load, seconds: float, total: Optional[int] = None) -> dict:
    """For so long, or, if `total` is given, so many operations."""
    words = [*loader_words(plan, cluster.name, load), "--endpoints", targets(cluster, load)]
    if total is not None:
        # A loader counts the writes that its watchers are told of; here, what each of them is told is one operation.
        calls = max(1, total // load.watchers) if load.op == "watch" else total
        return run_loader([*words, "--total", str(calls)], 600)
    return run_loader([*words, "--duration", f"{seconds:g}"], seconds * 2 + 60)


def fill(plan: Plan, cluster: Cluster, keys: int, load: Load = Load("put", 16, 64), limit: float = 300,
         writes: int = 0) -> None:
    """Writes each of `keys` keys once, or in turn until there were `writes`. Raises Unfinished if that takes more than `limit` s."""
    words = loader_words(plan, cluster.name, load, key_space=keys)
    run_loader([*words, "--in-order", "--endpoints", cluster.endpoints, "--total", str(max(keys, writes))], limit)


def measure(plan: Plan, cluster: Cluster, workload: Workload) -> dict[str, float]:
    """Runs a workload. Returns: its figures, by name and unit as in the table."""
    assert workload.load is not None
    before = cluster.cpu_seconds()
    figures = run_load(plan, cluster, workload.load, plan.seconds, plan.total)
    used = (cluster.settled_cpu_seconds() if workload.settles else cluster.cpu_seconds()) - before
    values = {"rate": figures["rate"], "p50_ms": figures["p50_us"] / 1000, "p99_ms": figures["p99_us"] / 1000,
              "errors": figures["errors"]}
    if figures["count"]:
        values["cpu_s_per_100k"] = used / figures["count"] * 100_000
        values["loader_us"] = figures["loader_cpu_s"] / figures["count"] * 1e6
    return values
