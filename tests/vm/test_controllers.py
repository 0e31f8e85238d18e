# SPDX-License-Identifier: GPL-2.0-or-later
"""
Controllers that the kernels of few build machines have, and their ports: VRFs and bonds. CMakeLists.txt runs this in a kernel
that has them. Their fields are in test_fields.py.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from test_links import Built  # noqa: E402


class Vrf(Built):
    """A VRF and its ports have their connected routes in a separate table."""

    SPEC = """\
namespaces:
  a:
    interfaces:
      v: {kind: vrf, table: %(table)s, ports: [%(ports)s], mtu: 9000}
      w: {kind: vrf, table: 30}
      d: {kind: dummy, addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}
      e: {kind: dummy, addresses: [10.0.0.1/24]}
    routes:
      - {to: 10.1.0.0/16, via: 10.0.0.9, vrf: v}
      - {to: 10.2.0.0/16, via: 10.0.0.9, dev: e, %(of_e)s}
    rules:
      - {priority: 500, from: 10.7.0.0/16, vrf: v}
"""

    def routes(self, table=10):
        """Those of the declared addresses."""
        return sorted((r["type"], r["dst"], r["protocol"], r.get("prefsrc"), r.get("metric")) for family in (4, 6)
                      for r in lab.ip_json("a", f"-{family} route show table {table}") if not r["dst"].startswith(("fe80:", "ff00:")))

    def made(self, table=10, ports="d"):
        path = self.spec(self.SPEC % {"table": table, "ports": ports, "of_e": "vrf: v" if "e" in ports else "table: main"})
        self.topod("check", path)
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def masters(self):
        return {name: self.link(name).get("master") for name in "de"}

    def test_connected_routes(self):
        lab.run("ip", "netns", "add", "a")
        for key in ("all", "default"):
            lab.sysctl_set("a", f"net.ipv6.conf.{key}.accept_dad", 0)
        for command in ("link add vrf0 type vrf table 10", "link set vrf0 up", "link add d0 type dummy", "link set d0 master vrf0",
                        "link set d0 up"):
            lab.ip("a", command)
        path = self.spec("namespaces: {a: {adopt: true, interfaces: {d0: {kind: existing, up: true,\n"
                         "  addresses: [10.0.0.1/24, \"fd00::1/64\"]}}}}\n")
        self.topod("apply", path)
        self.wait_until(lambda: len(self.routes()) == 5, "the kernel's routes in the table of the VRF")
        before = self.routes()
        self.topod("plan", path)
        for lost in ("route del 10.0.0.0/24 table 10 dev d0", "route del local 10.0.0.1 table 10 dev d0",
                     "-6 route del fd00::/64 table 10 dev d0", "-6 route del local fd00::1 table 10 dev d0",
                     "-4 route flush table 10"):
            lab.ip("a", lost)
            self.assertNotEqual(before, self.routes(), lost)
            self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
            self.topod("apply", path)
            self.topod("plan", path)
            self.wait_until(lambda: self.routes() == before, lost)
        self.assertEqual([], [route for route in lab.ip_json("a", "-4 route show table main")], "nothing of it is in the table main")

    def test_built_repaired_changed_removed(self):
        path = self.made()
        self.assertEqual({"table": 10}, self.data("v"))
        self.assertEqual({"d": "v", "e": None}, self.masters())
        self.assertIn("10.1.0.0/16", [route[1] for route in self.routes()])
        before = self.routes(), self.link("v"), self.link("d")
        for command in ("link set dev d nomaster", "link set dev d master w", "route del 10.1.0.0/16 table 10", "link set v mtu 1500",
                        "rule del priority 500", "link delete v", "-4 route flush table 10"):
            with self.subTest(by_hand=command):
                lab.ip("a", command)
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(self.stable(before), self.stable((self.routes(), self.link("v"), self.link("d"))))
        index = self.link("d")["ifindex"]
        self.made(ports="d, e")
        self.assertEqual({"d": "v", "e": "v"}, self.masters())
        self.made(ports="e")
        self.assertEqual({"d": None, "e": "v"}, self.masters())
        self.made(table=20, ports="d")
        self.assertEqual({"table": 20}, self.data("v"))
        self.assertEqual(([], index), (self.routes(10), self.link("d")["ifindex"]))
        self.assertEqual(before[0], self.routes(20))
        self.assertEqual("20", next(r for r in lab.ip_json("a", "rule show") if r["priority"] == 500)["table"])
        self.finish(path)

    @staticmethod
    def stable(shown):
        return shown[0], *({key: value for key, value in link.items() if "index" not in key} for link in shown[1:])

    def test_daemon(self):
        path = self.made()
        before = self.routes()
        d = self.daemon(path).ready()
        for command, line in (("link set dev d nomaster", "a/d: .*restored"), ("route del 10.1.0.0/16 table 10", r"route 10\.1.*restored"),
                              ("route del local 10.0.0.1 dev d table 10", "a/d: .*restored"), ("link delete v", "a/v: .*restored")):
            with d.expects("drift: .*" + line):
                lab.ip("a", command)
            self.wait_until(lambda: self.routes() == before, command)
        d.stop()
        self.topod("plan", path)
        self.finish(path)

    @staticmethod
    def echoes():
        """How many echo requests each customer has received."""
        received = {}
        for ns in ("blue", "red"):
            with lab.inside(ns), open("/proc/net/snmp", encoding="ascii") as f:
                names, values = [line.split() for line in f if line.startswith("Icmp:")]
            received[ns] = int(values[names.index("InEchos")])
        return received

    def test_example(self):
        """Two customers with the same addresses, each reached through its own VRF only."""
        path = self.build("vrf")
        for name, port in (("blue", "b0"), ("red", "r0")):
            before = self.echoes()
            lab.run("ip", "netns", "exec", "router", "ping", "-c3", "-W5", "-I", name, "10.1.0.1")
            self.assertEqual({**before, name: before[name] + 3}, self.echoes())
            lab.ip("router", f"link set {port} nomaster")
            self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
            self.topod("apply", path)
        self.assertNotEqual(0, lab.run("ip", "netns", "exec", "router", "ping", "-c1", "-W1", "10.1.0.1", check=False).returncode)
        self.finish(path)


class Bond(Built):
    """Ports join while they are down; the bond gives them its MAC address, and the declared one is their own."""

    SPEC = """\
