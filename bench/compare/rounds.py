"""One service's part of a round: the life of a cluster, in phases, with what is measured in each."""
import signal
import sys
from typing import Iterator

from clusters import KINDS, Cluster, running
from processes import Unfinished
from workloads import KEY_SPACE, Load, Plan, Workload, fill, measure, run_load

Row = dict  # round, service, workload, and values or failed


def warm_up(plan: Plan, cluster: Cluster, ops: tuple[str, ...]) -> None:
    """Runs what is measured next for a while: a Java machine is several times slower before it has compiled it."""
    for op in ops:
        if plan.warm_up > 0:
            run_load(plan, cluster, Load(op, 16, 64), plan.warm_up)


def before_fresh(plan: Plan, cluster: Cluster) -> None:
    """etcd's reads are slower after a burst of writes, until a restart."""
    cluster.stop()
    cluster.start()
    warm_up(plan, cluster, ("get",))


def before_writes(plan: Plan, cluster: Cluster) -> None:
    warm_up(plan, cluster, ("put",))


def before_burst(plan: Plan, cluster: Cluster) -> None:
    run_load(plan, cluster, Load("put", 100, 1000), plan.seconds)


def before_locks(plan: Plan, cluster: Cluster) -> None:
    warm_up(plan, cluster, ("lock",))


# In this order; a phase of which nothing was chosen is left out.
PHASES = {"fresh": before_fresh, "writes": before_writes, "burst": before_burst, "locks": before_locks,
          "leases": lambda plan, cluster: None}
NEED_KEYS = {"fresh", "writes", "burst"}


def attempt(number: int, service: str, name: str, measured) -> Row:
    """One row; what could not be measured says why, and the rest goes on."""
    row: Row = {"round": number, "service": service, "workload": name}
    try:
        row["values"] = measured()
    except (Unfinished, OSError, ValueError, KeyError) as error:
        row["failed"] = str(error)
    say(row)
    return row


def steady(plan: Plan, number: int, service: str, workloads: list[Workload]) -> Iterator[Row]:
    """Loads on a cluster that stays as it is."""
    with running(KINDS[service], plan.bin_dir, plan.scratch) as cluster:
        if any(one.phase in NEED_KEYS for one in workloads):
            fill(plan, cluster, KEY_SPACE)
        for phase, prepare in PHASES.items():
            mine = [one for one in workloads if one.phase == phase]
            if mine:
                prepare(plan, cluster)
            for one in mine:
                yield attempt(number, service, one.name, lambda: measure(plan, cluster, one))


def one_round(plan: Plan, number: int, services: list[str], workloads: list[Workload]) -> Iterator[Row]:
    """Every service once, one after the other: nothing of two services ever runs at the same time."""
    for service in services:
        loads = [one for one in workloads if one.phase in PHASES]
        try:
            if loads:
                yield from steady(plan, number, service, loads)
        except (Unfinished, OSError) as error:
            yield {"round": number, "service": service, "workload": "*", "failed": str(error)}
            print(f"  round {number}, {service}: {error}", file=sys.stderr, flush=True)


def say(row: Row) -> None:
    found = row.get("failed") or ", ".join(f"{name} {value:.4g}" for name, value in row["values"].items())
    print(f"  round {row['round']}, {row['service']}, {row['workload']}: {found}", file=sys.stderr, flush=True)


def stop_cleanly_on_signals() -> None:
    """A signal unwinds the stack, so that clusters and their data are removed."""
    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
