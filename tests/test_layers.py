# SPDX-License-Identifier: GPL-2.0-or-later
"""
How the house is built, checked on its sources: includes run one way, kinds know nothing of one another,
common/ has no socket, no clock and no voice, few files talk to the kernel, functions stay readable.
"""

import os
import re
import sys
import unittest

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

# From the ground up: a file includes what stands in its own layer or below, never above. A name stands for
# name.h, name.c and name_*.c. The folder daemon/ is above all of these.
LAYERS = [
    ["base"],
    ["arena", "hash", "text", "utf8", "vec"],
    ["diag", "ip", "libyaml", "nl"],
    ["yaml"],
    ["field", "type"],
    ["object", "kind"],  # an object is declared without its kind, and done through it; the headers stand in line
    ["kind/"],  # every file of the folder
    ["state"],
    ["ledger"],
    ["spec"],
    ["plan", "diff"],
    ["report", "schema"],
]
DAEMON = len(LAYERS)

# Headers in kind/ that several kinds share: what all links have in common is no kind of its own.
SHARED_BY_KINDS = {"link"}

# What common/ has no business with: (pattern, why).
NOT_IN_COMMON = [
    (r'#\s*include\s*<(sys/socket|sys/un|netdb|sys/inotify|sys/epoll|sys/mount|sched)\.h>', "the kernel"),
    (r'#\s*include\s*<(time|sys/time|sys/timerfd)\.h>', "a clock"),
    (r'#\s*include\s*<(syslog|systemd/[a-z-]+)\.h>', "the journal"),
    (r'\b(clock_gettime|gettimeofday|time|socket|sendmsg|recvmsg|ioctl|setns|unshare|mount)\s*\(', "the system"),
    (r'\b(secure_)?getenv\s*\(', "the environment"),
    (r'\b(printf|puts|perror|putchar|syslog|sd_journal_\w+|v?dprintf)\s*\(|\bf(printf|puts|putc|write)\s*\([^;]*\bstd(err|out)\b',
     "output"),
    (r'\b(open|openat|fopen|creat|unlink|mkdir)\s*\(', "files"),
]

# Who may make these calls.
CALLERS = {
    r"\b(setns|unshare|mount|umount2?)\s*\(": {"daemon/netns.c"},
    r"\bsendmsg\s*\(": {"daemon/netlink.c"},
    r"\binotify_\w+\s*\(": {"daemon/watch.c"},
    # Nobody starts programs: what stands in a name is never a command.
    r"\b(system|popen|execv?[lpe]*|execveat|posix_spawnp?|v?fork)\s*\(": set(),
}

FUNCTION_LINES = 60
FILE_LINES = 700


def sources(*folders):
    for folder in folders:
        for where, folders_below, names in sorted(os.walk(os.path.join(TOP, folder))):
            folders_below.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(where, name), TOP)


def read(path):
    with open(os.path.join(TOP, path)) as f:
        return f.read()


def code_only(text):
    """Without comments and the contents of strings, every line in its place."""
    def blank(m):
        s = m[0]
        return s if s[0] == '"' and s.count("\n") == 0 and re.fullmatch(r'"[\w./-]*"', s) else re.sub(r"[^\n]", " ", s)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def includes(path):
    """The project's own files that a file includes, resolved as the compiler does."""
    for m in re.finditer(r'^\s*#\s*include\s*"([^"]+)"', read(path), re.M):
        for folder in (os.path.dirname(path), "common", "daemon"):
            found = os.path.normpath(os.path.join(folder, m[1]))
            if os.path.exists(os.path.join(TOP, found)):
                yield found
                break
        else:
            yield "missing: " + m[1]


def layer(path):
    if path.startswith("daemon/"):
        return DAEMON
    if path.startswith("common/kind/"):
        return next(i for i, names in enumerate(LAYERS) if "kind/" in names)
    stem = os.path.splitext(os.path.basename(path))[0]
    while stem:
        for i, names in enumerate(LAYERS):
            if stem in names:
                return i
        stem = stem.rpartition("_")[0]
    return None


def functions(text):
    """(name, lines) of every function body in a file of this style: it opens at the end of an unindented
    line or alone on one, and its closing brace stands in the first column."""
    name, begun, last = None, 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if name is None:
            m = re.match(r"^[A-Za-z_].*?(\w+)\(", line)
            if m:
                last = m[1]
            if (re.match(r"^[A-Za-z_\s].*\)\s*\{$", line) or line == "{") and last:
                name, begun = last, number
        elif line.startswith("}"):
            yield name, number - begun + 1
            name, last = None, ""


