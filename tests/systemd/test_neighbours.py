# SPDX-License-Identifier: GPL-2.0-or-later
"""Other network managers on the same machine: each is real, and configured to manage everything that it can."""

import json
import math
import os
import time

import machine
from machine import Case, lab
from lab import HOST, OFFICE, edit

UNIT = "topod@office.service"
# Names that others manage by default, and an unspecified MAC address.
GREEDY = edit(OFFICE, ("      uplink:\n        addresses: [203.0.113.2/24]\n",
                       "      eth7:\n        addresses: [203.0.113.2/24]\n"),
              (", out: uplink}", ", out: eth7}"), ("in: uplink", "in: eth7"), ("[host:uplink,", "[host:eth7,"))
OURS = ("br0", "c1", "c2", "eth7")


class Firewall(Case):
    def setUp(self):
        super().setUp()
        self.start(OFFICE)
        self.rules = lab.nft(HOST, "list ruleset").stdout
        self.assertIn("masquerade", self.rules)

    def wait_restored(self, journal, n=1):
        journal.wait("^drift: host: .*restored")
        self.wait_until(lambda: lab.nft(HOST, "list ruleset").stdout == self.rules, "the same rules again")
        lab.pings("web", "203.0.113.1")

    def test_flushed(self):
        with machine.Journal("-u", UNIT) as journal:
            lab.nft(HOST, "flush ruleset")
            self.wait_restored(journal)

    def test_nftables_service(self):
        """Debian's own service flushes everything when it starts and when it stops."""
        with machine.Journal("-u", UNIT) as journal:
            self.systemctl("restart nftables")
            journal.wait("^drift: host: .*restored")
            self.wait_until(lambda: "masquerade" in lab.nft(HOST, "list ruleset").stdout, "NAT beside the others' rules")
            self.systemctl("stop nftables")
            self.wait_restored(journal)


class Neighbour(Case):
    """What another manager does before topod starts, and to existing links."""

    def udev(self):
        """systemd does not start it in a container, where /sys is usually read-only; here it is not."""
        lab.run("mount", "-o", "remount,bind,rw", "/sys")
        self.systemctl("start systemd-udevd")
        lab.run("udevadm", "settle")

    def stranger(self, name, peer):
        """A link that is not topod's: once the other manager has changed it, it has also seen topod's links."""
        lab.ip(HOST, f"link add {name} type veth peer name {peer}")
        for link in (name, peer):
            lab.ip(HOST, f"link set {link} up")

    def links(self):
        """The state of links and addresses that another manager could change, by name."""
        found = {}
        for l in lab.ip_json(HOST, "addr show"):
            if l["ifname"] in OURS:
                found[l["ifname"]] = (l["address"], l["mtu"], l.get("master"), l["ifindex"], sorted(
                    f"{a['local']}/{a['prefixlen']}" for a in l["addr_info"] if "local" in a and a["scope"] == "global"))
        self.assertEqual(sorted(OURS), sorted(found))
        return found

    def assert_no_fight(self):
        found = [e["MESSAGE"] for e in machine.entries("-u", UNIT) if "drift" in str(e.get("MESSAGE"))]
        self.assertEqual([], found)


class Udev(Neighbour):
    GREEDY_LINK = "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=random\nMTUBytes=1280\nName=taken0\n"

    def test_links_keep_what_they_have(self):
        """A .link file for everything comes after topod's."""
        self.machine.write("/etc/systemd/network/10-greedy.link", self.GREEDY_LINK)
        self.udev()
        lab.ip(HOST, "link add theirs type veth peer name theirs-peer")
        lab.run("udevadm", "settle")
        self.assertIsNotNone(lab.link(HOST, "taken0"), "udev does nothing at all")
        self.start(GREEDY)
        before = self.links()
        lab.run("udevadm", "settle")
        # A link that is recreated, and an event for an existing one.
        lab.ip(HOST, "link del c1")
        lab.run("mount", "-t", "sysfs", "sysfs", "/mnt")
        lab.run("mount", "-o", "remount,rw", "/mnt")
        lab.run("sh", "-c", "for l in br0 c2 eth7; do echo add >/mnt/class/net/$l/uevent; done")
        self.wait_until(lambda: lab.link(HOST, "c1") and lab.pings("web", "203.0.113.1", check=False), "c1 again")
        lab.run("udevadm", "settle")
        after = self.links()
        for name in OURS:
            what = slice(0, 3) if name == "c1" else slice(None)
            self.assertEqual(before[name][what], after[name][what], name)
            said = lab.run("udevadm", "info", f"/sys/class/net/{name}").stdout
            self.assertIn("ID_NET_LINK_FILE=/usr/lib/systemd/network/05-topod.link", said.replace("=/lib/", "=/usr/lib/"))