namespaces:
  a:
    interfaces:
      x: {kind: bond, mode: %(mode)s, miimon: 100, mtu: 1450, ports: [%(ports)s], addresses: [10.0.0.1/24]%(more)s}
      d: {kind: dummy%(of_d)s}
      e: {kind: dummy, mac-address: "02:00:00:00:00:0e"}
      br: {kind: bridge}
  b: {}
links: [["a:p", "b:p"]]
"""

    def made(self, mode="active-backup", ports="p, d, {name: e, priority: 5, queue-id: 3}", more=", primary: e", of_d=""):
        path = self.spec(self.SPEC % {"mode": mode, "ports": ports, "more": more, "of_d": of_d})
        self.topod("check", path)
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def port(self, name):
        return self.link(name).get("linkinfo", {}).get("info_slave_data", {})

    def shown(self):
        """Without the indexes, and values that change all the time."""
        shown = []
        for name in "xpde":
            link = self.link(name)
            for data in link["linkinfo"].values():
                if isinstance(data, dict):
                    for key in ("link_failure_count", "mii_status", "state", "active_slave"):
                        data.pop(key, None)
            shown.append({"flags": sorted(set(link["flags"]) - lab.VOLATILE_FLAGS),
                          **{key: link.get(key) for key in ("ifname", "master", "address", "linkinfo", "mtu")}})
        return shown

    def test_ports(self):
        path = self.made()
        want = self.shown()
        self.assertEqual(["x"] * 3, [link["master"] for link in want[1:]])
        self.assertEqual({want[0]["address"]}, {link["address"] for link in want}, "the bond has given them its address")
        self.assertEqual("02:00:00:00:00:0e", self.port("e")["perm_hwaddr"])
        self.assertEqual("e", self.data()["primary"])
        self.assertEqual((5, 3), (self.port("e")["prio"], self.port("e")["queue_id"]))
        for command in ("link set dev d nomaster", "link set dev e nomaster", "link set dev d down", "link delete dev d",
                        "link delete dev p", "link set dev x address 02:00:00:00:00:99", "link set dev x type bond primary d",
                        "link set dev e type bond_slave queue_id 2", "link set dev e type bond_slave prio 7",
                        "link set dev x down", "link set dev x mtu 1400", "link delete dev x"):
            with self.subTest(by_hand=command):
                lab.ip("a", command)
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(want, self.shown())
        self.finish(path)

    def test_daemon(self):
        path = self.made()
        want = self.shown()
        d = self.daemon(path).ready()
        for command, line in (("link set dev d nomaster", "a/d: .*restored"), ("link set dev x type bond primary d", "a/x: .*restored"),
                              ("link set dev e type bond_slave queue_id 2", "a/e: .*restored"), ("link delete dev x", "a/x: .*restored")):
            with d.expects("drift: " + line):
                lab.ip("a", command)
            self.wait_until(lambda: self.shown() == want, command)
        d.stop()
        self.topod("plan", path)
        self.finish(path)

    def test_edited(self):
        self.made()
        indexes = {name: self.link(name)["ifindex"] for name in "pdex"}
        self.made(more=", primary: d")
        self.assertEqual("d", self.data()["primary"])
        self.made(more="")
        self.assertNotIn("primary", self.data())
        self.made(ports="p, {name: e, priority: 6}", more="")
        self.assertEqual((None, 6, 0), (self.link("d").get("master"), self.port("e")["prio"], self.port("e")["queue_id"]))
        self.assertIn("UP", self.link("d")["flags"])
        self.made(ports="p, d, e", more="", of_d=', mac-address: "02:00:00:00:00:0d"')
        self.assertEqual(("02:00:00:00:00:0d", 0), (self.port("d")["perm_hwaddr"], self.port("e")["prio"]))
        self.made(ports="p, d, e", more="", of_d=', mac-address: "02:00:00:00:00:dd"')
        self.assertEqual("02:00:00:00:00:dd", self.port("d")["perm_hwaddr"])
        self.assertEqual(indexes, {name: self.link(name)["ifindex"] for name in indexes}, "something was recreated")
        self.made(mode="balance-rr", ports="p, d, e", more="")
        changed = {name: self.link(name)["ifindex"] for name in indexes}
        self.assertEqual({**indexes, "x": changed["x"]}, changed, "a port was recreated")
        self.assertEqual(["x"] * 3, [self.link(name)["master"] for name in "pde"])
        self.made(ports="p, d, e", more=", fail-over-mac: active")
        self.assertEqual(self.port("e")["perm_hwaddr"], self.link("e")["address"], "each port keeps its own address")
        path = self.made(ports="d, e", more=", fail-over-mac: follow")
        self.finish(path)

    def test_from_a_bridge(self):
        """A port with attributes moves from a bridge to a bond, and back."""
        path = self.spec(BRIDGE_OR_BOND % ("{name: d, cost: 9}", ""))
        self.topod("apply", path)
        for bridge, bond in (("", "{name: d, queue-id: 2}"), ("{name: d, cost: 9}", "")):
            path = self.spec(BRIDGE_OR_BOND % (bridge, bond))
            self.topod("apply", path)
            self.topod("plan", path)
            self.assertEqual("x" if bond else "br", self.link("d")["master"])
            self.assertEqual(2 if bond else 9, self.port("d")["queue_id" if bond else "cost"])
        self.finish(path)

    def test_existing_port(self):
        """It goes back as it was: up, with its own address."""
        lab.run("ip", "netns", "add", "a")
        for command in ("link add dev d type dummy", "link set dev d up", "link set dev d mtu 1400"):
            lab.ip("a", command)
        self.wait_until(lambda: lab.addresses("a", "d"), "the link-local address")
        self.before = lab.snapshot()
        path = self.spec("namespaces: {a: {adopt: true, interfaces: {d: {kind: existing}, x: {kind: bond, miimon: 100, ports: d}}}}")
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual("x", self.link("d")["master"])
        self.finish(path)

    def test_failover(self):
        path = self.build("bond")

        def pings():
            return lab.pings("server", "10.0.0.2", check=False)

        def active():
            return lab.link("server", "bond0")["linkinfo"]["info_data"].get("active_slave")

        self.assertTrue(pings())
        self.assertEqual("eth0", active())
        lab.ip("switch", "link set p0 down")
        self.wait_until(lambda: active() == "eth1", "the failover")
        self.assertTrue(pings())
        self.topod("apply", path)
        self.wait_until(lambda: active() == "eth0", "the primary port again")
        self.assertTrue(pings())
        self.topod("plan", path)
        self.finish(path)


BRIDGE_OR_BOND = """\
namespaces:
  a:
    interfaces:
      br: {kind: bridge, ports: [%s]}
      x: {kind: bond, miimon: 100, ports: [%s]}
      d: {kind: dummy}
"""


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-uml runs this: see CMakeLists.txt")
    lab.main()
