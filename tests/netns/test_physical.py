# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces of the machine that are moved into a namespace: how they are found, and how they return. Ends of pairs in the
host stand for them."""

import os
import re

import lab
from lab import HOST, Case

TEXT = """\
topology: physical
namespaces:
  box:
    interfaces:
      eth0: {kind: physical, source: nic0, mtu: 1400, mac-address: "02:00:00:00:00:77", addresses: [10.3.0.1/24]}
      eth1: {kind: physical, source: nic1}
"""


class Physical(Case):
    def setUp(self):
        super().setUp()
        for name in ("nic0", "nic1", "nic2"):
            lab.veth(HOST, name, HOST, f"{name}-far")
            lab.ip(HOST, f"link set {name} mtu 1444")
        lab.ip(HOST, "link set nic1 down")
        self.before = self.cards()

    def cards(self):
        """Name, MAC address, MTU and state of each one in the host."""
        return {l["ifname"]: (l["address"], l["mtu"], "UP" in l["flags"]) for l in lab.ip_json(HOST, "link show")
                if l["ifname"].startswith("nic") and not l["ifname"].endswith("-far")}

    def inside(self, name):
        """The index of the other end identifies it."""
        index = lab.link("box", name)["link_index"]
        return next(l["ifname"] for l in lab.ip_json(HOST, "link show") if l["ifindex"] == index)[:4]

    def mac(self, name):
        return self.before[name][0]

    def down(self, path):
        self.topod("down", path)
        self.assertEqual(self.before, self.cards())
        self.assertEqual([], lab.namespaces())

    def test_comes_back_as_it_was(self):
        path = self.spec(TEXT)
        self.topod("apply", path)
        self.assertEqual({"nic2"}, set(self.cards()))
        self.assertEqual(1400, lab.link("box", "eth0")["mtu"])
        self.topod("plan", path)
        self.down(path)

    def test_settings_come_back(self):
        def settings():
            link = lab.link(HOST, "nic0")
            return {key: value for key, value in link.items() if re.match("g[rs]o_|txqlen", key)}, sorted(set(link["flags"]) - lab.VOLATILE_FLAGS)
        lab.ip(HOST, "link set nic0 txqueuelen 55 gro_max_size 40000")
        before = settings()
        path = self.spec(lab.edit(TEXT, ("mtu: 1400,", "mtu: 1400, txqueuelen: 77, promiscuous: true, arp: false, multicast: false, "
                                                       "gso-max-size: 30000, gso-max-segs: 100, gro-max-size: 30000,")))
        self.topod("apply", path)
        self.assertEqual(77, lab.link("box", "eth0")["txqlen"])
        self.spec(TEXT)
        self.topod("apply", path)  # what leaves the file goes back already now
        self.spec(lab.edit(TEXT, ("mtu: 1400,", "mtu: 1400, txqueuelen: 99, arp: false,")))
        self.topod("apply", path)
        self.down(path)
        self.assertEqual(before, settings())

    def test_by_mac_address(self):
        path = self.spec(lab.edit(TEXT, ("source: nic0", f'source: "{self.mac("nic0")}"')))
        self.topod("apply", path)
        self.assertEqual("nic0", self.inside("eth0"))
        self.topod("plan", path)
        self.down(path)

    def test_by_alternative_name(self):
        lab.ip(HOST, "link property add dev nic0 altname enp0s31f6")
        path = self.spec(lab.edit(TEXT, ("source: nic0", "source: enp0s31f6")))
        self.topod("apply", path)
        self.assertEqual("nic0", self.inside("eth0"))
        self.topod("plan", path)
        self.down(path)

    def changed(self, *changes, expected):
        """Planned, applied, stable; and returned."""
        path = self.spec(TEXT)
        d = self.daemon(path).ready()
        self.spec(lab.edit(TEXT, *changes))
        shown = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertRegex(shown, r"-/\+ eth0: physical, .*\(source \S+ -> \S+\)\n")
        self.assertIn("-/+ eth0: address 10.3.0.1/24 (along with its interface)\n", shown)
        self.assertIn(f"0 to create, 0 to change, {len(changes) // 3 + 2} to recreate, 0 to delete", shown)
        d.reload()
        self.assertEqual(expected, {name: self.inside(name) for name in expected})
        self.assertIn("10.3.0.1/24", lab.addresses("box", "eth0"))
        others = {name for name in self.before if name not in expected.values()}
        self.assertEqual({name: self.before[name] for name in others}, self.cards())
        self.topod("plan", path)
        d.stop()
        self.down(path)

    def test_another_source(self):
        self.changed(("source: nic0", "source: nic2"), expected={"eth0": "nic2", "eth1": "nic1"})

    def test_another_source_by_mac_address(self):
        self.changed(("source: nic0", f'source: "{self.mac("nic2")}"'), expected={"eth0": "nic2", "eth1": "nic1"})

    def test_swapped(self):
        self.changed(("source: nic0", "source: x"), ("source: nic1", "source: nic0"), ("source: x", "source: nic1"),
                     expected={"eth0": "nic1", "eth1": "nic0"})

    def moved_back(self, name):
        """Somebody moves it back, and it is down: it is recognised under any name."""
        lab.ip("box", f"link set eth0 netns {os.getpid()}" + f" name {name}" * (name != "eth0"))

    def restored(self, path, d):
        d.wait_line(r"drift: box/eth0: physical was moved to host/\w+; restored")
        self.wait_until(lambda: self.topod("plan", path, expect=(0, 2)).returncode == 0, "rest", d)
        self.assertEqual("nic0", self.inside("eth0"))
        self.assertEqual((1400, "02:00:00:00:00:77"), (lab.link("box", "eth0")["mtu"], lab.link("box", "eth0")["address"]))
        self.assertIn("10.3.0.1/24", lab.addresses("box", "eth0"))

    def test_moved_back_by_hand(self):
        path = self.spec(TEXT)
        for name in ("eth0", "nic0", "other"):
            with self.subTest(name):
                d = self.daemon(path).ready()
                self.moved_back(name)
                self.restored(path, d)
                d.stop()
        self.down(path)

    def test_moved_back_and_up(self):
        path = self.spec(lab.edit(TEXT, ("source: nic0", f'source: "{self.mac("nic0")}"')))
        self.topod("apply", path)
        self.moved_back("eth0")
        lab.ip(HOST, "link set eth0 up mtu 1333")
        self.topod("apply", path)
        self.assertEqual("nic0", self.inside("eth0"))
        self.topod("plan", path)
        self.down(path)

    def test_moved_back_while_it_goes(self):
        path = self.spec(TEXT)
        self.topod("apply", path)
        self.moved_back("eth0")
        lab.ip(HOST, "link set eth0 up")
        self.down(path)

    def test_renamed_inside(self):
        path = self.spec(TEXT)
        d = self.daemon(path).ready()
        lab.ip("box", "link set eth0 name other")
        d.wait_line("drift: box/eth0: physical was removed; restored")
        self.wait_until(lambda: self.topod("plan", path, expect=(0, 2)).returncode == 0, "rest", d)
        self.assertEqual("nic0", self.inside("eth0"))
        d.stop()
        self.topod("apply", path)
        lab.ip("box", "link set eth0 name other")
        self.down(path)

    def test_same_one_by_another_name(self):
        path = self.spec(TEXT)
        self.topod("apply", path)
        index = lab.link("box", "eth0")["ifindex"]
        self.spec(lab.edit(TEXT, ("source: nic0", f'source: "{self.mac("nic0")}"')))
        self.topod("plan", path)
        self.topod("apply", path)
        self.assertEqual(index, lab.link("box", "eth0")["ifindex"])
        self.down(path)

    def test_same_one_by_another_name_and_back_late(self):
        """It is missed while it is elsewhere, and then recognised although it has another MAC address than the
        file names."""
        path = self.spec(TEXT)
        self.topod("apply", path)
        self.spec(lab.edit(TEXT, ("source: nic0", f'source: "{self.mac("nic0")}"')))
        lab.ip(HOST, "netns add elsewhere")
        lab.ip("box", "link set eth0 netns elsewhere")
        self.topod("apply", path, expect=lab.EXIT_FAILED)
        lab.ip("elsewhere", f"link set eth0 netns {os.getpid()}")
        lab.ip(HOST, "netns delete elsewhere")
        self.topod("apply", path)
        self.assertEqual("nic0", self.inside("eth0"))
        self.topod("plan", path)
        self.down(path)

    def test_something_else_in_its_place(self):
        path = self.spec(TEXT)
        self.topod("apply", path)
        line = [l for l in TEXT.splitlines(True) if "eth0" in l][0]
        self.spec(lab.edit(TEXT, (line, "      eth0: {kind: bridge}\n")))
        self.topod("apply", path)
        self.assertEqual("bridge", lab.link("box", "eth0")["linkinfo"]["info_kind"])
        self.assertEqual(self.before["nic0"], self.cards()["nic0"])
        self.spec(TEXT)
        self.topod("apply", path)
        self.assertEqual("nic0", self.inside("eth0"))
        self.down(path)

    def test_made_by_the_file(self):
        path = self.spec(TEXT + "  web: {}\nlinks: [[host:nic0, web:eth0]]\n")
        done = self.topod("check", path, expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, r"office\.yaml:5:\d+: error: nic0 is made by this file")
        self.assertRegex(done.stderr, r"office\.yaml:8:\d+: note: it is declared here")


if __name__ == "__main__":
    lab.main()