class Networkd(Neighbour):
    GREEDY_NETWORK = ("[Match]\nName=*\n[Network]\nAddress=192.0.2.7/24\nLinkLocalAddressing=no\n"
                      "[Link]\nMTUBytes=1290\n")

    def setUp(self):
        super().setUp()
        self.machine.write("/etc/systemd/network/10-greedy.network", self.GREEDY_NETWORK)
        self.udev()

    def configured(self, name):
        return "192.0.2.7/24" in lab.addresses(HOST, name)

    def assert_unmanaged(self):
        self.stranger("theirs", "theirs-peer")
        self.wait_until(lambda: self.configured("theirs"), "an address by networkd")

        def states():
            return {l.split()[1]: l.split()[4] for l in lab.run("networkctl", "--no-legend").stdout.splitlines()}
        self.wait_until(lambda: all(states()[name] not in ("pending", "initialized") for name in OURS), "networkd's decision")
        self.assertEqual({name: "unmanaged" for name in OURS}, {k: v for k, v in states().items() if k in OURS})

    def test_there_first(self):
        self.systemctl("start systemd-networkd")
        self.start(GREEDY)
        before = self.links()
        self.assert_unmanaged()
        self.assertEqual(before, self.links())
        lab.ip(HOST, "link del c1")
        self.wait_until(lambda: lab.link(HOST, "c1") and lab.pings("web", "203.0.113.1", check=False), "c1 again")
        self.stranger("others", "others-peer")
        self.wait_until(lambda: self.configured("others"), "an address by networkd")
        self.assertFalse(any(self.configured(name) for name in OURS))

    def test_comes_and_goes(self):
        """networkd starts, restarts and stops while a topology exists."""
        self.start(GREEDY)
        before = self.links()
        self.systemctl("start systemd-networkd")
        self.assert_unmanaged()
        self.systemctl("restart systemd-networkd")
        self.assertEqual(before, self.links())
        self.systemctl("stop systemd-networkd systemd-networkd.socket")
        self.assertEqual(before, self.links())
        self.assert_no_fight()


class NetworkdInsists(Neighbour):
    """A link that topod did not make: networkd manages it too, with the opposite setting."""

    SECONDS = 5  # the CPU time of this period is printed

    def cpu_seconds(self):
        with open(self.machine.path(f"/proc/{self.show('topod@fight', 'MainPID')}/stat")) as f:
            words = f.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def told(self):
        return [e for e in machine.entries("-u", "topod@fight") if "drift: host/theirs" in str(e.get("MESSAGE"))]

    def test_always_down(self):
        self.machine.write("/etc/systemd/network/10-down.network",
                           "[Match]\nName=theirs\n[Link]\nActivationPolicy=always-down\n[Network]\n"
                           "LinkLocalAddressing=no\n")
        self.udev()
        lab.ip(HOST, "link add theirs type veth peer name theirs-peer")
        self.systemctl("start systemd-networkd")
        with machine.Journal("-u", "topod@fight") as journal:
            self.spec("namespaces: {host: {interfaces: {theirs: {kind: existing}}}}\n", "fight.yaml")
            self.systemctl("start --no-block topod@fight")
            journal.wait("host/theirs: up was changed from true to false; backed off for 1 s: something keeps undoing it")
        before, began = self.cpu_seconds(), time.monotonic()
        time.sleep(self.SECONDS)  # not waiting for anything: this is the period that is measured
        used, seconds = self.cpu_seconds() - before, time.monotonic() - began
        told = self.told()
        print(f"CPU in a fight with networkd: {100 * used / seconds:.2f} %, {len(told)} repairs, {seconds:.1f} s after the "
              "first pause began", flush=True)
        # After n pauses 2^n seconds have passed.
        self.assertLessEqual(len(told), 5 + math.log2(1 + time.monotonic() - began) + 1, [e["MESSAGE"] for e in told])
        self.assertEqual("degraded", json.loads(self.topod("status", "fight", "--json").stdout)["topologies"][0]["state"])
        self.systemctl("stop systemd-networkd systemd-networkd.socket")
        self.wait_until(lambda: "UP" in lab.link(HOST, "theirs")["flags"], "the link up, once networkd has gone")
        with machine.Journal("-u", "topod@fight") as journal:
            self.topod("reload", "fight")
        self.assertEqual("converged", json.loads(self.topod("status", "fight", "--json").stdout)["topologies"][0]["state"])


class NetworkManager(Neighbour):
    # By Debian's rules it leaves veths alone; told otherwise, it takes them. (A managed=1 in its own configuration
    # would be a decision of the operator's, which it puts above all rules.)
    RULE = 'SUBSYSTEM=="net", ENV{ID_NET_DRIVER}=="veth", ENV{NM_UNMANAGED}="0"\n'

    def setUp(self):
        super().setUp()
        self.machine.write("/etc/udev/rules.d/86-greedy.rules", self.RULE)
        self.udev()

    def states(self):
        lines = lab.run("nmcli", "-t", "-f", "DEVICE,STATE", "device").stdout.splitlines()
        return dict(l.rsplit(":", 1) for l in lines)

    def assert_unmanaged(self):
        self.stranger("theirs", "theirs-peer")
        self.wait_until(lambda: self.states().get("theirs") not in (None, "unmanaged", "unavailable"),
                        lambda: f"a link that NetworkManager manages; it says {self.states()}")
        self.assertEqual({name: "unmanaged" for name in OURS}, {k: v for k, v in self.states().items() if k in OURS})

    def test_there_first(self):
        self.systemctl("start NetworkManager")
        self.start(GREEDY)
        before = self.links()
        self.assert_unmanaged()
        self.assertEqual(before, self.links())

    def test_comes_and_goes(self):
        self.start(GREEDY)
        before = self.links()
        self.systemctl("start NetworkManager")
        self.assert_unmanaged()
        self.systemctl("restart NetworkManager")
        self.systemctl("stop NetworkManager")
        self.assertEqual(before, self.links())
        self.assert_no_fight()


if __name__ == "__main__":
    machine.main()
