"""One service's part of a round: the lives of a few clusters, and what is measured in each."""
import sys
from typing import Callable, Iterator

import lifecycle
from clusters import KINDS, Cluster, running
from floor import floor_ms
from processes import Unfinished
from table import MACHINE
from workloads import KEY_SPACE, Load, Plan, Workload, fill, measure, run_load

# One measurement: round, service, workload, and values (numbers by name) or failed (why there are none).
Row = dict


def warm_up(plan: Plan, cluster: Cluster, op: str) -> None:
    """Runs what is measured next for a while: a Java machine is several times slower before it has compiled it."""
    if plan.warm_up > 0:
        run_load(plan, cluster, Load(op, 16, 64), plan.warm_up)


def before_fresh(plan: Plan, cluster: Cluster) -> None:
    """etcd's reads are slower after a burst of writes, until a restart."""
    cluster.stop()
    cluster.start()
    warm_up(plan, cluster, "get")


def before_writes(plan: Plan, cluster: Cluster) -> None:
    warm_up(plan, cluster, "put")
    cluster.settled_cpu_seconds()


def before_burst(plan: Plan, cluster: Cluster) -> None:
    run_load(plan, cluster, Load("put", 100, 1000), plan.seconds)


def before_locks(plan: Plan, cluster: Cluster) -> None:
    warm_up(plan, cluster, "lock")


def before_many(_plan: Plan, _cluster: Cluster) -> None:
    """Nothing: what they set up, many leases and watches, warms as well."""


# In this order; a phase of which nothing was chosen is left out.
PHASES: dict[str, Callable[[Plan, Cluster], None]] = {
    "fresh": before_fresh, "writes": before_writes, "burst": before_burst, "locks": before_locks, "many": before_many}
NEED_KEYS = {"fresh", "writes", "burst"}

Measured = Iterator[tuple[str, Callable[[], dict[str, float]]]]


def loads(plan: Plan, service: str, workloads: list[Workload]) -> Measured:
    """Loads on a cluster that stays as it is."""
    with running(KINDS[service], plan.bin_dir, plan.scratch) as cluster:
        if any(one.phase in NEED_KEYS for one in workloads):
            fill(plan, cluster, KEY_SPACE)
        for phase, prepare in PHASES.items():
            mine = [one for one in workloads if one.phase == phase]
            if mine:
                prepare(plan, cluster)
            for one in mine:
                yield one.name, lambda one=one: measure(plan, cluster, one)


# What has a cluster of its own, and the phases that are measured on it.
PARTS: tuple[tuple[Callable[[Plan, str, list[Workload]], Measured], set[str]], ...] = (
    (loads, set(PHASES)), (lifecycle.sizes, {"size"}), (lifecycle.losses, {"failover"}),
    (lifecycle.live, {"live"}))


def one_round(plan: Plan, number: int, services: list[str], workloads: list[Workload]) -> Iterator[Row]:
    """The machine by itself, then every service once: nothing of two services ever runs at the same time."""
    floor: Row = {"round": number, "service": MACHINE, "workload": "floor", "values": floor_ms(plan.scratch, min(plan.seconds, 2.0))}
    say(floor)
    yield floor
    for service in services:
        for part, phases in PARTS:
            mine = [one for one in workloads if one.phase in phases and service in one.services]
            if mine:
                yield from rows_of(part(plan, service, mine), number, service)


def rows_of(measured: Measured, number: int, service: str) -> Iterator[Row]:
    """What could not be measured says why, and the rest goes on; without its cluster a part has no rest."""
    row: Row = {"round": number, "service": service, "workload": "*"}
    try:
        for name, take in measured:
            row = {"round": number, "service": service, "workload": name}
            try:
                row["values"] = take()
            except (Unfinished, OSError, ValueError, KeyError) as error:
                row["failed"] = str(error)
            say(row)
            yield row
    except (Unfinished, OSError) as error:
        row = {"round": number, "service": service, "workload": "*", "failed": str(error)}
        say(row)
        yield row


def say(row: Row) -> None:
    found = row.get("failed") or ", ".join(f"{name} {value:.4g}" for name, value in row["values"].items())
    print(f"  round {row['round']}, {row['service']}, {row['workload']}: {found}", file=sys.stderr, flush=True)
