#!/usr/bin/env python3
"""House rules that a machine can check. Usage: check.py RULE, at the top of the tree. Prints each breach; exit 1 if any."""
import pathlib
import re
import shutil
import subprocess
import sys

MODULES = ("base schema raft lease lock registry config state node storage net peer rpc gateway client "
           "server cli examples tests bench").split()

DOMAINS = {"lease", "lock", "registry", "config"}
# Who may include whom: a folder, or a folder with a path inside it, and the folders it may name. It may always name itself.
EDGES = {
    "base": set(),
    "schema": {"base", "raft/types.h"},
    "raft": {"base"},
    "lease": {"base"}, "lock": {"base"}, "registry": {"base"}, "config": {"base"},
    "state": {"base", "schema"} | DOMAINS,
    "node/ports": {"base", "raft"},
    "node": {"base", "raft", "state"} | DOMAINS,
    "storage": {"base", "schema", "raft", "node/ports", "state/rows.h"},
    "net": {"base"},
    "peer": {"base", "schema", "net", "node/ports", "raft"},
    "rpc": {"base", "schema", "net", "node", "state", "raft"} | DOMAINS,
    "client/session": {"base"},
    "client": {"base", "schema", "net", "holdfast"},
    "client/include": {"holdfast"},
    "bench": {"base", "schema", "net"},
    "bench/micro": {"base", "raft", "state", "node", "storage", "peer", "bench", "tests/temporary_directory.h"} | DOMAINS,
    "cli": {"holdfast"},
    "examples": {"holdfast"},
}
THIRD_PARTY = {
    "sqlite3.h": {"storage"},
    "asio": {"net", "peer", "client", "server"},
    "kj/": {"schema", "net", "peer", "rpc", "client", "server", "state", "gateway", "bench"},
    "capnp/": {"schema", "net", "peer", "rpc", "client", "server", "state", "storage", "gateway"},
    "spdlog/": {"server"},
    "toml++/": {"server"},
    "CLI/": {"server", "cli", "examples", "bench"},
    "nlohmann/": {"cli", "examples", "gateway", "bench"},
    "nghttp2/": {"bench"},
    "benchmark/": {"bench"},
    "openssl/": {"net"},
}
# Pattern, why, and the folders where it is at home.
BANNED = [
    (r"setupAsyncIo", "KJ runs on asio: net/event_loop", set()),
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(|\bnanosleep\s*\(|(?<![\w.])sleep\s*\(", "nothing waits by sleeping", set()),
    (r"\b(?:system|steady|high_resolution)_clock::now|\bclock_gettime\s*\(|\bgettimeofday\s*\(",
     "time comes in as an argument", {"net", "server", "client", "cli", "examples", "bench", "tests"}),
    (r"\brandom_device\b|(?<!\w)s?rand\s*\(", "randomness comes in as a seed", {"server", "client", "bench"}),
    (r"\bstd::j?thread\b", "threads start in server, storage and the SDK", {"server", "storage", "client", "tests", "bench"}),
    (r"\[=\]", "a capture names what it takes", set()),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "what is unfinished is an issue, not a comment", set()),
]
BANNED_NAMES = re.compile(r"(^|_)(util|utils|misc|helper|helpers|common)(_|\.|$)")
# A function of production code longer than this hides two.
MAX_FUNCTION, MAX_FILE, MAX_HEADER = 70, 600, 200


def sources(root):
    return sorted(p for m in MODULES for p in (root / m).rglob("*") if p.suffix in (".h", ".cc") and p.is_file())


def folder_rules(path):
    """The rule of the innermost folder that has one."""
    parts = path.parts[:-1]
    for depth in range(len(parts), 0, -1):
        rule = EDGES.get("/".join(parts[:depth]))
        if rule is not None:
            return "/".join(parts[:depth]), rule
    return None, None


def include_edges(root):
    for path in sources(root):
        relative = path.relative_to(root)
        top = relative.parts[0]
        owner, allowed = folder_rules(relative)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            target = match.group(2)
            for prefix, homes in THIRD_PARTY.items():
                if (target.startswith(prefix) or target == prefix) and top not in homes | {"tests"}:
                    yield f"{relative}:{number}: {top} may not include <{target}>"
            first = target.split("/")[0]
            if owner is None or first not in MODULES + ["holdfast"] or top == "tests":
                continue
            inside = target.startswith(owner + "/") or first == top
            named = any(target == name or target.startswith(name + "/") for name in allowed)
            if not inside and not named:
                yield f"{relative}:{number}: {owner} may not include \"{target}\""
            if owner == "client/session" and first == "client" and not target.startswith("client/session/"):
                yield f"{relative}:{number}: the session core may not include \"{target}\""


def functions(lines):
    """(first line, length) of every definition at file or namespace level: clang-format puts its end at column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            opens = line.endswith("{") and not line.startswith((" ", "}", "#", "//"))
            if opens and not re.match(r"(inline )?namespace|extern|struct|class|enum|union|constexpr.*=|const.*=|static.*=", line):
                start = number
        elif line.startswith("}"):
            yield start, number - start + 1
            start = None


def sizes(root):
    for path in sources(root):
        lines = path.read_text().splitlines()
        relative = path.relative_to(root)
        limit = MAX_HEADER if path.suffix == ".h" and relative.parts[0] != "tests" else MAX_FILE
        if len(lines) > limit:
            yield f"{relative}: {len(lines)} lines, at most {limit}: it holds two concepts"
        if relative.parts[0] == "tests":
            continue
        for start, length in functions(lines):
            if length > MAX_FUNCTION:
                yield f"{relative}:{start}: a function of {length} lines, at most {MAX_FUNCTION}"


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)
    return [re.sub(r"//.*", "", line) for line in text.splitlines()]


def banned_words(root):
    for path in sources(root):
        relative = path.relative_to(root)
        if BANNED_NAMES.search(path.stem) or any(BANNED_NAMES.search(part) for part in relative.parts[:-1]):
            yield f"{relative}: a name that says nothing"
        text = path.read_text()
        for pattern, why, homes in BANNED:
            lines = text.splitlines() if "TODO" in pattern else without_comments(text)
            if relative.parts[0] in homes:
                continue
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line):
                    yield f"{relative}:{number}: {line.strip()[:80]}: {why}"


def folder_readmes(root):
    for module in MODULES:
        if (root / module).is_dir() and not (root / module / "README.md").exists():
            yield f"{module}/README.md is missing: purpose, place in a request's path, includes, invariants, tests"


def headers(root):
    for path in sources(root):
        relative = path.relative_to(root)
        text = path.read_text()
        if path.suffix == ".h" and not text.startswith("#pragma once\n"):
            yield f"{relative}: a header begins with #pragma once"
        own = path.with_suffix(".h")
        if path.suffix == ".cc" and own.exists():
            first = re.search(r'^#include\s*[<"]([^>"]+)', text, re.M)
            if not first or first.group(1) != own.relative_to(root).as_posix():
                yield f"{relative}: its own header comes first"


def formatting(root):
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        yield "clang-format is missing: scripts/deps installs it"
        return
    files = [str(p) for p in sources(root)]
    run = subprocess.run([tool, "--dry-run", *files], capture_output=True, text=True)
    for name in sorted({line.split(":")[0] for line in run.stderr.splitlines() if ": warning:" in line}):
        yield f"{pathlib.Path(name).relative_to(root)}: clang-format would change it"


RULES = {f.__name__: f for f in (include_edges, sizes, banned_words, folder_readmes, headers, formatting)}


def main():
    breaches = list(RULES[sys.argv[1]](pathlib.Path.cwd()))
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