class Layers(unittest.TestCase):
    def test_there_is_something_to_check(self):
        self.assertGreater(len(list(sources("common"))), 10)
        self.assertGreater(len(list(sources("daemon"))), 3)

    def test_every_file_of_common_has_its_layer(self):
        lost = [p for p in sources("common") if layer(p) is None]
        self.assertEqual([], lost, "say in LAYERS where these stand")

    def test_includes_run_one_way(self):
        wrong = []
        for path in sources("common", "daemon"):
            for other in includes(path):
                if other.startswith("missing: "):
                    continue  # a generated or foreign header
                if layer(path) is not None and layer(other) is not None and layer(other) > layer(path):
                    wrong.append(f"{path} includes {other}, which stands above it")
        self.assertEqual([], wrong)

    def test_no_header_includes_itself_by_way_of_others(self):
        headers = {p: [o for o in includes(p) if o.endswith(".h")] for p in sources("common", "daemon")
                   if p.endswith(".h")}
        done = set()

        def visit(path, way):
            if path in way:
                self.fail("a circle: " + " > ".join([*way[way.index(path):], path]))
            if path not in done:
                for other in headers.get(path, []):
                    visit(other, [*way, path])
                done.add(path)
        for path in headers:
            visit(path, [])

    def test_kinds_do_not_know_one_another(self):
        def kind(path):
            return os.path.splitext(os.path.basename(path))[0].split("_")[0]
        wrong = [f"{path} includes {other}" for path in sources("common/kind") for other in includes(path)
                 if other.startswith("common/kind/") and kind(other) != kind(path)
                 and kind(other) not in SHARED_BY_KINDS]
        self.assertEqual([], wrong)

    def test_diff_and_plan_name_no_kind(self):
        wrong = [f"{path} includes {other}" for path in sources("common")
                 if re.match(r"common/(diff|plan)[_.]", path) for other in includes(path)
                 if other.startswith("common/kind/")]
        self.assertEqual([], wrong)

    def test_common_is_pure(self):
        wrong = []
        for path in sources("common"):
            for number, line in enumerate(code_only(read(path)).splitlines(), 1):
                wrong += [f"{path}:{number}: {why}: {line.strip()}" for pattern, why in NOT_IN_COMMON
                          if re.search(pattern, line)]
        self.assertEqual([], wrong)

    def test_few_talk_to_the_kernel(self):
        wrong = []
        for path in sources("common", "daemon"):
            for number, line in enumerate(code_only(read(path)).splitlines(), 1):
                wrong += [f"{path}:{number}: {line.strip()}" for pattern, callers in CALLERS.items()
                          if path.endswith(".c") and path not in callers and re.search(pattern, line)]
        self.assertEqual([], wrong)


class Size(unittest.TestCase):
    def test_functions_stay_short(self):
        lengths = [(n, f"{path}: {name}") for path in sources("common", "daemon") if path.endswith(".c")
                   for name, n in functions(read(path))]
        self.assertGreater(len(lengths), 50, "the functions were not found")
        lengths.sort(reverse=True)
        ordered = sorted(n for n, _ in lengths)
        print(f"{len(lengths)} functions, median {ordered[len(ordered) // 2]} lines, "
              f"{sum(n > 60 for n in ordered)} over 60; the longest:")
        for n, name in lengths[:5]:
            print(f"  {n:4} {name}")
        self.assertEqual([], [f"{name}: {n} lines" for n, name in lengths if n > FUNCTION_LINES])

    def test_files_stay_short(self):
        lengths = [(read(path).count("\n"), path) for path in sources("common", "daemon", "tests/fuzz", "tests/unit")]
        self.assertEqual([], [f"{path}: {n} lines" for n, path in lengths if n > FILE_LINES])


class Style(unittest.TestCase):
    def lines(self, pattern):
        return [f"{path}:{number}: {line.strip()}" for path in sources("common", "daemon")
                for number, line in enumerate(code_only(read(path)).splitlines(), 1) if re.search(pattern, line)]

    def test_a_switch_names_every_value(self):
        """So that the compiler tells where a new value of an enum is forgotten."""
        self.assertEqual([], self.lines(r"\bdefault\s*:"))

    def test_cleanup_by_attributes(self):
        self.assertEqual([], self.lines(r"\bgoto\b"))

    def test_every_file_says_what_it_is(self):
        """In its first lines, or those of its header."""
        def says(path):
            return os.path.exists(os.path.join(TOP, path)) and re.match(r"/\*[^\n]*\n/\*", read(path))
        self.assertEqual([], [path for path in sources("common", "daemon")
                              if not says(path) and not says(os.path.splitext(path)[0] + ".h")])


if __name__ == "__main__":
    program = unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))
