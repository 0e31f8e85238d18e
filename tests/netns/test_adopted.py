# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that somebody else creates and removes: topod's objects in them disappear and are restored with them."""

import json
import os

import lab
from lab import HOST, Case

SPEC = """\
topology: office
namespaces:
  ext:
    adopt: true
    interfaces:
      br0: {kind: bridge}
      lo: {addresses: [10.4.4.4/32]}
    sysctl: {net.ipv4.ip_default_ttl: 77}
  host: {}
links: [[ext:eth0, host:c1]]
"""

FAILING = """\
      missing: {kind: existing, mtu: 1300}
    routes: [{to: 10.5.0.0/24, via: 10.9.9.9}]
"""


class Adopted(Case):
    def setUp(self):
        super().setUp()
        lab.ip(HOST, "netns add ext")

    def leave_and_return(self, d):
        """Returns the lines since then."""
        d.drain()
        since = len(d.lines)
        lab.ip(HOST, "netns delete ext")
        d.wait_line("drift: ext: namespace was removed; the repair failed", since)
        lab.ip(HOST, "netns add ext")
        d.wait_line("recovered: ext: namespace is as declared again", since)
        return since

    def test_returns(self):
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        since = self.leave_and_return(d)
        self.wait_until(lambda: self.topod("plan", path, expect=(0, 2)).returncode == 0, "all of it", d)
        self.assertEqual("77", lab.sysctl_get("ext", "net.ipv4.ip_default_ttl"))
        self.assertTrue(lab.link("ext", "br0") and lab.link("ext", "eth0") and lab.link(HOST, "c1"))
        d.drain()
        self.assertEqual(2, len([l for l in d.lines[since:] if l.startswith(("drift", "recovered", "failing"))]), d.lines)
        status = json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]
        self.assertEqual(("converged", 1), (status["state"], status["drifts"]))

    def test_what_is_as_declared(self):
        """Declaring what others made does not change it: no mark, no MAC address. Only differences are changed."""
        for words in ("link add d0 type bridge", "addr add 10.1.0.1/24 dev d0", "link set d0 up", "link set lo up",
                      "link add eth0 type veth peer name eth1", "link set eth0 up", "link set eth1 up",
                      "route add 10.2.0.0/16 via 10.1.0.2", "rule add from 10.1.0.0/24 lookup 100 priority 7",
                      "neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev d0 nud permanent"):
            lab.ip("ext", words)
        before = self.settle(exact=True)
        path = self.spec("""\
topology: office
namespaces:
  ext:
    adopt: true
    interfaces: {d0: {kind: bridge, addresses: [10.1.0.1/24]}}
    routes: [{to: 10.2.0.0/16, via: 10.1.0.2}]
    rules: [{from: 10.1.0.0/24, table: 100, priority: 7}]
    neighbors: [{address: 10.1.0.9, mac-address: "02:00:00:00:00:09", dev: d0}]
links: [[ext:eth0, ext:eth1]]
""")
        self.assertIn("nothing to do", self.topod("plan", path).stdout)
        self.topod("apply", path)
        self.same(lab.state_only(before), lab.state_only(lab.snapshot(exact=True)))
        path = self.spec(lab.edit(open(path).read(), ("kind: bridge", "kind: bridge, mtu: 1400")))
        self.topod("apply", path)
        self.assertEqual(lab.link("ext", "d0")["mtu"], 1400)
        self.assertIn("nothing to do", self.topod("plan", path).stdout)
        self.topod("down", path)
        self.same(lab.state_only(before), lab.state_only(lab.snapshot(exact=True)))

    def test_with_failing_objects(self):
        path = self.spec(lab.edit(SPEC, ("    sysctl:", FAILING + "    sysctl:")))
        d = self.daemon(path)
        d.wait_line("failing: ext/missing")
        d.wait_line("failing: ext: route 10.5.0.0/24")
        since = self.leave_and_return(d)
        d.wait_line("failing: ext/missing", since)
        d.wait_line("failing: ext: route 10.5.0.0/24", since)
        self.assertIsNone(d.find("recovered: ext(/missing|: route)", since))
        self.assertIsNone(d.find("drift: ext(/|: (route|sysctl))|drift: host", since))

    def test_another_one(self):
        """Values recorded for a former namespace do not go back in another one, not even if it has the same inode number."""
        path = self.spec(SPEC)
        for ttl in ("64", "55", "56"):
            if ttl != "64":
                lab.ip(HOST, "netns delete ext")
                lab.ip(HOST, "netns add ext")
                lab.sysctl_set("ext", "net.ipv4.ip_default_ttl", ttl)
            self.topod("apply", path)
            self.assertEqual("77", lab.sysctl_get("ext", "net.ipv4.ip_default_ttl"))
        self.topod("down", path)
        self.assertEqual("56", lab.sysctl_get("ext", "net.ipv4.ip_default_ttl"))
        self.assertFalse(os.path.exists("/run/topod"))

    def test_what_another_topology_leaves(self):
        """The namespace stays for the topology that adopts it; the other one's objects in it are removed or restored."""
        a = self.spec("""\
topology: a
namespaces:
  web:
    sysctl: {net.ipv4.ip_default_ttl: 77}
    interfaces: {br0: {kind: bridge, addresses: [10.1.1.1/24]}, eth0: {}}
    routes: [{to: 10.5.0.0/24, via: 10.1.1.2}]
  far: {}
links: [[web:eth0, far:eth0]]
""", "a.yaml")
        b = self.spec("""\
topology: b
namespaces:
  web: {adopt: true, exclusive: true, interfaces: {br1: {kind: bridge}, lo: {addresses: [10.4.4.4/32]}}}
""", "b.yaml")
        self.topod("apply", a)
        d = self.daemon(b).ready()
        self.spec("topology: a\nnamespaces: {}\n", "a.yaml")
        shown = self.topod("plan", a, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertIn("~ sysctl net.ipv4.ip_default_ttl: 77 -> 64\n", shown)
        self.assertIn("- br0: bridge\n", shown)
        self.assertIn("= web: namespace is left to topology 'b'", shown)
        self.topod("down", a)
        self.assertEqual("64", lab.sysctl_get("web", "net.ipv4.ip_default_ttl"))
        self.assertEqual(["br1", "lo"], sorted(l["ifname"] for l in lab.ip_json("web", "link show")))
        self.assertIn("UP", lab.link("web", "lo")["flags"])
        self.topod("plan", b)
        d.drain()
        self.assertIsNone(d.find("drift"), d.lines)
        d.stop()
        self.topod("down", b)
        self.assertNotIn("web", lab.namespaces())


if __name__ == "__main__":
    lab.main()
