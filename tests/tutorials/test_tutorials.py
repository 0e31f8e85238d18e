# SPDX-License-Identifier: GPL-2.0-or-later
"""
The results of tutorials' commands and of the files beside them, object by object: links, addresses, routes, rules,
neighbours, NAT, settings and files of /etc/netns. Then both are undone, by the tutorial's commands and by `down`.
"""

import json
import os
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import lab  # noqa: E402
from exercise import HERE, exercises  # noqa: E402
from lab import CLONE_NEWNET, HOST, Case  # noqa: E402

PAGE = os.path.join(HERE, "../../docs/from-ip-netns.md")
SETTINGS = re.compile(r"forward|disable_ipv6|rp_filter")


def nat(ns):
    """Rules of nftables by what they do, regardless of the table's name."""
    with lab.inside(ns):
        ruleset = json.loads(lab.run("nft", "-j", "list", "ruleset").stdout)["nftables"]
    chains = {(c["chain"]["table"], c["chain"]["name"]): c["chain"] for c in ruleset if "chain" in c}
    rules = [r["rule"] for r in ruleset if "rule" in r]
    return sorted(json.dumps([chains[r["table"], r["chain"]].get(k) for k in ("type", "hook", "prio")]
                             + sorted(json.dumps(e, sort_keys=True) for e in r["expr"])) for r in rules)


def files():
    """The files of /etc/netns, without comments."""
    return [f"{l.split(': ')[0]}: {re.sub(r'#.*', '', l.partition(': ')[2]).split()}" for l in lab.snapshot_files("/etc/netns")]


class Tutorials(Case):
    def snapshot(self):
        """The whole state in words that do not depend on who made it."""
        seen = lab.without_makers(self.settle())
        places = {HOST: "host", **{ns: f"netns {ns}" for ns in lab.namespaces()}}
        for ns, place in places.items():
            seen[place]["nft"] = nat(ns)
            seen[place]["sysctls"] = [l for l in lab.snapshot_namespace(ns, False)["sysctls"] if SETTINGS.search(l)]
        seen["files"] = {"/etc/netns": files()}
        return seen

    def run_part(self, exercise, part):
        for command, _ in exercise.parts[part]:
            lab.run(*shlex.split(command))

    def empty_machine(self):
        self.sweep()
        for path in ("/run/somebody",):
            subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL, check=False)
        os.makedirs(self.directory)
        lab.libc_call("unshare", CLONE_NEWNET)
        lab.ip(HOST, "link set lo up")

    def check_export(self):
        """The exported result of the commands equals it."""
        exported = self.spec(self.topod("export", "--all").stdout, "exported.yaml")
        self.assertIn("nothing to do", self.topod("plan", exported).stdout)

    def compare(self, exercise):
        made = {}
        for way in ("commands", "file"):
            self.empty_machine()
            path = self.spec(exercise.file)
            self.run_part(exercise, "given")
            before = self.snapshot()
            if way == "commands":
                self.run_part(exercise, "do")
            else:
                self.topod("apply", path)
            made[way] = self.snapshot()
            if way == "commands":
                self.check_export()
            self.run_part(exercise, "check")
            if way == "commands":
                self.run_part(exercise, "undo")
            else:
                self.topod("down", path)
            self.same(before, self.snapshot(), f"after the {way} were undone")
        self.same(made["commands"], made["file"], "what the commands make (-) and what the file makes (+)")

    def test_words_are_in_the_file(self):
        """What the page says to write instead of a command is in the file."""
        for exercise in exercises():
            for part in exercise.parts.values():
                for command, words in part:
                    if words and not words.startswith(("(", "topod ")):
                        self.assertIn(words.rstrip(), exercise.file, f"{exercise.name}: {command}")

    def test_page_is_current(self):
        with open(PAGE, encoding="utf-8") as f:
            page = f.read()
        made = lab.run(sys.executable, "-B", os.path.join(HERE, "page.py")).stdout
        self.assertEqual(made, page, "make it again: python3 tests/tutorials/page.py >docs/from-ip-netns.md")


def add_tests():
    for exercise in exercises():
        name = "test_" + exercise.name.replace("-", "_")

        def test(self, exercise=exercise):
            self.compare(exercise)
        test.__doc__ = exercise.title
        setattr(Tutorials, name, test)


add_tests()

if __name__ == "__main__":
    lab.main()
