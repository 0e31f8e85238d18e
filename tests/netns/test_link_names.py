# SPDX-License-Identifier: GPL-2.0-or-later
"""Links that topod gives up, that go with a namespace, or that somebody renames."""

import os

import lab
from lab import HOST
from names import Names

PAIR = """\
namespaces:
  ctr: {adopt: true, interfaces: {e0: {addresses: [10.0.0.1/24]}}}
  web: {}
links: [[ctr:e0, web:e0]]
"""
FOUND = "namespaces: {ctr: {adopt: true, interfaces: {e0: {kind: existing, addresses: [10.0.0.1/24]}}}}\n"


class GivenUpLink(Names):
    """kind: existing for a link that topod made."""

    MADE = ("namespaces: {web: {interfaces: {br0: {kind: bridge, mtu: 1400, addresses: [10.0.0.1/24], ports: [p]}}}, other: {}}\n"
            "links: [[web:p, other:q]]\n")
    FOUND = ("namespaces:\n  web: {adopt: true, interfaces: {br0: {kind: existing, mtu: 1300}, p: {kind: existing}}}\n"
             "  other: {adopt: true, interfaces: {q: {kind: existing}}}\n")

    def links(self):
        return {(ns, name): lab.link(ns, name) for ns, name in (("web", "br0"), ("web", "p"), ("other", "q"))}

    def check(self, give_up, *lines):
        """`lines`: the plan's lines about the links that are given up."""
        path = self.spec(self.MADE)
        self.topod("apply", path)
        index = {key: link["ifindex"] for key, link in self.links().items()}
        self.assertEqual({"topod:office"}, {link["ifalias"] for link in self.links().values()})
        self.spec(self.FOUND)
        plan = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        for line in lines:
            self.assertIn(f"    = {line} is given up: with 'kind: existing' topod never deletes it\n", plan)
        give_up(path)
        self.assertEqual([None] * 3, [link.get("ifalias") for link in self.links().values()])
        self.assertEqual(1300, lab.link("web", "br0")["mtu"])
        self.topod("plan", path)
        self.topod("down", path)
        self.assertEqual(index, {key: link["ifindex"] for key, link in self.links().items()})
        self.assertEqual(1400, lab.link("web", "br0")["mtu"])

    def test_apply(self):
        self.check(lambda path: self.topod("apply", path),
                   "web/br0: bridge", "web/p: veth", "other/q: veth")
        self.assertNotIn("10.0.0.1/24", lab.addresses("web", "br0"))

    def test_without_ledger(self):
        """The mark alone shows that topod made them."""
        def apply(path):
            os.unlink("/run/topod/office/ledger")
            self.topod("apply", path)
        self.check(apply, "web/br0: bridge")

    def test_daemon(self):
        def reload(path):
            self.spec(self.MADE)
            d = self.daemon(path).ready()
            self.spec(self.FOUND)
            with d.expects("left alone: web/br0: bridge is given up"):
                d.reload()
            d.stop()
        self.check(reload)

    def test_other_end_goes(self):
        """The pair goes with the end that is neither declared nor given up; the plan says so."""
        path = self.spec(self.MADE)
        self.topod("apply", path)
        self.spec("namespaces: {web: {interfaces: {p: {kind: existing}}}, other: {}}\n")
        plan = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertIn("p: link goes with its other end or lower link, which is in the namespace 'other' and is no longer declared", plan)


class Removed(Names):
    """Objects that disappear with a namespace that is removed in the same edit, or soon after."""

    def setUp(self):
        super().setUp()
        lab.run("ip", "netns", "add", "ctr")
        self.path = self.spec(PAIR)

    def test_an_end_becomes_existing(self):
        """The plan shows that it will disappear; afterwards it is missing, and that is reported too."""
        self.topod("apply", self.path)
        self.spec(FOUND)
        done = self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.assertRegex(done.stdout + done.stderr, "goes with its other end or lower link, .* in the namespace 'web'")
        done = self.topod("apply", self.path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, r"e0: link went with its other end or lower link, .* in the namespace 'web'")
        self.assertEqual(["ctr"], lab.namespaces())
        self.assertIsNone(lab.link("ctr", "e0"), "it is still there when all was verified")
        done = self.topod("apply", self.path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, "does not exist, and 'kind: existing'")

    def test_what_stands_on_it(self):
        self.topod("apply", self.path)
        lab.ip("ctr", "link add m0 link e0 type macvlan")
        self.spec(FOUND.replace("e0: {kind: existing", "e0: {kind: existing}, m0: {kind: existing"))
        done = self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.assertRegex(done.stdout + done.stderr, "goes with its other end or lower link, .* in the namespace 'web'")

    def test_daemon(self):
        d = self.daemon(self.path).ready()
        self.spec(FOUND)
        self.topod("reload", "office", expect=(0, lab.EXIT_FAILED))
        d.wait_line(r"failing: ctr/e0: .*goes with its other end or lower link, .* in the namespace 'web'")
        self.assertIsNone(lab.link("ctr", "e0"))
        status = self.topod("status", "office").stdout
        self.assertIn("egraded", status)
        self.assertIn("went with its other end or lower link, which was in the namespace 'web'", status)
        d.stop()

    def test_gone_when_it_is_said(self):
        """Also undeclared objects: a removed namespace is destroyed when `apply` ends."""
        path = self.spec("namespaces: {a: {}, b: {}, c: {}}\n")
        for _ in range(5):
            self.topod("apply", path)
            lab.veth("a", "x0", HOST, "x1")
            self.spec("namespaces: {b: {}}\n")
            self.topod("apply", path)
            self.assertIsNone(lab.link(HOST, "x1"))
            self.spec("namespaces: {a: {}, b: {}, c: {}}\n")

    def test_one_that_is_held_is_not_waited_for(self):
        """A process keeps it alive without its name."""
        path = self.spec("namespaces: {a: {}, b: {}}\n")
        self.topod("apply", path)
        lab.veth("a", "x0", HOST, "x1")
        p = self.process(inside="a")
        self.spec("namespaces: {b: {}}\n")
        self.topod("apply", path)
        self.assertTrue(lab.link(HOST, "x1"))
        self.end(p)


