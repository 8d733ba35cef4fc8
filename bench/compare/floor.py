"""What this machine's disk and loopback cost by themselves: no durable write of three members can take less."""
import os
import pathlib
import socket
import statistics
import tempfile
import time
from typing import Callable

RECORD = b"r" * 2300  # about what a small write adds to a log
MESSAGE_BYTES = 64


def floor_ms(scratch: pathlib.Path, seconds: float) -> dict[str, float]:
    """Medians: a synced append while two other processes do the same, a round trip over loopback, and what the two
    add up to for a write: client to leader to follower and back, and one sync."""
    sync = sync_ms(scratch, seconds)
    round_trip = round_trip_ms(seconds)
    return {"sync_ms": sync, "round_trip_ms": round_trip, "floor_ms": sync + 2 * round_trip}


def sync_ms(scratch: pathlib.Path, seconds: float) -> float:
    with tempfile.TemporaryDirectory(prefix="compare-floor-", dir=scratch) as folder:
        others = [in_child(lambda number=number: append_for(pathlib.Path(folder) / str(number), seconds)) for number in (1, 2)]
        try:
            return statistics.median(append_for(pathlib.Path(folder) / "0", seconds)) * 1000
        finally:
            for other in others:
                os.waitpid(other, 0)


def append_for(path: pathlib.Path, seconds: float) -> list[float]:
    """Returns: how long each append took."""
    taken = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    deadline = time.perf_counter() + seconds
    while not taken or time.perf_counter() < deadline:
        begin = time.perf_counter()
        os.write(file, RECORD)
        os.fdatasync(file)
        taken.append(time.perf_counter() - begin)
    os.close(file)
    return taken


def round_trip_ms(seconds: float) -> float:
    """Between two processors, if there are two: on one and the same it is several times faster, but a service's processes
    are not."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, processors[:1])
    try:
        return ping_ms(seconds, processors[-1])
    finally:
        os.sched_setaffinity(0, processors)


def ping_ms(seconds: float, other_processor: int) -> float:
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = in_child(lambda: echo(server, other_processor))
        try:
            with socket.create_connection(server.getsockname()) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                taken = []
                deadline = time.perf_counter() + seconds
                while not taken or time.perf_counter() < deadline:
                    begin = time.perf_counter()
                    connection.sendall(b"m" * MESSAGE_BYTES)
                    connection.recv(MESSAGE_BYTES, socket.MSG_WAITALL)
                    taken.append(time.perf_counter() - begin)
        finally:
            os.waitpid(child, 0)
    return statistics.median(taken) * 1000


def echo(server: socket.socket, processor: int) -> None:
    os.sched_setaffinity(0, {processor})
    connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while message := connection.recv(MESSAGE_BYTES, socket.MSG_WAITALL):
            connection.sendall(message)


def in_child(work: Callable[[], object]) -> int:
    """Returns: the id of a process that does `work` and ends, whatever comes."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child
