"""Server processes of this machine: started, counted, and ended with whoever started them."""
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time
from typing import Callable, Optional

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Unfinished(Exception):
    """Something did not happen in time, or a program failed; the text says what and where to look."""


def eventually(condition: Callable[[], bool], what: str, limit: float, pause: float = 0.02) -> None:
    """Polls until `condition()` holds, for at most `limit` seconds. Raises Unfinished."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise Unfinished(f"not within {limit:g} s: {what}")
        time.sleep(pause)


def free_ports(count: int) -> list[int]:
    """Ports of loopback on which nobody listens now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def die_with_the_driver() -> None:
    """In the child: the kernel ends it when the driver ends, even by kill -9."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One process; its output goes to a log file."""

    def __init__(self, words: list[str], log: pathlib.Path) -> None:
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            cwd=log.parent, preexec_fn=die_with_the_driver)

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, patience: float = 15.0) -> None:
        """Ends it, by `number` and after `patience` seconds by SIGKILL; waits until it is gone."""
        if self.runs:
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def resident_bytes(self) -> int:
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE_BYTES

    def anonymous_bytes(self) -> int:
        """Its resident pages that are of no file: what it allocated."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

    def proportional_bytes(self) -> int:
        """Its own pages, and its share of those that other processes have as well."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
