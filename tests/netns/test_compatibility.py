# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/compatibility.md's promises about the ledger: a network made by topod 0.1 is kept untouched, and removed completely."""

import os
import re

import lab
from lab import Case

SPEC = """\
topology: old
namespaces:
  host: {forwarding: ipv4, interfaces: {br0: {kind: bridge, ports: [{name: c1, cost: 77}], addresses: [10.0.0.1/24]}}}
  web:
    dns: {servers: [10.0.0.1]}
    interfaces: {eth0: {mtu: 1400, addresses: [10.0.0.11/24]}, mv: {kind: macvlan, link: eth0}}
    routes: [{to: default, via: 10.0.0.1}]
    sysctl: {net.ipv4.ip_default_ttl: 99}
links: [[web:eth0, host:c1]]
"""

# As 0.1 wrote it for SPEC; what depends on the machine is in braces.
LEDGER = """\
topod-ledger 1
+ made netns|web|web namespace
+ found sysctl|host|host sysctl net.ipv4.ip_forward|path=net/ipv4/ip_forward|value=0
+ made bridge|host|host/br0 link|up|mac-address={host/br0}|alias
+ made veth|host|host/c1 link|up|mac-address={host/c1}|master|alias
+ made veth|web|web/eth0 link|up|mtu|mac-address={web/eth0}|alias
+ made macvlan|web|web/mv link|up|mac-address={web/mv}|alias
+ found existing|web|web/lo link|name=lo|up
+ made address|web|web/eth0 address 10.0.0.11/24|protocol
+ made route|web|web route 0.0.0.0/0|type|via|nexthops|scope|protocol
+ made dns|web|web file /etc/netns/web/resolv.conf|content
+ found port|host|host/c1 bridge port of br0|name=c1|cost
+ made address|host|host/br0 address 10.0.0.1/24|protocol
+ made netns|web|web namespace|inode={inode}|born={born}
+ found sysctl|web|web sysctl net.ipv4.ip_default_ttl|path=net/ipv4/ip_default_ttl|value=64
""".replace("|", "\t")

LEDGER_PATH = "/run/topod/old/ledger"


def old_ledger():
    """Writes the ledger of 0.1 for the current state."""
    stat = os.stat("/run/netns/web")
    values = {"inode": stat.st_ino, "born": stat.st_ctime_ns}

    def value(m):
        if m[1] in values:
            return str(values[m[1]])
        ns, name = m[1].split("/")
        return lab.link(ns, name)["address"]
    return re.sub(r"\{([^}]*)\}", value, LEDGER)


class Ledger(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()
        self.path = self.spec(SPEC)
        self.topod("apply", self.path)
        with open(LEDGER_PATH, "w") as f:
            f.write(old_ledger())
        self.made = lab.snapshot()

    def test_upgrade(self):
        """A daemon that follows one of 0.1 changes nothing."""
        indexes = [lab.link(ns, name)["ifindex"] for ns, name in (("host", "br0"), ("web", "eth0"), ("web", "mv"))]
        daemon = self.daemon(self.path)
        daemon.wait_line("converged: nothing to do")
        self.assertEqual(indexes, [lab.link(ns, name)["ifindex"] for ns, name in
                                   (("host", "br0"), ("web", "eth0"), ("web", "mv"))])
        daemon.stop()  # this removes its socket
        self.same(self.made, lab.snapshot(), "the daemon changed something")
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "what 0.1 made or changed is left")

    def test_removal(self):
        """What 0.1 made is removed, and what it found is restored."""
        self.topod("plan", self.path)
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "what 0.1 made or changed is left")

    def test_lines_to_come(self):
        """An older topod skips, counts and reports lines that it does not know."""
        with open(LEDGER_PATH, "a") as f:
            f.write("+ made wormhole\tweb\tweb/w0 link\tup\n")
        done = self.topod("down", self.path)
        self.assertRegex(done.stderr, "1 line")
        self.same(self.before, lab.snapshot(), "a line was not skipped")


SETTINGS_SPEC = """\
topology: old
namespaces:
  host: {sysctl: {net.ipv4.conf.all.forwarding: 1, net.ipv4.neigh.lo.base_reachable_time: 33}}
"""

# As 0.1 wrote it for that, and kept it.
SETTINGS_LEDGER = """\
topod-ledger 1
+ found sysctl|host|host sysctl net.ipv4.conf.all.forwarding|path=net/ipv4/conf/all/forwarding|value=0
+ found sysctl|host|host sysctl net.ipv4.neigh.lo.base_reachable_time|path=net/ipv4/neigh/lo/base_reachable_time|value=30
""".replace("|", "\t")


class SettingNames(Case):
    """0.1 recorded a setting under the name that the file had for it; now each setting has one name."""

    FILES = {"net/ipv4/ip_forward": "1", "net/ipv4/neigh/lo/base_reachable_time": "33"}

    def values(self):
        return {path: open("/proc/sys/" + path).read().strip() for path in self.FILES}

    def setUp(self):
        super().setUp()
        self.before = self.values()
        self.assertEqual(self.before, {"net/ipv4/ip_forward": "0", "net/ipv4/neigh/lo/base_reachable_time": "30"})
        for path, value in self.FILES.items():
            with open("/proc/sys/" + path, "w") as f:
                f.write(value)
        os.makedirs(os.path.dirname(LEDGER_PATH), 0o700)
        with open(LEDGER_PATH, "w") as f:
            f.write(SETTINGS_LEDGER)

    def test_down(self):
        path = self.spec(SETTINGS_SPEC)
        self.topod("apply", path)
        self.assertEqual(self.values(), self.FILES)
        self.topod("down", path)
        self.assertEqual(self.values(), self.before)

    def test_dropped(self):
        path = self.spec("topology: old\nnamespaces: {}\n")
        self.topod("apply", path)
        self.assertEqual(self.values(), self.before)
        self.topod("down", path)
        self.assertEqual(self.values(), self.before)


if __name__ == "__main__":
    lab.main()
