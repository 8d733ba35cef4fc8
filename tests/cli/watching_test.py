"""watch and resolve --watch: one line a change, at once, for as long as somebody reads."""
import base64
import unittest

from single_node import SingleNode


class Watching(SingleNode):
    def test_events_have_their_shape_and_their_order(self):
        watcher = self.spawn("watch", "events/", "--prefix", "--from-revision", "1")
        first = self.ok("put", "events/a", "1")["revision"]
        second = self.ok("put", "events/a", "2")["revision"]
        self.ok("put", "elsewhere", "x")
        third = self.ok("del", "events/a")["revision"]
        event = watcher.json()
        self.assert_keys(event, "type", "key", "value", "create_revision", "mod_revision", "version")
        self.assertEqual(event, {"type": "put", "key": "events/a", "value": "1", "create_revision": first,
                                 "mod_revision": first, "version": 1})
        event = watcher.json()
        self.assertEqual((event["value"], event["create_revision"], event["mod_revision"], event["version"]),
                         ("2", first, second, 2))
        event = watcher.json()
        self.assert_keys(event, "type", "key", "value", "create_revision", "mod_revision", "version")
        self.assertEqual((event["type"], event["key"], event["value"], event["mod_revision"]),
                         ("delete", "events/a", "", third))

    def test_from_revision_is_inclusive(self):
        self.ok("put", "from", "1")
        second = self.ok("put", "from", "2")["revision"]
        self.ok("put", "from", "3")
        watcher = self.spawn("watch", "from", "--from-revision", second)
        self.assertEqual([watcher.json()["value"] for _ in range(2)], ["2", "3"])

    def test_a_watch_of_one_key_does_not_see_its_neighbours(self):
        begin = self.ok("put", "one", "0")["revision"] + 1
        watcher = self.spawn("watch", "one", "--from-revision", begin)
        self.ok("put", "one/more", "x")
        self.ok("put", "one", "1")
        self.assertEqual(watcher.json()["key"], "one")

    def test_a_watch_prints_nothing_but_events(self):
        # From now on: what it prints first is a change made after it began, however often one tries.
        watcher = self.spawn("watch", "quiet")
        count = 0
        while not watcher.has_output():
            count += 1
            self.ok("put", "quiet", count)
        self.assertEqual(watcher.json()["type"], "put")

    def test_bytes_come_as_base64(self):
        begin = self.ok("put", "x", "x")["revision"] + 1
        watcher = self.spawn("watch", b"raw\xff", "--from-revision", begin)
        self.ok("put", b"raw\xff", b"\xfe")
        event = watcher.json()
        self.assert_keys(event, "type", "key_base64", "value_base64", "create_revision", "mod_revision", "version")
        self.assertEqual(base64.b64decode(event["value_base64"]), b"\xfe")

    def test_the_timeout_does_not_end_a_watch(self):
        watcher = self.spawn("watch", "patient", "--from-revision", "1", options=("-o", "json", "--timeout", "300ms"))
        lease = self.ok("lease", "grant", "1s")["lease"]  # its end is the event, three timeouts later
        self.ok("put", "patient", "x", "--lease", lease)
        self.assertEqual(watcher.json()["type"], "put")
        self.assertEqual(watcher.json()["type"], "delete")

    def test_resolve_watch_prints_the_instances_whenever_they_change(self):
        watcher = self.spawn("resolve", "watched", "--watch")
        self.assertEqual(watcher.json(), {"service": "watched", "instances": []})
        one = self.spawn("register", "watched", "--id", "one", "--address", "h:1")
        one.line()
        found = watcher.json()
        self.assertEqual([instance["id"] for instance in found["instances"]], ["one"])
        one.process.terminate()
        one.end()
        self.assertEqual(watcher.json(), {"service": "watched", "instances": []})


if __name__ == "__main__":
    unittest.main()
