# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel makes of a declared thing belongs to it: it is missed and made again with it, and to declare it is to
declare what is there."""

import lab
from lab import HOST, Case

PAIR = """\
namespaces:
  web: {interfaces: {eth0: {addresses: [10.0.0.11/24, "fd00:1::11/64"]}}}
  db: {interfaces: {eth0: {addresses: [10.0.0.12/24], ipv6-address-generation: MODE}}}
links: [[web:eth0, db:eth0]]
"""


def link_local(ns, name):
    return [a["local"] for l in lab.ip_json(ns, f"addr show dev {name}") for a in l["addr_info"]
            if a["family"] == "inet6" and a["scope"] == "link"]


def local_entries(ns):
    """Those of addresses that are declared."""
    return sorted((r["dst"], r["dev"], r.get("prefsrc"), r.get("metric")) for family in (4, 6)
                  for r in lab.ip_json(ns, f"-{family} route show table local type local")
                  if r["dev"] != "lo" and not r["dst"].startswith("fe80:"))


class KernelMade(Case):
    def start(self, text):
        self.path = self.spec(text)
        d = self.daemon(self.path).ready()
        self.settle(d)
        return d

    def test_flushed_link(self):
        """The README's own example: with the addresses goes the link-local one, without which IPv6 is dead."""
        d = self.start(PAIR.replace("MODE", "eui64"))
        before = link_local("web", "eth0")
        with d.expects(r"drift: web/eth0: address 10\.0\.0\.11/24 was removed; restored"):
            lab.ip("web", "addr flush dev eth0")
        self.wait_until(lambda: link_local("web", "eth0") == before, "the link-local address", d)
        self.wait_until(lambda: lab.route("web", "fe80::/64", family=6), "its route", d)
        self.topod("plan", self.path)
        d.stop()
        # Also while no daemon runs.
        lab.ip("db", "-6 addr flush dev eth0")
        self.assertIn("link-local", self.topod("plan", self.path, expect=2).stdout)
        self.topod("apply", self.path)
        self.assertEqual(1, len(link_local("db", "eth0")))
        self.topod("plan", self.path)

    def test_generated_otherwise(self):
        """Only the kernel knows which address follows from the mode."""
        d = self.start(PAIR.replace("MODE", "random"))
        self.assertEqual(1, len(link_local("db", "eth0")))
        with d.expects(r"drift: db/eth0: .*link-local.* was removed; restored"):
            lab.ip("db", "-6 addr flush dev eth0 scope link")
        self.wait_until(lambda: len(link_local("db", "eth0")) == 1, "another one", d)
        self.assertEqual("3", lab.sysctl_get("db", "net.ipv6.conf.eth0.addr_gen_mode"))
        d.stop()

    def test_none(self):
        """Where none is declared, none is missed; nor where IPv6 is off."""
        path = self.spec(PAIR.replace("MODE", "none").replace(', "fd00:1::11/64"', ""))
        self.topod("apply", path)
        lab.sysctl_set("web", "net.ipv6.conf.eth0.disable_ipv6", 1)
        self.assertEqual([], link_local("db", "eth0") + link_local("web", "eth0"))
        self.topod("plan", path)

    def test_none_again(self):
        """Below 1280 there is no IPv6; what comes with it again was made by the kernel's own mode."""
        path = self.spec(PAIR.replace("MODE", "none, mtu: 1400").replace(', "fd00:1::11/64"', ""))
        d = self.daemon(path).ready()
        with d.expects(r"drift: db/eth0: .*mtu was changed"):
            lab.ip("db", "link set eth0 mtu 1200")
        self.wait_until(lambda: lab.sysctl_get("db", "net.ipv6.conf.eth0.addr_gen_mode") == "1", "the mode", d)
        self.wait_until(lambda: link_local("db", "eth0") == [], "the end of the kernel's address", d)
        self.topod("plan", path)
        d.stop()

    def test_loopback(self):
        d = self.start(PAIR.replace("MODE", "eui64"))
        for words in ("addr del 127.0.0.1/8 dev lo", "addr del ::1/128 dev lo", "addr flush dev lo"):
            with self.subTest(words):
                lab.ip("web", words)
                self.wait_until(lambda: lab.addresses("web", "lo") == ["127.0.0.1/8", "::1/128"], "lo's addresses", d)
        self.topod("plan", self.path)
        d.stop()

    def test_local_entry(self):
        """Without it the address is there, and the host does not answer."""
        d = self.start(PAIR.replace("MODE", "eui64"))
        lab.pings("db", "10.0.0.11")
        before = local_entries("web")
        for words, address in (("route del local 10.0.0.11 dev eth0 table local", "10.0.0.11"),
                               ("-6 route del local fd00:1::11 dev eth0 table local", "fd00:1::11")):
            with self.subTest(words):
                with d.expects(rf"drift: web/eth0: address {address}/\d+: its entry in the table local was removed; restored"):
                    lab.ip("web", words)
                self.wait_until(lambda: local_entries("web") == before, "the entry", d)
                self.settle(d)
                lab.pings("web", address)
        self.topod("plan", self.path)
        d.stop()
        # Also while no daemon runs.
        lab.ip("web", "route del local 10.0.0.11 dev eth0 table local")
        lab.ip("web", "-6 route del local fd00:1::11 dev eth0 table local")
        plan = self.topod("plan", self.path, expect=2).stdout
        self.assertEqual(2, plan.count("its entry in the table local"), plan)
        self.topod("apply", self.path)
        self.assertEqual(before, local_entries("web"))
        self.topod("plan", self.path)
        # The kernel takes them along with the addresses, as it does its own.
        lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        lab.ip("web", "addr del fd00:1::11/64 dev eth0")
        self.assertEqual([e for e in before if "11" not in e[0]], local_entries("web"))

    def test_local_entry_of_a_secondary(self):
        """The kernel's entry has the primary address as its source, and goes with the address only so."""
        path = self.spec("namespaces: {web: {interfaces: {br0: {kind: bridge, addresses: [10.0.0.1/24, 10.0.0.2/24]}}}}\n")
        d = self.daemon(path).ready()
        before = local_entries("web")
        lab.ip("web", "route del local 10.0.0.2 dev br0 table local")
        self.wait_until(lambda: local_entries("web") == before, "the entry", d)
        self.settle(d)
        d.stop()
        lab.ip("web", "addr del 10.0.0.2/24 dev br0")
        self.assertEqual([e for e in before if e[0] != "10.0.0.2"], local_entries("web"))

    def test_network_of_link_local(self):
        """fe80::/64 belongs to the link; each has its own, of one identity."""
        d = self.start(PAIR.replace("MODE", "random"))
        before = link_local("web", "eth0")
        with d.expects(r"drift: web/eth0: .*link-local.* was removed; restored"):
            lab.ip("web", "-6 route del fe80::/64 dev eth0")
        self.wait_until(lambda: lab.route("web", "fe80::/64", family=6), "the route", d)
        self.assertEqual(before, link_local("web", "eth0"))
        d.stop()
        lab.ip("web", "-6 route del fe80::/64 dev eth0")
        self.topod("plan", self.path, expect=2)
        self.topod("apply", self.path)
        self.assertEqual("kernel", lab.route("web", "fe80::/64", family=6)["protocol"])
        self.topod("plan", self.path)

    def test_one_of_several(self):
        path = self.spec("""\
namespaces: {web: {}, db: {}}
links: [[web:a, db:a], [web:b, db:b]]
""")
        self.topod("apply", path)
        lab.ip("web", "-6 route del fe80::/64 dev b")
        self.topod("plan", path, expect=2)
        self.topod("apply", path)
        self.assertEqual({"a", "b"}, {r["dev"] for r in lab.routes("web", family=6) if r["dst"] == "fe80::/64"})
        self.topod("plan", path)

    def test_connected_of_one_host(self):
        """IPv6 has a route to an address of length 128 and one to a peer."""
        path = self.spec("""\
namespaces:
  web:
    interfaces:
      eth0: {addresses: ["fd00:1::11/128", {address: "fd00:2::11", peer: "fd00:2::12/128"}]}
  db: {}
links: [[web:eth0, db:eth0]]
""")
        d = self.daemon(path).ready()
        self.settle(d)
        for to in ("fd00:1::11", "fd00:2::11", "fd00:2::12"):
            with self.subTest(to):
                lab.ip("web", f"-6 route del {to} dev eth0")
                self.wait_until(lambda: lab.route("web", to, family=6), "the route", d)
                self.settle(d)
        self.topod("plan", path)
        d.stop()
        self.topod("down", path)

    def test_down(self):
        """Of a link that is down nothing is missed."""
        path = self.spec(PAIR.replace("MODE", "eui64").replace("eth0: {", "eth0: {up: false, "))
        self.topod("apply", path)
        lab.ip("web", "route flush table local dev eth0")
        self.topod("plan", path)

    def test_declared(self):
        """lo's addresses, and the route that comes with an address: that is what is there."""
        path = self.spec("""\
namespaces:
  web:
    interfaces:
      lo: {addresses: [127.0.0.1/8, "::1/128"]}
      br0: {kind: bridge, addresses: [10.0.0.1/24]}
    routes: [{to: 10.0.0.0/24, dev: br0}]
""")
        self.topod("apply", path)
        self.topod("plan", path)
        self.topod("apply", path)
        self.assertEqual("kernel", lab.route("web", "10.0.0.0/24")["protocol"])
        d = self.daemon(path).ready()
        lab.ip("web", "route del 10.0.0.0/24 dev br0")
        self.wait_until(lambda: lab.route("web", "10.0.0.0/24"), "the route", d)
        lab.ip("web", "addr del 127.0.0.1/8 dev lo")
        self.wait_until(lambda: "127.0.0.1/8" in lab.addresses("web", "lo"), "lo's address", d)
        self.topod("plan", path)
        d.stop()
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
