# SPDX-License-Identifier: GPL-2.0-or-later
"""
Bridges: every field of a port, and VLANs. CMakeLists.txt runs this in User-Mode Linux, because few build machines' kernels
have VLAN filtering.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from test_fields import ELSEWHERE, Field, Tables  # noqa: E402

SPEC = """\
namespaces:
  a: {interfaces: {br: {kind: bridge, ports: [{%s}]}, z: {}}}
links: [["a:x", "a:z"]]
"""
FLAGS = ("hairpin", "isolated", "neigh-suppress", "guard", "root-block", "mcast-to-unicast", "proxy-arp", "locked", "vlan-tunnel")
FLAGS_ON = ("learning", "flood", "mcast-flood", "bcast-flood")
PORT = [Field("cost", "5", "6", "cost 7"), Field("priority", "4", "5", "priority 6"),
        *(Field(key, "true", "false", f"{key.replace('-', '_')} off") for key in FLAGS),
        *(Field(key, "false", "true", f"{key.replace('-', '_')} on") for key in FLAGS_ON),
        Field("mcast-router", "disabled", "permanent", "mcast_router 1"), Field("group-fwd-mask", "8", "16", "group_fwd_mask 32")]


class Ports(Tables):
    of_every_kind = {}

    def write(self, kind, values):
        return self.spec(SPEC % ", ".join(f"{key}: {value}" for key, value in {"name": "x", **values}.items()))

    def test_each_field(self):
        lab.run("modprobe", "-a", "bridge", "veth")
        self.before = lab.snapshot()
        self.check_tables("bridge_slave", [PORT, [Field("mcast-router", "temporary", "auto", "mcast_router 0")]])

    def test_every_field_is_in_the_table(self):
        self.assertEqual(self.documented("Ports") - {field.key for field in PORT} - {"name"} - ELSEWHERE.keys(), set())


VLANS = """\
namespaces:
  a:
    interfaces:
      br: {kind: bridge, vlan-filtering: true, %(bridge)s ports: [{name: x, %(port)s}, w]}
