"""The JSON shapes of every command, which scripts read: exactly these keys, in this order, one object a line."""
import base64
import re
import unittest

from cluster import eventually
from single_node import SingleNode

LEASE = re.compile(r"^[0-9a-f]{16}$")


class Config(SingleNode):
    def test_put_and_get(self):
        put = self.ok("put", "shape/moxi", "lalala")
        self.assert_keys(put, "revision")
        found = self.ok("get", "shape/moxi")
        self.assert_keys(found, "revision", "count", "more", "entries")
        self.assertEqual((found["count"], found["more"]), (1, False))
        self.assertGreaterEqual(found["revision"], put["revision"])
        entry = found["entries"][0]
        self.assert_keys(entry, "key", "value", "create_revision", "mod_revision", "version", "lease")
        self.assertEqual(entry, {"key": "shape/moxi", "value": "lalala", "create_revision": put["revision"],
                                 "mod_revision": put["revision"], "version": 1, "lease": ""})

        again = self.ok("put", "shape/moxi", "more")
        entry = self.ok("get", "shape/moxi")["entries"][0]
        self.assertEqual((entry["create_revision"], entry["mod_revision"], entry["version"]),
                         (put["revision"], again["revision"], 2))

    def test_a_range_has_its_count_whatever_the_limit(self):
        for name in "abcde":
            self.ok("put", f"range/{name}", name)
        found = self.ok("get", "range/", "--prefix", "--limit", "2")
        self.assertEqual((found["count"], found["more"]), (5, True))
        self.assertEqual([entry["key"] for entry in found["entries"]], ["range/a", "range/b"])
        found = self.ok("get", "range/", "--prefix", "--limit", "5")
        self.assertEqual((found["count"], found["more"], len(found["entries"])), (5, False, 5))
        found = self.ok("get", "range/", "--prefix", "--keys-only")
        self.assertEqual([(entry["key"], entry["value"]) for entry in found["entries"]],
                         [(f"range/{name}", "") for name in "abcde"])
        found = self.ok("get", "range/", "--prefix", "--serializable")
        self.assertEqual(len(found["entries"]), 5)

    def test_a_range_larger_than_one_answer_comes_whole(self):
        values = {f"large/{number:02}": chr(ord("a") + number) * 100_000 for number in range(15)}
        for key, value in values.items():
            self.ok("put", key, value)
        found = self.ok("get", "large/", "--prefix")
        self.assertEqual((found["count"], found["more"]), (15, False))
        self.assertEqual({entry["key"]: entry["value"] for entry in found["entries"]}, values)
        found = self.ok("get", "large/", "--prefix", "--limit", "14")
        self.assertEqual((found["count"], found["more"], len(found["entries"])), (15, True, 14))
        self.ok("del", "large/", "--prefix")

    def test_nothing_found(self):
        self.assert_refused(self.run_cli("get", "nothing/here"), 1, "nothing/here")
        found = self.ok("get", "nothing/", "--prefix")
        self.assertEqual((found["count"], found["more"], found["entries"]), (0, False, []))
        done = self.run_cli("del", "nothing/here")
        self.assert_refused(done, 1, "nothing/here")
        self.assertEqual(done.json["deleted"], 0)

    def test_delete(self):
        put = self.ok("put", "delete/a", "x")
        deleted = self.ok("del", "delete/a")
        self.assert_keys(deleted, "revision", "deleted")
        self.assertEqual(deleted, {"revision": put["revision"] + 1, "deleted": 1})
        self.ok("put", "delete/b", "x")
        self.ok("put", "delete/c", "x")
        self.assertEqual(self.ok("del", "delete/", "--prefix")["deleted"], 2)

    def test_if_revision(self):
        first = self.ok("put", "cas", "1", "--if-revision", "0")["revision"]
        self.assert_refused(self.run_cli("put", "cas", "2", "--if-revision", "0"), 1)
        second = self.ok("put", "cas", "2", "--if-revision", first)["revision"]
        self.assert_refused(self.run_cli("put", "cas", "3", "--if-revision", first), 1)
        self.assertEqual(self.ok("get", "cas")["entries"][0]["mod_revision"], second)

    def test_bytes_that_are_not_utf8_come_as_base64(self):
        key, value = b"bytes/\xff", b"\xc0\xafx"
        self.ok("put", key, value)
        entry = self.ok("get", key)["entries"][0]
        self.assert_keys(entry, "key_base64", "value_base64", "create_revision", "mod_revision", "version", "lease")
        self.assertEqual((base64.b64decode(entry["key_base64"]), base64.b64decode(entry["value_base64"])), (key, value))
        self.assertEqual(self.run_cli("get", key, text=True).out, value + b"\n")
        for text in ("é", "日本", "😀", "", "a\tb\"c\\"):
            self.ok("put", "bytes/text", text)
            self.assertEqual(self.ok("get", "bytes/text")["entries"][0]["value"], text)
        for broken in (b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xc3"):
            self.ok("put", "bytes/text", broken)
            self.assertEqual(base64.b64decode(self.ok("get", "bytes/text")["entries"][0]["value_base64"]), broken)

    def test_words_that_look_like_something_else(self):
        document = '[{"path": "/var/log/a.log", "topic": "a"}, {"x": [1,2]}]'
        for key, value in (("odd/list", document), ("odd/brackets", "[a,b]"), ("odd/braces", "{}"), ("lock", "register")):
            self.ok("put", key, value)
            self.assertEqual(self.ok("get", key)["entries"][0]["value"], value)
        self.ok("put", "--", "odd/dash", "-5")
        self.assertEqual(self.ok("get", "odd/dash")["entries"][0]["value"], "-5")

    def test_options_may_stand_before_and_behind_the_command(self):
        self.ok("put", "placed", "x")
        done = self.run_cli("get", "placed", "-o", "json", "--timeout", "2s", "--endpoints", self.cluster.endpoints, text=True)
        self.assertEqual(done.json["count"], 1, done)


class Leases(SingleNode):
    def test_grant_show_list_keep_alive_revoke(self):
        granted = self.ok("lease", "grant", "10s")
        self.assert_keys(granted, "lease", "ttl_ms")
        self.assertRegex(granted["lease"], LEASE)
        self.assertEqual(granted["ttl_ms"], 10000)
        lease = granted["lease"]

        self.ok("put", "leased", "x", "--lease", lease)
        self.assertEqual(self.ok("get", "leased")["entries"][0]["lease"], lease)
        shown = self.ok("lease", "show", lease)
        self.assert_keys(shown, "lease", "ttl_ms", "remaining_ms", "attached")
        self.assertEqual((shown["lease"], shown["ttl_ms"]), (lease, 10000))
        self.assertTrue(0 < shown["remaining_ms"] <= 10000, shown)
        self.assertEqual(len(shown["attached"]), 1)
        self.assertIn("leased", shown["attached"][0])

        listed = self.ok("lease", "list")
        self.assert_keys(listed, "leases")
        self.assertIn(lease, [one["lease"] for one in listed["leases"]])

        self.assertEqual(self.ok("lease", "keep-alive", lease, "--once"), {"lease": lease, "ttl_ms": 10000})
        self.assertEqual(self.ok("lease", "revoke", lease), {"lease": lease})
        self.assertEqual(self.run_cli("get", "leased").status, 1)
        for words in (["show", lease], ["revoke", lease], ["keep-alive", lease], ["keep-alive", lease, "--once"]):
            self.assertEqual(self.run_cli("lease", *words).status, 1, words)
        refused = self.run_cli("put", "leased", "x", "--lease", lease)
        self.assertEqual(refused.status, 1)
        self.assertIn(lease, refused.err.decode())

    def test_keep_alive_renews_until_a_signal(self):
        lease = self.ok("lease", "grant", "600ms")["lease"]
        keeper = self.spawn("lease", "keep-alive", lease)
        for _ in range(6):  # twice the TTL
            self.assertEqual(keeper.json(), {"lease": lease, "ttl_ms": 600})
        self.assertEqual(self.run_cli("lease", "show", lease).status, 0)
        keeper.process.terminate()
        self.assertEqual(keeper.end(), 0)
        eventually(lambda: self.run_cli("lease", "show", lease).status == 1, "the lease ends without renewals")

    def test_keep_alive_of_a_lease_that_is_revoked_exits_1(self):
        lease = self.ok("lease", "grant", "600ms")["lease"]
        keeper = self.spawn("lease", "keep-alive", lease)
        keeper.line()
        self.ok("lease", "revoke", lease)
        self.assertEqual(keeper.end(), 1)

    def test_a_lease_that_never_was_cannot_carry_a_key(self):
        self.assertEqual(self.run_cli("put", "orphan", "x", "--lease", "00000000ffffffff").status, 1)
        self.assertEqual(self.run_cli("get", "orphan").status, 1)


class Registry(SingleNode):
    def register(self, service, name, *words):
        running = self.spawn("register", service, "--id", name, "--address", "10.0.0.1:8080", *words)
        return running, running.json()

    def test_register_resolve_services_deregister(self):
        running, registered = self.register("shape-web", "web-1", "--tag", "blue", "--tag", "eu", "--meta", "zone=a",
                                            "--meta", "note=x=y")
        self.assert_keys(registered, "service", "id", "lease")
        self.assertEqual((registered["service"], registered["id"]), ("shape-web", "web-1"))
        self.assertRegex(registered["lease"], LEASE)
        other, _ = self.register("shape-web", "web-2", "--tag", "green")

        found = self.ok("resolve", "shape-web")
        self.assert_keys(found, "service", "instances")
        self.assertEqual(found["service"], "shape-web")
        first, second = sorted(found["instances"], key=lambda one: one["id"])
        self.assert_keys(first, "id", "address", "port", "tags", "metadata", "weight", "health", "lease")
        self.assertEqual(first, {"id": "web-1", "address": "10.0.0.1", "port": 8080, "tags": ["blue", "eu"],
                                 "metadata": {"zone": "a", "note": "x=y"}, "weight": 1, "health": "passing",
                                 "lease": registered["lease"]})
        self.assertEqual((second["tags"], second["metadata"]), (["green"], {}))
        for words, expected in ((["--tag", "blue"], ["web-1"]), (["--tag", "blue", "--tag", "green"], []),
                                (["--healthy"], ["web-1", "web-2"])):
            self.assertEqual(sorted(one["id"] for one in self.ok("resolve", "shape-web", *words)["instances"]), expected)

        services = self.ok("services")
        self.assert_keys(services, "services")
        self.assertIn({"name": "shape-web", "instances": 2}, services["services"])

        self.assertEqual(self.ok("deregister", "shape-web", "web-2"), {"service": "shape-web", "id": "web-2"})
        self.assertEqual(self.run_cli("deregister", "shape-web", "web-2").status, 1)
        other.process.terminate()
        other.end()
        running.process.terminate()
        self.assertEqual(running.end(), 0)
        self.assertEqual(self.ok("resolve", "shape-web"), {"service": "shape-web", "instances": []})

    def test_nothing_found_is_an_empty_list(self):
        self.assertEqual(self.ok("resolve", "nobody"), {"service": "nobody", "instances": []})
        self.assertEqual(self.ok("locks", "nothing"), {"locks": []})


class EmptyCluster(SingleNode):
    def test_lists_of_an_empty_cluster_are_empty(self):
        self.assertEqual(self.ok("services"), {"services": []})
        self.assertEqual(self.ok("locks"), {"locks": []})
        self.assertEqual(self.ok("lease", "list"), {"leases": []})


class Members(SingleNode):
    def test_member_list(self):
        listed = self.ok("member", "list")
        self.assert_keys(listed, "cluster_id", "leader", "changing", "members")
        self.assertRegex(listed["cluster_id"], LEASE)
        self.assertEqual((listed["leader"], listed["changing"], len(listed["members"])), ("n1", False, 1))
        member = listed["members"][0]
        self.assert_keys(member, "id", "name", "peer", "endpoint", "role", "match_index", "behind")
        self.assertRegex(member["id"], LEASE)
        self.assertEqual((member["name"], member["role"], member["endpoint"]), ("n1", "voter", self.cluster.endpoints))
        self.assertGreater(member["match_index"], 0)
        self.assertIn(b"voter, leads", self.run_cli("member", "list", text=True).out)

    def test_changes_that_cannot_be_are_refused_with_the_reason(self):
        peer = self.ok("member", "list")["members"][0]["peer"]
        self.assert_refused(self.run_cli("member", "add", "n1", "127.0.0.1:1"), 1, "n1", "already")
        self.assert_refused(self.run_cli("member", "add", "n2", peer), 1, peer, "n1")
        self.assert_refused(self.run_cli("member", "add", "a b", "127.0.0.1:1"), 1, "a b")
        self.assert_refused(self.run_cli("member", "promote", "n1"), 1, "voter already")
        self.assert_refused(self.run_cli("member", "promote", "n9"), 1, "n9", "n1")
        self.assert_refused(self.run_cli("member", "remove", "n9"), 1, "n9", "n1")
        self.assert_refused(self.run_cli("member", "remove", "n1"), 1, "only voter")
        self.assert_refused(self.run_cli("member", "replace", "n9", "n2", "127.0.0.1:1"), 1, "n9")
        self.assert_refused(self.run_cli("leader", "transfer", "n9"), 1, "n9")
        self.assertEqual(len(self.ok("member", "list")["members"]), 1)

    def test_leadership_that_is_there_already_needs_no_transfer(self):
        handed_over = self.ok("leader", "transfer", "n1")
        self.assert_keys(handed_over, "leader", "term")
        self.assertEqual(handed_over["leader"], "n1")


class Status(SingleNode):
    def test_status(self):
        status = self.ok("status")
        self.assert_keys(status, "cluster_id", "leader", "members")
        self.assertRegex(status["cluster_id"], LEASE)
        self.assertEqual(len(status["members"]), 1)
        member = status["members"][0]
        self.assert_keys(member, "id", "name", "endpoint", "role", "term", "commit_index", "applied_index", "healthy")
        self.assertRegex(member["id"], LEASE)
        self.assertEqual(status["leader"], member["name"])
        self.assertEqual((member["role"], member["healthy"], member["endpoint"]), ("leader", True, self.cluster.endpoints))
        self.assertGreaterEqual(member["commit_index"], member["applied_index"])

    def test_text_is_for_people(self):
        self.assertIn(b"leader n1", self.run_cli("status", text=True).out)
        self.assertRegex(self.run_cli("put", "text/a", "1", text=True).out, rb"^revision \d+\n$")
        self.assertEqual(self.run_cli("get", "text/a", text=True).out, b"1\n")
        self.assertEqual(self.run_cli("get", "text/", "--prefix", text=True).out, b"text/a = 1\n")
        self.assertEqual(self.run_cli("get", "text/", "--prefix", "--keys-only", text=True).out, b"text/a\n")


if __name__ == "__main__":
    unittest.main()
