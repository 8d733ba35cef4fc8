#!/usr/bin/env python3
"""Each rule of check.py is shown a tree that breaks it, and one that does not."""
import pathlib
import tempfile
import unittest

import check


class Rules(unittest.TestCase):
    def breaches(self, rule, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(rule(root))

    def test_an_edge_that_is_not_allowed_is_seen(self):
        for name, line in [("raft/a.cc", '#include "state/machine.h"'), ("lock/a.h", '#include "lease/lease_table.h"'),
                           ("node/a.cc", "#include <sqlite3.h>"), ("cli/a.cc", '#include "base/result.h"'),
                           ("storage/a.cc", '#include "state/machine.h"'), ("client/session/a.h", '#include "net/connect.h"'),
                           ("client/session/a.h", '#include "client/call.h"'), ("raft/a.cc", "#include <spdlog/spdlog.h>")]:
            self.assertTrue(self.breaches(check.include_edges, {name: line + "\n"}), (name, line))

    def test_allowed_edges_are_left_alone(self):
        for name, line in [("raft/a.cc", '#include "base/ids.h"'), ("state/a.h", '#include "lock/lock_table.h"'),
                           ("storage/a.cc", "#include <sqlite3.h>"), ("cli/a.cc", "#include <holdfast/client.h>"),
                           ("storage/a.cc", '#include "state/rows.h"'), ("tests/a.cc", '#include "state/machine.h"')]:
            self.assertFalse(self.breaches(check.include_edges, {name: line + "\n"}), (name, line))

    def test_a_long_function_and_a_long_file_are_seen(self):
        body = "int f() {\n" + "  g();\n" * 69 + "}\n"
        self.assertTrue(self.breaches(check.sizes, {"raft/a.cc": body}))
        self.assertFalse(self.breaches(check.sizes, {"raft/a.cc": body.replace("  g();\n", "", 1)}))
        self.assertTrue(self.breaches(check.sizes, {"raft/a.h": "//\n" * 201}))
        self.assertTrue(self.breaches(check.sizes, {"raft/a.cc": "//\n" * 601}))

    def test_banned_calls_are_seen_in_code_but_not_in_comments(self):
        for line in ["kj::setupAsyncIo();", "std::this_thread::sleep_for(x);", "auto t = std::chrono::steady_clock::now();",
                     "std::random_device r;", "std::thread t;", "auto f = [=] {};"]:
            self.assertTrue(self.breaches(check.banned_words, {"raft/a.cc": line + "\n"}), line)
            self.assertFalse(self.breaches(check.banned_words, {"raft/a.cc": "// " + line + "\n"}), line)
        self.assertTrue(self.breaches(check.banned_words, {"raft/string_util.cc": "\n"}))

    def test_a_folder_without_a_readme_and_a_header_without_its_guard_are_seen(self):
        self.assertTrue(self.breaches(check.folder_readmes, {"raft/a.cc": ""}))
        self.assertTrue(self.breaches(check.headers, {"raft/a.h": "int x;\n"}))
        self.assertTrue(self.breaches(check.headers, {"raft/a.h": "#pragma once\n", "raft/a.cc": '#include "base/ids.h"\n'}))


if __name__ == "__main__":
    unittest.main()
