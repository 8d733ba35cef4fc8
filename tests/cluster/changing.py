"""Clusters whose members come and go."""
import re
import subprocess

from cluster import BIN, Cluster, eventually, free_ports


QUICK = ("--election-timeout", "500ms", "--heartbeat-interval", "50ms")


class Changing(Cluster):
    """A cluster whose members may be more or others than those it was founded with."""

    def __init__(self, *words, **more):
        super().__init__(*words, **more)
        self.founders = list(self.names)

    def add_name(self, name):
        self.names.append(name)
        self.client_ports[name], self.peer_ports[name] = free_ports(2)

    def peer(self, name):
        return f"127.0.0.1:{self.peer_ports[name]}"

    def joining_words(self, name, *more):
        asked = ",".join(self.endpoint(other) for other in self.names if other != name)
        return [str(word) for word in (BIN / "holdfastd", "--name", name, "--data-dir", self.dir / name, "--listen",
                                       self.endpoint(name), "--peer-listen", self.peer(name), "--join", asked,
                                       *self.options, *more)]

    def join(self, name, *more):
        with open(self.log_path(name), "wb") as log:
            self.servers[name] = subprocess.Popen(self.joining_words(name, *more), stdin=subprocess.DEVNULL, stdout=log,
                                                  stderr=log)

    def server_words(self, name):
        if name not in self.founders:
            return self.joining_words(name)
        names, self.names = self.names, self.founders
        try:
            return super().server_words(name)
        finally:
            self.names = names

    def parts(self):
        return {member["name"]: member["role"] for member in self.ok("member", "list")["members"]}

    def promote(self, name):
        """As soon as it has caught up."""
        eventually(lambda: self.run("member", "promote", name).status == 0, f"{name} is promoted", 30)

    def has(self, name, key, value):
        done = self.run("get", key, "--serializable", endpoints=self.endpoint(name))
        return done.status == 0 and done.json["entries"][0]["value"] == value

    def image(self, name):
        """The index at which its newest image stands. Requires: it logs at level debug."""
        written = re.findall(r"event=image_written index=(\d+)", self.log(name))
        return int(written[-1]) if written else 0

    def load(self, count):
        """Many puts at once."""
        done = subprocess.run([BIN / "holdfast-bench", "put", "--endpoints", self.endpoint(self.leader()), "--connections", "4",
                               "--in-flight", "64", "--total", str(count), "--key-space", "50", "-o", "json"],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done
