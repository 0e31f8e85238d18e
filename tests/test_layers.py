# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks the structure of the sources: includes go one way, kinds do not know each other, common/ has no socket, clock or log,
few files talk to the kernel, functions stay readable.
"""

import collections
import os
import re
import sys
import unittest

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

# From the ground up: a file includes files of its own room and of rooms before it, never of a later one.
ROOMS = [
    "common/base", "common/yaml", "common/net", "common/model", "common/meaning", "common/kind", "common/expand", "common/language", "common/ledger", "common/plan",
    "common/report", "common/graph", "common/export",
    "daemon/files", "daemon/kernel", "daemon/attach", "daemon/inside", "daemon/doctor", "daemon/reconcile", "daemon/session", "daemon/control", "daemon/run",
    "daemon/cli", "daemon/verbs",
]

ROOM_FILES = 20  # of .c files in one room; common/kind grows with the kinds

# Headers in kind/ that several kinds share: for all links, ports or tunnels, the routes that come with addresses,
# the key `vrf` of routes and rules, routing protocols and encapsulations, and the list, for the class that a kind
# is part of.
SHARED_BY_KINDS = {"link", "port", "connected", "made", "kinds", "tunnel", "vrf", "protocol", "encap"}

# What common/ must not use: (pattern, why).
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

# Which files may make these calls.
CALLERS = {
    r"\b(setns|unshare|mount|umount2?)\s*\(": {"daemon/kernel/named_netns.c", "daemon/inside/enter.c",
                                                   "daemon/inside/sandbox.c", "daemon/files/nft_library.c"},
    r"\bsendmsg\s*\(": {"daemon/kernel/nl_socket.c", "daemon/control/client.c", "daemon/files/nft_library.c"},
    r"\binotify_\w+\s*\(": {"daemon/kernel/name_watch.c", "daemon/attach/source.c"},
    # Only what the user typed after `topod exec` or `topod sandbox` is run, so no name can become a command; and libnftables, a
    # library, in a child that runs no program.
    r"\b(system|popen|execv?[lpe]*|execveat|posix_spawnp?|v?fork)\s*\(": {"daemon/inside/command.c", "daemon/inside/sandbox.c",
                                                                                  "daemon/files/nft_library.c"},
}

# Files that name kinds or classes outside their room, and why. All others loop over the lists or use an object's kind and
# class.
MAY_NAME = {
    "common/language/": "an end of a link and an interface without a `kind` are of kinds that the file does not write",
    "common/ledger/ledger_renamed.c": "the path of a setting has the name of its link in it",
    "common/ledger/ledger_settings.c": "what one setting makes of others and of a link",
}

FUNCTION_LINES = 60
FILE_LINES = 700


def sources(*directories):
    for directory in directories:
        for where, folders_below, names in sorted(os.walk(os.path.join(TOP, directory))):
            folders_below.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(where, name), TOP)


def read(path):
    with open(os.path.join(TOP, path)) as f:
        return f.read()


def code_only(text):
    """The text without comments and the contents of strings, with the same line numbers."""
    def blank(m):
        s = m[0]
        return s if s[0] == '"' and s.count("\n") == 0 and re.fullmatch(r'"[\w./-]*"', s) else re.sub(r"[^\n]", " ", s)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def includes(path):
    """The project's own files that a file includes, resolved as the compiler does."""
    for m in re.finditer(r'^\s*#\s*include\s*"([^"]+)"', read(path), re.M):
        for directory in (os.path.dirname(path), "common", "daemon"):
            found = os.path.normpath(os.path.join(directory, m[1]))
            if os.path.exists(os.path.join(TOP, found)):
                yield found
                break
        else:
            yield "missing: " + m[1]


