# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that wait for something outside topod (a carrier, an interface that somebody moves in) delay nothing
else, are listed in the status, and are completed when it comes."""

import json
import unittest

import lab
from lab import HOST, Case

EMPTY_BRIDGE = """\
namespaces:
  host:
    interfaces:
      br0: {kind: bridge, addresses: [10.0.0.1/24, "fd00:1::1/64"]}
      down0: {kind: bridge, up: false, addresses: ["fd00:2::1/64"]}
    routes:
      - {to: "fd10::/64", via: "fd00:1::2", src: "fd00:1::1"}
"""


class Waiting(Case):
    def status(self):
        return json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]

    def tentative(self, ns, name):
        return [a["local"] for l in lab.ip_json(ns, f"addr show dev {name}") for a in l["addr_info"]
                if a.get("tentative") and a["scope"] == "global"]


class Carrier(Waiting):
    def test_bridge_without_ports(self):
        """Apply, reload and readiness do not wait for something that may never come; the count is printed, and
        status lists each one."""
        path = self.spec(EMPTY_BRIDGE)
        done = self.topod("apply", path)
        self.assertIn("2 addresses wait for a carrier, 1 route waits for a carrier", done.stdout)
        self.assertEqual("office: 6 objects", done.stdout[:17])
        self.assertIn("nothing to do\n2 addresses wait", self.topod("plan", path).stdout)
        d = self.daemon(path).ready()
        d.wait_line(r"converged: .*; 2 addresses wait for a carrier")
        done = self.topod("reload", "office")
        self.assertIn("converged; 2 addresses wait for a carrier", done.stdout)
        status = self.status()
        self.assertEqual(("converged", 3, 0, 0), tuple(status[k] for k in ("state", "waiting", "pending", "failing")))
        self.assertEqual({("host/br0", "address fd00:1::1/64"), ("host/down0", "address fd00:2::1/64"),
                          ("host", "route fd10::/64 via fd00:1::2")}, {(w["scope"], w["noun"]) for w in status["waits"]})
        text = self.topod("status", "office").stdout
        self.assertRegex(text, r"host/br0 address fd00:1::1/64 for a carrier \(.*office.yaml:4\)")
        # The carrier comes: everything is completed, including the route with the address.
        lab.ip(HOST, "link add p0 type veth peer name p1")
        lab.ip(HOST, "link set p0 master br0 up")
        lab.ip(HOST, "link set p1 up")
        self.wait_until(lambda: lab.route(HOST, "fd10::/64", family=6), "the route by the address", d)
        self.assertEqual([], self.tentative(HOST, "br0"))
        self.wait_until(lambda: self.status()["state"] == "converged", "convergence", d)
        self.assertEqual([], [l for l in d.lines if "drift" in l or "failing" in l])
        d.stop()

    def test_detection_that_is_under_way(self):
        """With a carrier, apply waits for the end of detection as usual: also for a bridge, which gets the carrier of its port from
        the kernel a moment later."""
        path = self.spec("""\
namespaces:
  host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: ["fd00:1::1/64"]}}}
  web: {interfaces: {eth0: {addresses: ["fd00:1::2/64"]}}}
links: [[web:eth0, host:c1]]
""")
        done = self.topod("apply", path)
        self.assertNotIn("wait", done.stdout)
        self.assertEqual([], self.tentative(HOST, "br0") + self.tentative("web", "eth0"))

    def test_deleted_while_it_waits(self):
        """While it waits, nothing is reported missing, but it may not disappear either."""
        path = self.spec(EMPTY_BRIDGE)
        d = self.daemon(path).ready()
        with d.expects(r"drift: host/br0: address fd00:1::1/64 was removed; restored"):
            lab.ip(HOST, "addr del fd00:1::1/64 dev br0")
        self.assertEqual(3, self.status()["waiting"])
        d.stop()


class Source(Waiting):
    def test_address_that_cannot_be_made(self):
        """A route with it waits only for a detection that is running: the address is what fails."""
        lab.ip(HOST, "link add x0 mtu 1200 type vxlan id 5 dstport 4789")
        path = self.spec("""\
namespaces:
  host:
    interfaces: {x0: {kind: existing, addresses: ["fd00:1::1/64"]}}
    routes: [{to: "fd10::/64", dev: x0, src: "fd00:1::1"}]
""")
        done = self.topod("apply", path, expect=1)
        self.assertIn("host/x0: address fd00:1::1/64 cannot be made", done.stderr)
        self.assertNotIn("carrier", done.stderr)
        d = self.daemon(path)
        d.wait_line("failing: host/x0: address fd00:1::1/64")
        self.topod("reload", "office", expect=1)
        lab.ip(HOST, "link set x0 mtu 1500")
        self.wait_until(lambda: lab.route(HOST, "fd10::/64", family=6), "the route by the address", d)
        d.ready()
        d.stop()

    def test_address_that_another_has(self):
        lab.run("ip", "netns", "add", "rival")
        lab.veth(HOST, "x0", "rival", "eth0")
        lab.ip("rival", "addr add fd00:1::1/64 dev eth0 nodad")
        path = self.spec("""\
