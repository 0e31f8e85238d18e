# SPDX-License-Identifier: GPL-2.0-or-later
"""
The examples of topod.yaml(5), one file each in docs/examples: without a mistake or warning, and there is one for each kind of
interface. tests/vm/test_manual.py builds them, in a kernel that has all kinds.
"""

import glob
import json
import os
import re

import combine
import lab
from lab import HOST, Case

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "examples")
FILES = sorted(glob.glob(EXAMPLES + "/*.yaml"))
TASKS_MIN = 20
KEY = "/etc/topod/wg0.key"
MADE_BY_MODULES = {"gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"}


def kinds_in(file):
    with open(file, encoding="utf-8") as f:
        return set(re.findall(r"kind: ([a-z0-9]+)", f.read()))


def needs_another_kernel(file):
    """Is it one that tests/vm builds? Other kernels lack NAT, or take long to start."""
    with open(file, encoding="utf-8") as f:
        text = f.read()
    return "vlan-filtering" in text or not kinds_in(file) <= {"existing", "physical", "bridge", "macvlan", "macvtap", "vxlan",
                                                              "tun", "tap", "ifb"}


class Examples(Case):
    def example(self, file):
        """The file with what it needs of this machine: a key."""
        key = os.path.join(self.directory, "wg0.key")
        with open(key, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write("YAnz5TF+lXXJte14tji3zlMNftQXz0hPVzNYmhkqZ3I=\n")
        with open(file, encoding="utf-8") as f:
            return self.spec(f.read().replace(KEY, key))


class Written(Examples):
    def test_valid(self):
        for file in FILES:
            with self.subTest(example=os.path.basename(file)):
                self.assertEqual("", self.topod("check", "--strict", self.example(file)).stderr)

    def test_fits_a_terminal(self):
        """In a manual page of 80 columns, where a literal line is not wrapped."""
        for file in FILES:
            with open(file, encoding="utf-8") as f:
                self.assertLessEqual(max(len(line.rstrip()) for line in f), 69, file)

    def test_complete(self):
        defs = json.loads(self.topod("schema").stdout)["$defs"].values()
        words = [d["properties"]["kind"] for d in defs if {"kind", "addresses"} <= d.get("properties", {}).keys()]
        kinds = {w["const"] for w in words if "const" in w} | {"existing"}
        names = {os.path.basename(file).removesuffix(".yaml") for file in FILES}
        self.assertGreater(len(kinds), 20)
        self.assertEqual({f"kind-{kind}" for kind in kinds}, {name for name in names if name.startswith("kind-")})
        self.assertGreaterEqual(len([name for name in names if name[0].isdigit()]), TASKS_MIN)


class Applied(Examples):
    """Each one is built, stays as it is, is exported as a file that makes the same, and goes without a trace."""

    def setUp(self):
        super().setUp()
        lab.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "cable")
        for name in ("eth0", "cable"):
            lab.run("ip", "link", "set", name, "up")
        self.addCleanup(lab.run, "ip", "link", "delete", "cable", check=False)

    def check_export(self, file):
        try:
            combine.round_trip(self.topod)
        except combine.Wrong as e:
            self.fail(f"{os.path.basename(file)}: {e}")

    def left(self):
        links = {link["ifname"] for link in lab.ip_json(HOST, "link show")}
        return lab.namespaces(), links - MADE_BY_MODULES, lab.run("nft", "list", "tables", check=False).stdout

    def build(self, file):
        path = self.example(file)
        adopts = "adopt: true" in open(path, encoding="utf-8").read()
        if adopts:
            lab.run("ip", "netns", "add", "theirs")
        before = self.left()
        done = self.topod("apply", path, expect=(0, 1))
        if done.returncode == 0:
            self.topod("plan", path)
            self.check_export(file)
        self.topod("down", path)
        self.assertEqual(before, self.left())
        if adopts:
            lab.run("ip", "netns", "delete", "theirs")
        return done

    def test_on_this_kernel(self):
        """tests/vm/test_manual.py builds examples for which this kernel lacks something."""
        for file in FILES:
            with self.subTest(example=os.path.basename(file)):
                done = self.build(file)
                if done.returncode:
                    self.assertRegex(done.stderr, "Unknown device type|this kernel has no|Operation not supported")
                    self.assertTrue(needs_another_kernel(file), done.stderr)


if __name__ == "__main__":
    lab.main()