links: [["a:x", "a:z"], ["a:w", "a:v"]]
"""
PVID, UNTAGGED, TAGGED = "PVID Egress Untagged", "Egress Untagged", ""
ACCESS, TRUNK, HYBRID = "pvid: 10", "tagged: [10, 20-22]", "pvid: 10, untagged: 11, tagged: [20, 30]"


class Vlans(lab.Case):
    def setUp(self):
        super().setUp()
        lab.run("modprobe", "-a", "bridge", "veth", "8021q")
        self.before = lab.snapshot()

    def vlans(self, port="x", ns="a"):
        """By id: what bridge(8) calls the flags. As text, because its JSON leaves out VLANs after the PVID."""
        found, owner = {}, None
        for line in lab.bridge(ns, "vlan show").stdout.splitlines()[1:]:
            owner = owner if line[0].isspace() else line.split()[0]
            if owner == port:
                words = line.split()[0 if line[0].isspace() else 1:]
                found[int(words[0])] = " ".join(words[1:])
        return found

    def write(self, port, bridge="pvid: 7,"):
        return self.spec(VLANS % {"port": port, "bridge": bridge})

    def apply(self, *words):
        path = self.write(*words)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def finish(self, path):
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def test_sets_are_exact(self):
        for port, want in ((ACCESS, {10: PVID}), (TRUNK, dict.fromkeys((10, 20, 21, 22), TAGGED)), ("pvid: none", {}),
                           (HYBRID, {10: PVID, 11: UNTAGGED, 20: TAGGED, 30: TAGGED}), ("pvid: 10, tagged: 10", {10: "PVID"}),
                           ("pvid: 4094, tagged: [1-4093]", {**dict.fromkeys(range(1, 4094), TAGGED), 4094: PVID}),
                           ("pvid: 7, untagged: [7-9]", {7: PVID, 8: UNTAGGED, 9: UNTAGGED})):
            with self.subTest(port=port):
                path = self.apply(port)
                self.assertEqual(want, self.vlans())
                self.assertEqual({7: PVID}, self.vlans("br"), "the bridge's own")
                self.assertEqual({1: PVID}, self.vlans("w"), "of a port about which the file says nothing")
        self.finish(path)

    def by_hand(self, words):
        lab.bridge("a", f"vlan {words}")

    BY_HAND = ("add vid 99 dev x", "del vid 10 dev x", "del vid 20 dev x", "add vid 11 dev x", "add vid 10 dev x untagged", "add vid 30 pvid dev x",
               "add vid 99 dev br self", "del vid 7 dev br self")

    def test_drift(self):
        path = self.apply(HYBRID)
        ports = "x", "br"
        want = [self.vlans(port) for port in ports]
        for words in self.BY_HAND:
            with self.subTest(apply=words):
                self.by_hand(words)
                self.assertNotEqual(want, [self.vlans(port) for port in ports], "bridge changed nothing")
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.assertEqual(want, [self.vlans(port) for port in ports])
        for few in (self.BY_HAND[:3], self.BY_HAND[3:6], self.BY_HAND[6:]):
            d = self.daemon(path).ready()
            for words in few:
                with self.subTest(daemon=words), d.expects("drift: a/(x|br): .*restored"):
                    self.by_hand(words)
            d.stop()
            self.assertEqual(want, [self.vlans(port) for port in ports])
        self.finish(path)

    def test_the_default_changes(self):
        """RTNLGRP_LINK does not report the ports' VLANs that change with it."""
        path = self.apply("pvid: 1", "")
        d = self.daemon(path).ready()
        with d.expects("drift: a/x: .*restored"):
            lab.ip("a", "link set dev br type bridge vlan_default_pvid 5")
        d.stop()
        self.assertEqual({1: PVID}, self.vlans())
        self.finish(path)

    def test_what_stays_is_not_touched(self):
        path = self.apply("pvid: 10, tagged: [20-29]")
        monitor = subprocess.Popen(["bridge", "-n", "a", "monitor", "all"], stdout=subprocess.PIPE)
        self.addCleanup(lambda: (monitor.kill(), monitor.wait(), monitor.stdout.close()))
        os.set_blocking(monitor.stdout.fileno(), False)
        # Until it notices a change by hand, it may not listen yet.
        def hears():
            self.by_hand("add vid 99 dev w")
            self.by_hand("del vid 99 dev w")
            return monitor.stdout.read()
        self.wait_until(hears, "an event of a VLAN")
        self.apply("pvid: 11, tagged: [21-29, 40]")
        self.by_hand("add vid 4000 dev w")
        said = []
        self.wait_until(lambda: said.append((monitor.stdout.read() or b"").decode()) or "4000" in "".join(said), "the last event")
        ids = {int(number) for number in re.findall(r"^\[VLAN\](?:Deleted )?x +(\d+)", "".join(said), re.M)}
        self.assertEqual({10, 11, 20, 40}, ids)
        self.finish(path)

    def test_what_leaves_the_file_goes_back(self):
        for bridge, back in (("", {1: PVID}), ("vlan-default-pvid: 5,", {5: PVID}), ("vlan-default-pvid: none,", {})):
            with self.subTest(bridge=bridge):
                self.apply(HYBRID, bridge + " tagged: 9,")
                path = self.spec((VLANS % {"port": "", "bridge": bridge}))
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(back, self.vlans())
                self.assertEqual(back, self.vlans("br"))
                # Nothing of it is managed now.
                self.by_hand("add vid 99 dev x")
                self.topod("plan", path)
                self.finish(path)

    def test_spec(self):
        """Traffic of one VLAN reaches the other only through the router."""
        with open(os.path.join(HERE, "../../specs/vlans.yaml"), encoding="utf-8") as f:
            path = self.spec(f.read())
        self.topod("apply", path)
        self.topod("plan", path)
        for ns, to in (("red1", "10.1.0.2"), ("red1", "10.1.0.254"), ("blue1", "10.2.0.254"), ("red1", "10.2.0.1")):
            lab.pings(ns, to)
        lab.ip("blue1", "addr add 10.1.0.3/24 dev eth0")
        self.assertFalse(lab.pings("red1", "10.1.0.3", check=False), "a frame of VLAN 10 arrived in VLAN 20")
        lab.bridge("switch", "vlan add vid 10 pvid untagged dev p3")
        self.wait_until(lambda: lab.pings("red1", "10.1.0.3", check=False), "an answer within one VLAN")
        self.topod("apply", path)
        self.assertFalse(lab.pings("red1", "10.1.0.3", check=False))
        self.finish(path)

    def test_fdb(self):
        """Entries of one VLAN, and one without, of which the kernel adds a copy for each VLAN."""
        text = """\
namespaces:
  a:
    exclusive: true
    interfaces:
      br: {kind: bridge, vlan-filtering: true, ports: [{name: x, pvid: 10, tagged: 20}]}
      x: {fdb: [{mac-address: "02:00:00:00:00:11", vlan: 20}%s]}
links: [["a:x", "a:z"]]
"""
        path = self.spec(text % ', {mac-address: "02:00:00:00:00:12"}')
        self.topod("apply", path)
        self.topod("plan", path)

        def shown():
            return sorted(" ".join(line.split()[:5]) for line in lab.bridge("a", "fdb show").stdout.splitlines() if "02:00:00:00:00:1" in line)
        made = shown()
        self.assertEqual(["02:00:00:00:00:11 dev x vlan 20", "02:00:00:00:00:12 dev x master br", "02:00:00:00:00:12 dev x vlan 10",
                          "02:00:00:00:00:12 dev x vlan 20"], made)
        d = self.daemon(path).ready()
        for words in "02:00:00:00:00:11 dev x vlan 20 master", "02:00:00:00:00:12 dev x master":
            with d.expects("drift: a/x: fdb entry .* was removed; restored"):
                lab.bridge("a", f"fdb del {words}")
        d.stop()
        self.assertEqual(made, shown())
        self.topod("apply", self.spec(text % ""))
        self.assertEqual(made[:1], shown())
        self.finish(path)


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-uml runs this: see CMakeLists.txt")
    lab.main()