namespaces:
  host:
    interfaces: {x0: {kind: existing, addresses: ["fd00:1::1/64"]}}
    routes: [{to: "fd10::/64", dev: x0, src: "fd00:1::1"}]
""")
        done = self.topod("apply", path, expect=1)
        self.assertIn("duplicate address detection found another host with it", done.stderr)
        self.assertNotIn("route", done.stderr)


MOVED_IN = """\
namespaces:
  web:
    interfaces:
      wg0: {kind: existing, mtu: 1380, addresses: [10.9.0.2/24]}
      br0: {kind: bridge, addresses: [10.0.0.1/24]}
    routes:
      - {to: 10.10.0.0/16, via: 10.9.0.1}
      - {to: 10.11.0.0/16, dev: wg0}
    sysctl: {net.ipv4.conf.wg0.rp_filter: 2}
"""


class MovedIn(Waiting):
    def move_in(self, mtu=1500):
        lab.ip(HOST, f"link add wg0 mtu {mtu} type vxlan id 77 dstport 4789")
        lab.ip(HOST, "link set wg0 netns web")

    def complete(self):
        l = lab.link("web", "wg0")
        return l and (l["mtu"], "UP" in l["flags"], lab.addresses("web", "wg0")[:1]) == (1380, True, ["10.9.0.2/24"]) and \
            lab.route("web", "10.11.0.0/16") and lab.route("web", "10.10.0.0/16") and \
            lab.sysctl_get("web", "net.ipv4.conf.wg0.rp_filter") == "2"

    def test_comes_and_goes(self):
        path = self.spec(MOVED_IN)
        done = self.topod("apply", path)
        self.assertIn("1 interface waits to be moved in", done.stdout)
        d = self.daemon(path).ready()
        for mtu in (1500, 1420):
            self.assertIn("nothing to do\n", self.topod("plan", path).stdout)
            waits = {w["noun"] for w in self.status()["waits"]}
            self.assertLessEqual({"link", "address 10.9.0.2/24", "route 10.11.0.0/16 dev wg0"}, waits)
            with d.expects("arrived: web/wg0: link has come"):
                self.move_in(mtu)
            self.assertTrue(self.complete(), "what is declared of it is made before that is said")
            self.wait_until(lambda: self.status()["waiting"] == 0, "the end of the wait", d)
            # A change by hand: drift, as with other objects.
            with d.expects(r"drift: web/wg0: address 10.9.0.2/24 was removed; restored"):
                lab.ip("web", "addr del 10.9.0.2/24 dev wg0")
            with d.expects("gone: web/wg0: link is gone; it and objects that need it wait until somebody moves it in again"):
                lab.ip("web", "link del wg0")
            self.wait_until(lambda: self.status()["waiting"] > 0, "another wait", d)
            self.assertEqual("converged", self.status()["state"])
        self.assertEqual(["arrived", "gone"] * 2, [l.split(":")[0] for l in d.lines if l.startswith(("arrived", "gone"))])
        self.assertEqual([], [l for l in d.lines if "failing" in l or ("drift" in l and "10.9.0.2" not in l)])
        d.stop()
        self.topod("down", path)

    def test_gets_back_what_it_had(self):
        """The ledger records the interface that exists now."""
        path = self.spec(MOVED_IN)
        d = self.daemon(path).ready()
        for mtu in (1500, 1420):
            self.move_in(mtu)
            self.wait_until(self.complete, "what is declared of it", d)
            self.wait_until(lambda: self.status()["waiting"] == 0, "the end of the wait", d)
            if mtu == 1500:
                lab.ip("web", "link del wg0")
                self.wait_until(lambda: self.status()["waiting"] > 0, "another wait", d)
        with open(path, "w") as f:
            f.write("namespaces: {web: {interfaces: {wg0: {kind: existing}}}}\n")
        d.reload()
        self.assertEqual(1420, lab.link("web", "wg0")["mtu"])
        self.assertEqual([], [a for a in lab.addresses("web", "wg0") if "." in a])
        d.stop()

    def test_what_stands_on_it_elsewhere(self):
        path = self.spec("""\
namespaces:
  web: {interfaces: {wan: {kind: existing}}}
  db: {interfaces: {m0: {kind: macvlan, link: "web:wan", addresses: [10.9.0.3/24]}}}
""")
        d = self.daemon(path).ready()
        lab.ip(HOST, "link add wan type vxlan id 77 dstport 4789")
        lab.ip(HOST, "link set wan netns web")
        self.wait_until(lambda: "10.9.0.3/24" in lab.addresses("db", "m0"), "the macvlan on it", d)
        lab.ip("web", "link del wan")
        self.wait_until(lambda: self.status()["waiting"] == 3, "another wait", d)
        self.assertEqual([], [l for l in d.lines if "failing" in l or "drift" in l])
        d.stop()

    def test_slip(self):
        path = self.spec("namespaces: {web: {interfaces: {brr0: {kind: existing}, br0: {kind: bridge}}}}\n")
        done = self.topod("check", path)
        self.assertIn("did you mean 'br0'?", done.stdout + done.stderr)


if __name__ == "__main__":
    lab.main()
