"""Real servers and commands on loopback, for the tests of tests/cli and tests/cluster.

Nothing here waits for a fixed time: everything polls for a condition, with a deadline. Ports come from the kernel.
The environment says where the programs are: HOLDFAST_BIN.
"""
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ["HOLDFAST_BIN"])
# A machine that builds beside the test is slow, and a test that fails because of that says nothing.
PATIENCE = 15.0


def eventually(condition, what, limit=PATIENCE):
    """Polls until `condition()` is true, and returns what it returned."""
    deadline = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit:g} s: {what}")
        time.sleep(0.02)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Done:
    """What a command left behind."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    @property
    def json(self):
        lines = self.lines
        assert len(lines) == 1, f"{self} printed {len(lines)} lines"
        return lines[0]

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.decode().splitlines()]

    def __repr__(self):
        return f"{self.words}: status {self.status}, stdout {self.out!r}, stderr {self.err!r}"


class Running:
    """A process in the background whose output is read line by line."""

    def __init__(self, words, environment, stdin=subprocess.DEVNULL):
        self.words = words
        self.error_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen([word if isinstance(word, bytes) else str(word) for word in words], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=self.error_file, env=environment)
        self.pid = self.process.pid
        self.rest = b""

    def line(self, limit=PATIENCE):
        """The next line of its output, without its end."""
        deadline = time.monotonic() + limit
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"{self.words} printed no line within {limit:g} s; stderr: {self.errors()}")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                raise AssertionError(f"{self.words} ended without a further line; stderr: {self.errors()}")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def json(self, limit=PATIENCE):
        return json.loads(self.line(limit))

    def has_output(self):
        return bool(self.rest) or bool(select.select([self.process.stdout], [], [], 0)[0])

    def send(self, number):
        self.process.send_signal(number)

    def end(self, limit=PATIENCE):
        """Waits for its end. Returns: the exit status, 128 + N for signal N."""
        status = self.process.wait(limit)
        return 128 - status if status < 0 else status

    def errors(self):
        self.error_file.seek(0)
        return self.error_file.read().decode(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stdin, self.error_file):
            if stream:
                stream.close()


class Cluster:
    """Servers n1, n2, ... in a temporary directory, and the commands that talk to them. Use it in `with`."""

    def __init__(self, members=3, token="a token", options=()):
        ports = free_ports(2 * members)
        self.names = [f"n{number + 1}" for number in range(members)]
        self.client_ports = dict(zip(self.names, ports[:members]))
        self.peer_ports = dict(zip(self.names, ports[members:]))
        self.token = token
        self.options = list(options)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-test."))
        self.servers = {}
        self.background = []

    def __enter__(self):
        try:
            for name in self.names:
                self.start(name)
            for name in self.names:
                self.await_ready(name)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.show_logs()
        self.close()

    def close(self):
        for process in self.background:
            process.close()
        for server in self.servers.values():
            if server.poll() is None:
                server.send_signal(signal.SIGCONT)
                server.kill()
            server.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def show_logs(self):
        for name in self.names:
            log = self.log(name).splitlines()
            print(f"--- the last lines of {name}:", *log[-25:], sep="\n", flush=True)

    # --- Servers ------------------------------------------------------------------------------------------------------

    def endpoint(self, name):
        return f"127.0.0.1:{self.client_ports[name]}"

    @property
    def endpoints(self):
        return ",".join(self.endpoint(name) for name in self.names)

    def server_words(self, name):
        words = [BIN / "holdfastd", "--name", name, "--data-dir", self.dir / name, "--listen", self.endpoint(name),
                 "--peer-listen", f"127.0.0.1:{self.peer_ports[name]}", *self.options]
        if len(self.names) > 1:
            members = ",".join(f"{other}=127.0.0.1:{self.peer_ports[other]}" for other in self.names)
            words += ["--cluster", members, "--cluster-token", self.token]
        return [str(word) for word in words]

    def log_path(self, name):
        return self.dir / f"{name}.log"

    def log(self, name):
        path = self.log_path(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, name):
        """Starts a member with the options it always has; its log begins anew."""
        with open(self.log_path(name), "wb") as log:
            self.servers[name] = subprocess.Popen(self.server_words(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def await_ready(self, name):
        def ready():
            assert self.servers[name].poll() is None, f"{name} ended: {self.log(name)[-2000:]}"
            return "event=ready" in self.log(name)
        eventually(ready, f"{name} is ready")

    def kill(self, name, number=signal.SIGKILL):
        self.servers[name].send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            return self.servers[name].wait(PATIENCE)
        return None

    def leader(self):
        """The name of the leader, as soon as there is one that a running member knows."""
        def known():
            for name in self.names:
                if self.servers[name].poll() is not None:
                    continue
                done = self.run("status", endpoints=self.endpoint(name), options=("--timeout", "2s"))
                leader = done.json["leader"] if done.status == 0 else ""
                if leader and self.servers[leader].poll() is None:
                    return leader
            return None
        return eventually(known, "a leader is known")

    # --- Commands -----------------------------------------------------------------------------------------------------

    def environment(self, endpoints=None):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
        environment["HOLDFAST_ENDPOINTS"] = endpoints or self.endpoints
        return environment

    def run(self, *words, endpoints=None, options=(), text=False, stdin=subprocess.DEVNULL):
        """Runs a command to its end, with -o json unless `text`."""
        command = [BIN / "holdfast", *options, *([] if text else ["-o", "json"]), *words]
        done = subprocess.run([word if isinstance(word, bytes) else str(word) for word in command], stdin=stdin,
                              capture_output=True, env=self.environment(endpoints), timeout=60, check=False)
        return Done(words, 128 - done.returncode if done.returncode < 0 else done.returncode, done.stdout, done.stderr)

    def ok(self, *words, **how):
        """Runs a command that must succeed. Returns: its JSON object."""
        done = self.run(*words, **how)
        assert done.status == 0, done
        return done.json

    def spawn(self, *words, endpoints=None, options=("-o", "json"), stdin=subprocess.DEVNULL):
        """Starts a command in the background; it ends with the cluster at the latest."""
        return self.spawn_program("holdfast", *options, *words, endpoints=endpoints, stdin=stdin)

    def spawn_program(self, program, *words, endpoints=None, stdin=subprocess.DEVNULL):
        running = Running([BIN / program, *words], self.environment(endpoints), stdin)
        self.background.append(running)
        return running