class Renamed(Names):
    """Somebody renames an interface that topod did not make: objects that topod added to it are still removed."""
    TEXT = """\
namespaces:
  host:
    interfaces: {ex0: {kind: existing%s, addresses: [10.0.0.1/24]}}
%s"""

    def setUp(self):
        super().setUp()
        lab.veth(HOST, "ex0", HOST, "other", "192.0.2.1/24")
        self.before = self.settle()

    def renamed(self, text, take_away):
        path = self.spec(text)
        self.topod("apply", path)
        index = lab.link(HOST, "ex0")["ifindex"]
        lab.ip(HOST, "link set ex0 down")
        lab.ip(HOST, "link set ex0 name ex1")
        lab.ip(HOST, "link set ex1 up")
        take_away(path)
        self.assertEqual(["192.0.2.1/24"], [a for a in lab.addresses(HOST, "ex1") if "." in a])
        self.assertEqual((index, 1500), (lab.link(HOST, "ex1")["ifindex"], lab.link(HOST, "ex1")["mtu"]))
        lab.ip(HOST, "link set ex1 down")
        lab.ip(HOST, "link set ex1 name ex0")
        lab.ip(HOST, "link set ex0 up")
        self.assertFalse(os.path.exists("/run/topod/office/ledger"))
        self.same(lab.state_only(self.before), lab.state_only(self.settle()))

    def down(self, path):
        self.topod("down", path)

    def out_of_the_file(self, path):
        self.spec("namespaces: {}\n")
        self.topod("apply", path)

    def test_address(self):
        self.renamed(self.TEXT % ("", ""), self.down)

    def test_mtu_and_address(self):
        self.renamed(self.TEXT % (", mtu: 1400", ""), self.down)

    def test_setting(self):
        sysctl = "    sysctl: {net.ipv4.conf.ex0.rp_filter: 2}\n"
        self.renamed(self.TEXT % (", mtu: 1400", sysctl), self.down)

    def test_out_of_the_file(self):
        self.renamed(self.TEXT % (", mtu: 1400", ""), self.out_of_the_file)

    def test_followed_in_the_file(self):
        """With its new name it is still the same interface, and is restored to its state before the first topology."""
        path = self.spec(self.TEXT % (", mtu: 1400", ""))
        self.topod("apply", path)
        lab.ip(HOST, "link set ex0 down")
        lab.ip(HOST, "link set ex0 name ex1")
        self.spec((self.TEXT % (", mtu: 1400", "")).replace("ex0", "ex1"))
        self.topod("apply", path)
        self.assertIn("10.0.0.1/24", lab.addresses(HOST, "ex1"))
        self.topod("down", path)
        self.assertEqual(1500, lab.link(HOST, "ex1")["mtu"])
        self.assertNotIn("10.0.0.1/24", lab.addresses(HOST, "ex1"))
        self.assertFalse(os.path.exists("/run/topod/office"))

    def test_another_one_under_the_name(self):
        """A recreated interface is a different one: only what is on it is removed."""
        path = self.spec(self.TEXT % (", mtu: 1400", ""))
        self.topod("apply", path)
        lab.ip(HOST, "link del ex0")
        lab.veth(HOST, "ex2", HOST, "other", "10.0.0.1/24")
        self.topod("down", path)
        self.assertIn("10.0.0.1/24", lab.addresses(HOST, "ex2"))
        lab.ip(HOST, "link del ex2")


if __name__ == "__main__":
    lab.main()
