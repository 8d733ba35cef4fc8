"""At a terminal COMMAND is in the foreground, as under a shell: keys are its own, and Ctrl-Z stops both."""
import os
import pathlib
import pty
import select
import signal
import time
import unittest

from cluster import PATIENCE, eventually
from single_node import SingleNode


class Terminal(SingleNode):
    def start(self, *words):
        """The command as the leader of a session at a terminal of its own. Returns: its pid and the terminal's other end."""
        program = str(pathlib.Path(self.cluster.server_words("n1")[0]).with_name("holdfast"))
        environment = self.cluster.environment()
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(program, [program, *words], environment)
        self.addCleanup(os.close, terminal)
        return pid, terminal

    def await_text(self, terminal, text):
        seen = b""
        deadline = time.monotonic() + PATIENCE
        while text not in seen:
            ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
            self.assertTrue(ready, f"{text} does not come after {seen}")
            seen += os.read(terminal, 4096)

    def end(self, pid):
        ended = eventually(lambda: next((one for one in [os.waitpid(pid, os.WNOHANG)] if one[0]), None), "it ends")
        return os.waitstatus_to_exitcode(ended[1])

    def state(self, pid):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]

    def test_ctrl_c_goes_to_the_command(self):
        script = "trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done"
        pid, terminal = self.start("lock", "keys", "--", "sh", "-c", script)
        self.await_text(terminal, b"ready")
        os.write(terminal, b"\x03")
        self.await_text(terminal, b"interrupted")
        self.assertEqual(self.end(pid), 3)
        self.assertEqual(self.ok("locks", "keys"), {"locks": []})

    def test_the_command_reads_the_terminal(self):
        pid, terminal = self.start("lock", "read", "--", "sh", "-c", "echo ready; read line; echo got $line")
        self.await_text(terminal, b"ready")
        os.write(terminal, b"a word\n")
        self.await_text(terminal, b"got a word")
        self.assertEqual(self.end(pid), 0)

    def test_ctrl_z_stops_both_and_they_continue_together(self):
        script = "echo ready; while read line; do echo got $line; done; exit 4"
        pid, terminal = self.start("lock", "stops", "--ttl", "1m", "--", "sh", "-c", script)
        self.await_text(terminal, b"ready")
        os.write(terminal, b"\x1a")
        eventually(lambda: self.state(pid) == "T", "the command line tool is stopped")
        os.kill(pid, signal.SIGCONT)
        os.write(terminal, b"back\n")
        self.await_text(terminal, b"got back")
        os.write(terminal, b"\x04")
        self.assertEqual(self.end(pid), 4)

    def test_without_a_command_ctrl_c_and_ctrl_d_end_the_lock(self):
        for key in (b"\x03", b"\x04"):
            pid, terminal = self.start("lock", "alone")
            self.await_text(terminal, b"held")
            os.write(terminal, key)
            self.assertEqual(self.end(pid), 0)


if __name__ == "__main__":
    unittest.main()