def room(path):
    """Its index in ROOMS; None for a file outside of them."""
    where = os.path.dirname(path)
    return ROOMS.index(where) if where in ROOMS else None


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

    def test_every_file_has_its_room(self):
        lost = [p for p in sources("common", "daemon") if room(p) is None]
        self.assertEqual([], lost, "put these into a room, or add theirs to ROOMS")

    def test_every_room_says_what_it_is(self):
        """Each room has a README that says what it owns, what it refuses to know, the way in, and what it may use."""
        self.assertEqual([], [r for r in ROOMS if not os.path.exists(os.path.join(TOP, r, "README.md"))])

    def test_no_room_is_crowded(self):
        count = collections.Counter(os.path.dirname(p) for p in sources("common", "daemon") if p.endswith(".c"))
        self.assertEqual({}, {r: n for r, n in count.items() if n > ROOM_FILES and r != "common/kind"})

    def test_includes_run_one_way(self):
        wrong = []
        for path in sources("common", "daemon"):
            for other in includes(path):
                if other.startswith("missing: "):
                    continue  # a generated or foreign header
                if room(path) is None or room(other) is None:
                    wrong.append(f"{path} includes {other}, which is in no room")
                elif room(other) > room(path):
                    wrong.append(f"{path} includes {other}, which stands above it")
        self.assertEqual([], wrong)

    def test_an_include_names_the_room(self):
        """Includes name the room, so that a reader sees where a name comes from, and two rooms may have files with one name."""
        wrong = [f'{path} includes "{m}"' for path in sources("common", "daemon")
                 for m in re.findall(r'^\s*#\s*include\s*"([^"]+)"', read(path), re.M) if "/" not in m]
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
            name = os.path.splitext(os.path.basename(path))[0].split("_")[0]
            return "ruleset" if name == "nft" else name
        wrong = [f"{path} includes {other}" for path in sources("common/kind") if kind(path) != "registry"
                 for other in includes(path)
                 if other.startswith("common/kind/") and kind(other) != kind(path)
                 and kind(other) not in SHARED_BY_KINDS]
        self.assertEqual([], wrong)

    def test_kinds_and_classes_are_named_in_their_room(self):
        """Other files ask a kind or class for its properties. Links and namespaces are known everywhere."""
        listed = re.findall(r"\b(CLASS|KIND)\((\w+)\)", code_only(read("common/kind/kinds.h")))
        names = {f"{what.lower()}_{name}" for what, name in listed if name != "name"} - {"class_link", "class_netns"}
        self.assertGreater(len(names), 10, "the list was not found")
        wrong = []
        for path in sources("common", "daemon"):
            if path.startswith(("common/kind/", *MAY_NAME)):
                continue
            found = set(re.findall(r"\b(?:kind|class)_\w+", code_only(read(path)))) & names
            wrong += [f"{path} names {name}" for name in sorted(found)]
        self.assertEqual([], wrong)

    def test_diff_and_plan_name_no_kind(self):
        wrong = [f"{path} includes {other}" for path in sources("common")
                 if path.startswith("common/plan/") and not re.search(r"/ledger", path) for other in includes(path)
                 if other.startswith("common/kind/")]
        self.assertEqual([], wrong)

    def test_the_kernel_knows_no_class(self):
        """A new class is scanned, heard and sent by its source and transport. Namespaces and links are known,
        because everything else is based on them; and, in the table of transports, classes that are read and
        written as a text or made by ioctl."""
        known = {"daemon/kernel/transport.c": {"sysctl", "dns", "tun"}}
        wrong = [f"{path} includes {other}" for path in sources("daemon/kernel") for other in includes(path)
                 if other.startswith("common/kind/")
                 and os.path.basename(other)[:-2] not in {"kinds", "link", "netns"} | known.get(path, set())]
        names = re.compile(r"&(?:class|kind|source)_(?!link\b|netns\b)\w+")
        wrong += [f"{path}:{number}: {line.strip()}" for path in sources("daemon/kernel")
                  for number, line in enumerate(code_only(read(path)).splitlines(), 1) if names.search(line)]
        self.assertEqual([], wrong)

    def test_the_language_knows_no_class(self):
        """A new class is read, merged, checked and described by its sections (model/section.h). The language knows links and
        namespaces, which have entries of their own in the file, `lo`, and the kind of a link that topod has no kind for."""
        wrong = [f"{path} includes {other}" for path in sources("common/language") for other in includes(path)
                 if other.startswith("common/kind/") and os.path.basename(other)[:-2] not in {"kinds", "link", "netns"}]
        names = re.compile(r"&(?:class|kind|source)_(?!link\b|netns\b|other\b|loopback\b)\w+|\bstruct (?:address|route|nat|sysctl|veth)\b")
        wrong += [f"{path}:{number}: {line.strip()}" for path in sources("common/language")
                  for number, line in enumerate(code_only(read(path)).splitlines(), 1) if names.search(line)]
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
        """So that the compiler reports where a new value of an enum is missing."""
        self.assertEqual([], self.lines(r"\bdefault\s*:"))

    def test_cleanup_by_attributes(self):
        self.assertEqual([], self.lines(r"(?<!\")\bgoto\b"))

    def test_every_file_says_what_it_is(self):
        """In its first lines, or those of its header."""
        def says(path):
            return os.path.exists(os.path.join(TOP, path)) and re.match(r"/\*[^\n]*\n/\*", read(path))
        self.assertEqual([], [path for path in sources("common", "daemon")
                              if not says(path) and not says(os.path.splitext(path)[0] + ".h")])


if __name__ == "__main__":
    program = unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))
