"""How long a service takes to start and to get over the loss of its leader, and what many things kept by it cost."""
import json
import subprocess
import time
from typing import Callable, Iterator

from clusters import KINDS, NODES, Cluster, running
from processes import Unfinished, eventually
from workloads import KEY_SPACE, Load, Plan, Workload, fill, loader_words, run_loader

MANY_KEYS = 100_000
MIB = 1024 * 1024
MANY_INSTANCES = 100_000
LIVE_SECONDS = 12.0  # every lease is kept alive three times
AFTERMATH_SECONDS = 8  # after which the image of all that was registered is written, too: it is every 5
LEASES_A_CALL = {"live-100k": 1000, "live-100k-singly": 1}
CLIENT_TIMEOUT_MS = 250  # after which a client turns to another member

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
    return {"resident_mib": max(cluster.resident_bytes()) / MIB, "proportional_mib": max(cluster.proportional_bytes()) / MIB,
            "disk_mib": max(cluster.disk_bytes()) / MIB}


def restart(cluster: Cluster) -> dict[str, float]:
    cluster.stop()
    return first_write(cluster)


# How a leader is lost: what the loader is told, and which of its figures counts.
LOSSES: dict[str, tuple[list[str], str]] = {
    "planned-stop": (["--terminate"], "gap_after_kill_us"),
    "failover": ([], "gap_after_kill_us"),
    "stopped-leader": (["--stop"], "slowest_client_us"),
}
LOSS_SECONDS = 6.0  # longer than any client is out after the leader's process ended


def losses(plan: Plan, service: str, workloads: list[Workload]) -> Measured:
    cluster = KINDS[service](plan.bin_dir, plan.scratch)
    try:
        cluster.start()
        fill(plan, cluster, KEY_SPACE)
        yield from ((one.name, lambda one=one: lose_leader(plan, cluster, *LOSSES[one.name])) for one in workloads)
    finally:
        cluster.remove()


def lose_leader(plan: Plan, cluster: Cluster, how: list[str], figure: str) -> dict[str, float]:
    """By the times without an acknowledged write of clients that write all the while."""
    cluster.start()
    eventually(lambda: all(cluster.write(node) for node in range(NODES)), "every member takes a write", 30)
    server = cluster.servers[cluster.await_leader()]
    assert server is not None
    words = loader_words(plan, cluster.name, Load("failover", 6, 6))
    before = 1.0
    after = cluster.silence_seconds if "--stop" in how else LOSS_SECONDS
    figures = run_loader([*words, "--endpoints", cluster.endpoints, "--kill", str(server.process.pid), *how,
                          "--kill-after", f"{before:g}", "--duration", f"{before + after:g}",
                          "--call-timeout", str(CLIENT_TIMEOUT_MS)], 120)
    if "--stop" not in how:
        server.stop()  # it has ended, or is about to
    return {"seconds": figures[figure] / 1e6}


def live(plan: Plan, service: str, workloads: list[Workload]) -> Measured:
    with running(KINDS[service], plan.bin_dir, plan.scratch) as cluster:
        yield from ((one.name, lambda one=one: keep_alive(plan, cluster, LEASES_A_CALL[one.name])) for one in workloads)


def keep_alive(plan: Plan, cluster: Cluster, leases_a_call: int) -> dict[str, float]:
    """The processor's time of keeping them alive: from when all are registered, and that is written down, until the end."""
    seconds = max(LIVE_SECONDS, plan.seconds)
    words = [str(plan.bin_dir / "holdfast-bench"), "churn", "--live", "--instances", str(MANY_INSTANCES), "--leases-per-call",
             str(leases_a_call), "--ttl", "10000", "--duration", f"{AFTERMATH_SECONDS + seconds:g}", "--connections", "10",
             "--endpoints", cluster.endpoints]
    cluster.settled_cpu_seconds()
    start = time.monotonic()
    with subprocess.Popen([*words, "-o", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as loader:
        try:
            assert loader.stdout is not None and loader.stderr is not None
            # It tells every second how far it is, once all are registered.
            told = loader.stderr.readline()
            registering = time.monotonic() - start - 1
            for _ in range(AFTERMATH_SECONDS - 1):
                told += loader.stderr.readline()
            begin, used = time.monotonic(), cluster.cpu_seconds()
            for _ in range(int(seconds) - 1):
                told += loader.stderr.readline()
            used, taken = cluster.cpu_seconds() - used, time.monotonic() - begin
            printed, rest = loader.communicate(timeout=seconds + 60)
        except subprocess.TimeoutExpired as late:
            raise Unfinished(f"not within {seconds + 60:g} s: {' '.join(words)}") from late
        finally:
            loader.kill()
    if not printed:
        raise Unfinished(f"{' '.join(words)}: {(told + rest).strip()[-500:]}")
    figures = json.loads(printed.splitlines()[-1])
    return {"core_percent": used / taken * 100, "registered": MANY_INSTANCES / registering, "rate": figures["rate"],
            "p99_ms": figures["p99_us"] / 1000, "errors": figures["errors"]}
