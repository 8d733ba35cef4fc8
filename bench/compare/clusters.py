"""Clusters of three on loopback, each as its makers ship it: default options, every write synced to disk."""
import contextlib
import http.client
import json
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request
from typing import Iterable, Iterator, Optional

from processes import Server, Unfinished, eventually, free_ports

NODES = 3
# A machine that also builds something is slow to start a Java machine three times.
START_LIMIT_SECONDS = 60.0


class Cluster:
    """Three servers of one kind with their data below one directory of their own."""

    name = ""
    ports_a_node = 2
    # How long after the last write a service still puts off work that belongs to it.
    settle_seconds = 1.0
    # Longer than any client is out after the leader falls silent.
    silence_seconds = 6.0

    def __init__(self, bin_dir: pathlib.Path, scratch: pathlib.Path) -> None:
        self.bin_dir = bin_dir
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"compare-{self.name}-", dir=scratch))
        ports = free_ports(NODES * self.ports_a_node)
        self.ports = [ports[i::NODES] for i in range(NODES)]  # of each node: for clients, for peers, ...
        self.servers: list[Optional[Server]] = [None] * NODES

    def words(self, node: int) -> list[str]:
        """The command line of a node."""
        raise NotImplementedError

    def leader(self) -> Optional[int]:
        """The node that leads, as it says itself; None if none does, or another does not follow yet."""
        raise NotImplementedError

    def write(self, node: int) -> bool:
        """One small write through a node. Returns: whether it was acknowledged, within a fraction of a second."""
        raise NotImplementedError

    def data_dir(self, node: int) -> pathlib.Path:
        return self.dir / f"node{node}"

    def endpoint(self, node: int) -> str:
        return f"127.0.0.1:{self.ports[node][0]}"

    @property
    def endpoints(self) -> str:
        return ",".join(self.endpoint(node) for node in range(NODES))

    def start_node(self, node: int) -> None:
        self.servers[node] = Server(self.words(node), self.dir / f"node{node}.log")

    def start(self) -> None:
        """Starts what does not run, and waits until one node leads and the others follow."""
        self.start_processes()
        self.await_leader()

    def start_processes(self) -> None:
        for node in range(NODES):
            server = self.servers[node]
            if server is None or not server.runs:
                self.start_node(node)

    def seconds_to_first_write(self, nodes: Iterable[int]) -> float:
        """From now until one of `nodes` acknowledges a write; each is asked again as soon as it refused. Raises Unfinished."""
        begin = time.monotonic()
        done: list[float] = []

        def ask(node: int) -> None:
            while not done and time.monotonic() < begin + START_LIMIT_SECONDS:
                if self.write(node):
                    done.append(time.monotonic() - begin)
                time.sleep(0.005)

        threads = [threading.Thread(target=ask, args=(node,)) for node in nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not done:
            raise Unfinished(f"{self.name} took no write within {START_LIMIT_SECONDS:g} s")
        return min(done)

    def await_leader(self) -> int:
        def found() -> bool:
            for server in self.servers:
                if server is not None and not server.runs:
                    raise Unfinished(f"{self.name} ended:\n{last_lines(server.log)}")
            return self.leader() is not None
        eventually(found, f"{self.name} has a leader; see {self.dir}", START_LIMIT_SECONDS)
        leader = self.leader()
        return self.await_leader() if leader is None else leader

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends all nodes, at once; their data stay."""
        running = [server for server in self.servers if server is not None and server.runs]
        for server in running:
            server.send(number)
        for server in running:
            server.stop(number)

    def remove(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def cpu_seconds(self) -> float:
        """Of all nodes that run, since each was started."""
        return sum(server.cpu_seconds() for server in self.servers if server is not None and server.runs)

    def settled_cpu_seconds(self, limit: float = 30.0) -> float:
        """As cpu_seconds, once what earlier requests left to do is done: when the servers have been idle (under
        5 % of a core together) for as long as the service puts work off."""
        deadline = time.monotonic() + limit
        quiet_since, used = time.monotonic(), self.cpu_seconds()
        while time.monotonic() < min(deadline, quiet_since + self.settle_seconds):
            time.sleep(0.5)
            now = self.cpu_seconds()
            if now - used > 0.025:
                quiet_since = time.monotonic()
            used = now
        return used

    def resident_bytes(self) -> list[int]:
        return [server.resident_bytes() for server in self.servers if server is not None and server.runs]

    def anonymous_bytes(self) -> list[int]:
        return [server.anonymous_bytes() for server in self.servers if server is not None and server.runs]

    def proportional_bytes(self) -> list[int]:
        return [server.proportional_bytes() for server in self.servers if server is not None and server.runs]

    def disk_bytes(self) -> list[int]:
        """What the files of each node occupy, as `du` counts."""
        return [sum(path.lstat().st_blocks * 512 for path in self.data_dir(node).rglob("*")) for node in range(NODES)]


class Holdfast(Cluster):
    name = "holdfast"
    settle_seconds = 6.0  # the image is written every 5 s

    def words(self, node: int) -> list[str]:
        members = ",".join(f"n{other}=127.0.0.1:{self.ports[other][1]}" for other in range(NODES))
        return [str(self.bin_dir / "holdfastd"), "--name", f"n{node}", "--data-dir", str(self.data_dir(node)),
                "--listen", self.endpoint(node), "--peer-listen", f"127.0.0.1:{self.ports[node][1]}",
                "--cluster", members, "--cluster-token", self.dir.name]

    def leader(self) -> Optional[int]:
        command = [str(self.bin_dir / "holdfast"), "--endpoints", self.endpoints, "--timeout", "2s", "-o", "json", "status"]
        run = subprocess.run(command, capture_output=True, timeout=30)
        if run.returncode != 0:
            return None
        members = json.loads(run.stdout)["members"]
        if not all(member["healthy"] and member["role"] in ("leader", "follower") for member in members):
            return None
        leaders = [member["endpoint"] for member in members if member["role"] == "leader"]
        return next((node for node in range(NODES) if self.endpoint(node) in leaders), None)

    def write(self, node: int) -> bool:
        if not self._listens(node):
            return False
        command = [str(self.bin_dir / "holdfast"), "--endpoints", self.endpoint(node), "--timeout", "300ms", "put", "probe", "x"]
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0

    def _listens(self, node: int) -> bool:
        """A program that is started only to find nobody would take the processor from members that are being started."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports[node][0]), timeout=0.3):
                return True
        except OSError:
            return False


class Etcd(Cluster):
    name = "etcd"

    def words(self, node: int) -> list[str]:
        peers = [f"http://127.0.0.1:{ports[1]}" for ports in self.ports]
        clients = f"http://{self.endpoint(node)}"
        return ["etcd", "--name", f"n{node}", "--data-dir", str(self.data_dir(node)),
                "--listen-client-urls", clients, "--advertise-client-urls", clients,
                "--listen-peer-urls", peers[node], "--initial-advertise-peer-urls", peers[node],
                "--initial-cluster", ",".join(f"n{other}={peer}" for other, peer in enumerate(peers)),
                "--initial-cluster-state", "new", "--logger", "zap", "--log-level", "warn"]

    def leader(self) -> Optional[int]:
        statuses = [self._status(node) for node in range(NODES)]
        if not all(status.get("leader", "0") != "0" for status in statuses):
            return None
        leads = [node for node, status in enumerate(statuses) if status["header"]["member_id"] == status["leader"]]
        return leads[0] if len(leads) == 1 else None

    def _status(self, node: int) -> dict:
        return self._ask(node, "maintenance/status", b"{}", limit=1.0)

    def write(self, node: int) -> bool:
        return "header" in self._ask(node, "kv/put", b'{"key":"cHJvYmU=","value":"eA=="}', limit=0.3)

    def _ask(self, node: int, method: str, body: bytes, limit: float) -> dict:
        """Through its JSON gateway. Returns: the answer; nothing if there is none."""
        request = urllib.request.Request(f"http://{self.endpoint(node)}/v3/{method}", body)
        try:
            with urllib.request.urlopen(request, timeout=limit) as answer:
                return json.load(answer)
        except (OSError, ValueError, http.client.HTTPException):
            return {}


class ZooKeeper(Cluster):
    """With one change from its defaults: it would take 60 connections from one address only."""

    name = "zookeeper"
    ports_a_node = 3
    silence_seconds = 25.0  # followers wait for a silent leader for syncLimit ticks: 10 s
    CLASS_PATH = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"

    def words(self, node: int) -> list[str]:
        data = self.data_dir(node)
        data.mkdir(exist_ok=True)
        (data / "myid").write_text(f"{node + 1}\n")
        settings = ["tickTime=2000", "initLimit=10", "syncLimit=5", f"dataDir={data}", f"clientPort={self.ports[node][0]}",
                    "clientPortAddress=127.0.0.1", "maxClientCnxns=0", "admin.enableServer=false",
                    "4lw.commands.whitelist=srvr"]
        settings += [f"server.{other + 1}=127.0.0.1:{ports[1]}:{ports[2]}" for other, ports in enumerate(self.ports)]
        (self.dir / f"node{node}.cfg").write_text("\n".join(settings) + "\n")
        return ["java", "-Xmx1000m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", self.CLASS_PATH,
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", f"{self.dir}/node{node}.cfg"]

    def leader(self) -> Optional[int]:
        modes = [self._ask(node).get("Mode", "") for node in range(NODES)]
        return modes.index("leader") if sorted(modes) == ["follower", "follower", "leader"] else None

    def write(self, node: int) -> bool:
        """To open a session is a write."""
        hello = struct.pack(">iiqiqi16s?", 45, 0, 0, 10_000, 0, 16, b"", False)
        goodbye = struct.pack(">iii", 8, 0, -11)
        try:
            with socket.create_connection(("127.0.0.1", self.ports[node][0]), timeout=0.3) as connection:
                connection.sendall(hello)
                opened = len(connection.recv(64)) >= 36
                connection.sendall(goodbye)
                return opened
        except OSError:
            return False

    def _ask(self, node: int) -> dict[str, str]:
        """What a node answers to "srvr": lines of "Name: value"."""
        text = b""
        try:
            with socket.create_connection(("127.0.0.1", self.ports[node][0]), timeout=1) as connection:
                connection.sendall(b"srvr")
                while piece := connection.recv(4096):
                    text += piece
        except OSError:
            return {}
        pairs = (line.split(": ", 1) for line in text.decode().splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


KINDS: dict[str, type[Cluster]] = {kind.name: kind for kind in (Holdfast, Etcd, ZooKeeper)}


@contextlib.contextmanager
def running(kind: type[Cluster], bin_dir: pathlib.Path, scratch: pathlib.Path) -> Iterator[Cluster]:
    """A started cluster; it and its data are gone afterwards, whatever happens."""
    cluster = kind(bin_dir, scratch)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def kind_version(name: str, bin_dir: pathlib.Path) -> str:
    """What a service says it is. Raises OSError if it is not installed."""
    if name == "holdfast":
        return first_line([str(bin_dir / "holdfastd"), "--version"])
    if name == "etcd":
        return first_line(["etcd", "--version"])
    jars = sorted(pathlib.Path("/usr/share/java").glob("zookeeper-[0-9]*.jar"))
    if not jars:
        raise FileNotFoundError("ZooKeeper is not installed: scripts/deps --peers")
    return f"{jars[-1].stem.replace('-', ' ')} on {first_line(['java', '--version'])}"


def first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.splitlines()[0].strip()


def last_lines(log: pathlib.Path, count: int = 10) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
