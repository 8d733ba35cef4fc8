"""How long a service takes to start and to get over its leader's death, and how much memory and disk it takes."""
import time
from typing import Callable, Iterator

from clusters import KINDS, NODES, Cluster
from workloads import KEY_SPACE, Load, Plan, Workload, fill, loader_words, run_loader

MANY_KEYS = 100_000
MIB = 1024 * 1024

Measured = Iterator[tuple[str, Callable[[], dict[str, float]]]]


def sizes(plan: Plan, service: str, workloads: list[Workload]) -> Measured:
    """A new cluster: its first write, idle, with many keys, and started again with them."""
    names = {one.name for one in workloads}
    cluster = KINDS[service](plan.bin_dir, plan.scratch)
    try:
        yield from (one for one in (("cold-start", lambda: first_write(cluster)), ("idle", lambda: footprint(cluster)))
                    if one[0] in names)
        cluster.start()
        if names & {"keys-100k", "restart-100k"}:
            fill(plan, cluster, MANY_KEYS)
        yield from (one for one in (("keys-100k", lambda: footprint(cluster)), ("restart-100k", lambda: restart(cluster)))
                    if one[0] in names)
    finally:
        cluster.remove()


def first_write(cluster: Cluster) -> dict[str, float]:
    begin = time.monotonic()
    cluster.start_processes()
    started = time.monotonic() - begin
    return {"seconds": started + cluster.seconds_to_first_write(range(NODES))}


def footprint(cluster: Cluster) -> dict[str, float]:
    """Of the largest of the three, once they have nothing left to do."""
    cluster.start()
    cluster.settled_cpu_seconds()
    return {"resident_mib": max(cluster.resident_bytes()) / MIB, "disk_mib": max(cluster.disk_bytes()) / MIB}


def restart(cluster: Cluster) -> dict[str, float]:
    cluster.stop()
    return first_write(cluster)


def failover(plan: Plan, service: str, _workloads: list[Workload]) -> Measured:
    cluster = KINDS[service](plan.bin_dir, plan.scratch)
    try:
        cluster.start()
        fill(plan, cluster, KEY_SPACE)
        yield "failover", lambda: lose_leader(plan, cluster)
    finally:
        cluster.remove()


def lose_leader(plan: Plan, cluster: Cluster) -> dict[str, float]:
    """By the longest time without an acknowledged write of clients that write all the while."""
    server = cluster.servers[cluster.await_leader()]
    assert server is not None
    words = loader_words(plan, cluster.name, Load("failover", 6, 6))
    figures = run_loader([*words, "--endpoints", cluster.endpoints, "--kill", str(server.process.pid), "--kill-after", "1",
                          "--duration", "5", "--call-timeout", "250"], 60)
    return {"seconds": figures["gap_after_kill_us"] / 1e6}
