"""The examples, run as their README says, against a real cluster."""
import json
import os
import signal
import unittest

from cluster import Cluster, eventually


class LogAgent(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.cluster.__enter__()
        self.addCleanup(self.cluster.close)
        self.logs = self.cluster.dir / "logs"
        self.logs.mkdir()

    def configure(self, ip, *collected):
        document = [{"path": str(self.logs / path), "topic": topic} for path, topic in collected]
        self.cluster.ok("put", f"/logagent/{ip}/collect", json.dumps(document))

    def write(self, name, text):
        with open(self.logs / name, "a", encoding="utf-8") as log:
            log.write(text)

    def start(self, *words):
        agent = self.cluster.spawn_program("log_agent", *words)
        eventually(lambda: "following" in agent.errors(), "the agent follows its configuration")
        return agent

    def expect(self, agent, name, topic, line):
        self.assertEqual(agent.json(), {"topic": topic, "path": str(self.logs / name), "line": line})

    def test_it_follows_its_configuration_and_its_files_through_rotation(self):
        agent = self.start("--ip", "10.0.0.7")
        self.assertEqual([one["id"] for one in self.cluster.ok("resolve", "log-agent")["instances"]], ["10.0.0.7"])
        self.write("app.log", "was there before\n")
        self.configure("10.0.0.7", ("app.log", "app"))
        self.expect(agent, "app.log", "app", "was there before")
        self.write("app.log", "half a ")
        self.write("app.log", "line\nand one\n")
        self.expect(agent, "app.log", "app", "half a line")
        self.expect(agent, "app.log", "app", "and one")

        # Renamed, while its writer still holds it; then made anew.
        with open(self.logs / "app.log", "a", encoding="utf-8") as held:
            (self.logs / "app.log").rename(self.logs / "app.log.1")
            held.write("into the old one\n")
            held.flush()
            self.expect(agent, "app.log", "app", "into the old one")
            self.write("app.log", "into the new one\n")
            self.expect(agent, "app.log", "app", "into the new one")
            held.write("late into the old one\n")
            held.flush()
            self.expect(agent, "app.log", "app", "late into the old one")

        os.truncate(self.logs / "app.log", 0)
        self.write("app.log", "short\n")
        self.expect(agent, "app.log", "app", "short")

        # A second file; then only that one.
        self.configure("10.0.0.7", ("app.log", "app"), ("db.log", "db"))
        self.write("db.log", "of the database\n")
        self.expect(agent, "db.log", "db", "of the database")
        self.configure("10.0.0.7", ("db.log", "db"))
        eventually(lambda: f"stop {self.logs / 'app.log'}" in agent.errors(), "app.log is no longer collected")
        self.write("app.log", "nobody reads this\n")
        self.write("db.log", "after that\n")
        self.expect(agent, "db.log", "db", "after that")

        agent.send(signal.SIGTERM)
        self.assertEqual(agent.end(), 0)
        self.assertEqual(self.cluster.ok("resolve", "log-agent")["instances"], [])

    def test_a_malformed_document_keeps_the_last_good_list(self):
        agent = self.start("--ip", "10.0.0.8")
        self.configure("10.0.0.8", ("app.log", "app"))
        for number, document in enumerate(["no json", "{}", "[1]", '[{"path": "/x"}]', '[{"path": 1, "topic": "t"}]']):
            self.cluster.ok("put", "/logagent/10.0.0.8/collect", document)
            eventually(lambda: agent.errors().count("malformed") == number + 1, f"{document} is reported")
            self.write("app.log", f"line {number}\n")
            self.expect(agent, "app.log", "app", f"line {number}")
        self.cluster.ok("del", "/logagent/10.0.0.8/collect")
        eventually(lambda: "stop" in agent.errors(), "without a document nothing is collected")

    def test_without_ip_it_takes_the_address_from_which_it_reaches_the_service(self):
        self.configure("127.0.0.1", ("app.log", "app"))
        agent = self.start()
        self.write("app.log", "found\n")
        self.expect(agent, "app.log", "app", "found")

    def test_it_goes_on_when_the_leader_is_killed(self):
        agent = self.start("--ip", "10.0.0.9")
        self.configure("10.0.0.9", ("app.log", "app"))
        self.write("app.log", "before\n")
        self.expect(agent, "app.log", "app", "before")
        leader = self.cluster.leader()
        self.cluster.kill(leader)
        self.write("app.log", "during\n")
        self.expect(agent, "app.log", "app", "during")
        self.assertNotEqual(self.cluster.leader(), leader)
        self.configure("10.0.0.9", ("app.log", "app"), ("db.log", "db"))
        self.write("db.log", "after\n")
        self.expect(agent, "db.log", "db", "after")
        self.assertEqual(len(self.cluster.ok("resolve", "log-agent")["instances"]), 1)


class WorkerQueue(unittest.TestCase):
    def test_workers_take_turns(self):
        with Cluster() as cluster:
            gate = cluster.spawn("lock", "worker_queue", "--", "sleep", "1000")
            gate.line()
            workers = {}
            for number, name in enumerate(("ada", "bob", "cyd")):
                workers[name] = cluster.spawn_program("worker_queue", "--name", name, "--units", "3")
                eventually(lambda: len(cluster.ok("locks", "worker_queue")["locks"][0]["queue"]) == number + 1,
                           f"{name} waits")
            gate.send(signal.SIGTERM)
            units = [worker.json() for worker in workers.values() for _ in range(3)]
            self.assertEqual([worker.end() for worker in workers.values()], [0, 0, 0])
            units.sort(key=lambda one: one["unit"])
            self.assertEqual([one["unit"] for one in units], list(range(1, 10)))
            self.assertEqual([one["worker"] for one in units[:3]], ["ada", "bob", "cyd"])
            tokens = [one["token"] for one in units]
            self.assertEqual(tokens, sorted(set(tokens)))


class Microservice(unittest.TestCase):
    def call(self, cluster, name):
        caller = cluster.spawn_program("microservice", "call", name)
        status = caller.end()
        return (caller.line() if status == 0 else caller.errors()), status

    def test_callers_find_the_instances_that_live(self):
        with Cluster() as cluster:
            reply, status = self.call(cluster, "Ada")
            self.assertEqual(status, 1)
            self.assertIn("no instance", reply)
            one = cluster.spawn_program("microservice", "serve", "--id", "one")
            self.assertIn("one serves on 127.0.0.1:", one.line())
            self.assertEqual(self.call(cluster, "Ada"), ("Hello Ada, this is one", 0))
            two = cluster.spawn_program("microservice", "serve", "--id", "two")
            two.line()
            one.send(signal.SIGKILL)  # it cannot deregister: callers meet it until its lease ends, and go on to the other
            one.end()
            for _ in range(3):
                self.assertEqual(self.call(cluster, "Bob"), ("Hello Bob, this is two", 0))
            two.send(signal.SIGTERM)
            self.assertEqual(two.end(), 0)
            eventually(lambda: cluster.ok("services") == {"services": []}, "both are gone", limit=60)


if __name__ == "__main__":
    unittest.main()
