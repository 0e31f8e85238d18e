# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that the kernel adds for a declared one belong to it: they are restored with it, and declaring them too
changes nothing."""

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
    """Entries of declared addresses."""
    return sorted((r["dst"], r["dev"], r.get("prefsrc"), r.get("metric")) for family in (4, 6)
                  for r in lab.ip_json(ns, f"-{family} route show table local type local")
                  if r["dev"] != "lo" and not r["dst"].startswith("fe80:"))

def entries(ns, name):
    """What the kernel added for one interface to the table `local`, and fe80::/64."""
    found = [r for family in (4, 6) for r in lab.ip_json(ns, f"-{family} route show table local dev {name}")]
    found += [r for r in lab.ip_json(ns, f"-6 route show dev {name}") if r["dst"] == "fe80::/64"]
    return sorted((r["type"], r["dst"], r["protocol"], r.get("scope"), r.get("prefsrc"), r.get("metric")) for r in found)


class KernelMade(Case):
    def start(self, text):
        self.path = self.spec(text)
        d = self.daemon(self.path).ready()
        self.settle(d)
        return d

    def test_flushed_link(self):
        """The README's example: the link-local address disappears with the others, and IPv6 does not work without it."""
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
        """If no IPv6 is declared, or IPv6 is off, nothing is missing."""
        path = self.spec(PAIR.replace("MODE", "none").replace(', "fd00:1::11/64"', ""))
        self.topod("apply", path)
        lab.sysctl_set("web", "net.ipv6.conf.eth0.disable_ipv6", 1)
        self.assertEqual([], link_local("db", "eth0") + link_local("web", "eth0"))
        self.topod("plan", path)

    def test_none_again(self):
        """Below an MTU of 1280 there is no IPv6; afterwards the kernel adds addresses in its own mode."""
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

    def test_loopback_given_back(self):
        """Fields that are no longer declared for lo go back to the kernel's defaults for lo, not for other interfaces."""
        text = "namespaces: {web: {interfaces: {lo: {mtu: 1400, multicast: true}}}}\n"
        d = self.start(text)
        self.assertEqual(1400, lab.link("web", "lo")["mtu"])
        self.assertIn("MULTICAST", lab.link("web", "lo")["flags"])
        self.spec("namespaces: {web: {}}\n")
        d.reload()
        self.assertEqual(65536, lab.link("web", "lo")["mtu"])
        self.assertNotIn("MULTICAST", lab.link("web", "lo")["flags"])
        d.stop()

    def test_local_entry(self):
        """Without it the address exists, and the host does not answer."""
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
        # The kernel deletes them with the addresses, like those that it added itself.
        lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        lab.ip("web", "addr del fd00:1::11/64 dev eth0")
        self.assertEqual([e for e in before if "11" not in e[0]], local_entries("web"))

    def test_local_entry_with_other_values(self):
        """The kernel's own routes cannot be taken over; the message says what to write."""
        for route in ("to: 10.0.0.1, dev: br0, table: local", "to: 10.0.0.255, dev: br0, table: local, type: local"):
            path = self.spec("namespaces: {web: {interfaces: {br0: {kind: bridge, addresses: [10.0.0.1/24]}}, "
                             f"routes: [{{{route}}}]}}}}\n")
            said = self.topod("apply", path, expect=1).stderr
            self.assertIn("exists and is the kernel's own, with other values: leave this route out", said)
            self.assertNotIn("adopt", said)

    def test_local_entry_of_a_secondary(self):
        """The kernel's entry has the primary address as its source, and only so is deleted with the address."""
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
        """fe80::/64 belongs to the link; each link has its own, with the same identity."""
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
        """With IPv6 there is a route to an address of length 128, and one to a peer."""
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
        """Nothing is missing on a link that is down."""
        path = self.spec(PAIR.replace("MODE", "eui64").replace("eth0: {", "eth0: {up: false, "))
        self.topod("apply", path)
        lab.ip("web", "route flush table local dev eth0")
        self.topod("plan", path)

    def usable(self, d):
        """Waits until duplicate address detection is over: only then do all entries exist."""
        self.settle(d, usable=True)

    def comes_back(self, d, ns, name, words, line):
        """What `words` removes is reported as drift, and then everything is as the kernel made it."""
        before = entries(ns, name)
        with self.subTest(words):
            with d.expects(rf"drift: {ns}/{name}: {line} was removed; restored"):
                lab.ip(ns, words)
            self.wait_until(lambda: entries(ns, name) == before, "the entries", d)

    def misses(self, path, ns, name, words, part):
        """Also while no daemon runs."""
        before = entries(ns, name)
        with self.subTest(words):
            lab.ip(ns, words)
            self.assertIn(part, self.topod("plan", path, expect=2).stdout)
            self.topod("apply", path)
            self.wait_until(lambda: entries(ns, name) == before, "the entries")
            self.topod("plan", path)

    def test_all_entries(self):
        """The address's own entry comes first: the kernel refuses the others without it."""
        path = self.spec(PAIR.replace("MODE", "eui64"))
        self.topod("apply", path)

        def routes():
            return sorted((r["type"], r["dst"], r.get("prefsrc")) for table in ("local", "main")
                          for r in lab.ip_json("web", f"-4 route show table {table} dev eth0"))
        before = routes()
        for tables in (["local"], ["main", "local"]):
            for table in tables:
                lab.ip("web", f"-4 route flush table {table} dev eth0")
            self.assertNotEqual(before, routes())
            self.topod("apply", path)
            self.assertEqual(before, routes(), tables)

    def test_entries_of_link_local(self):
        """The entry of its address, and ff00::/8, without which no multicast is sent."""
        d = self.start(PAIR.replace("MODE", "eui64"))
        self.usable(d)
        own = link_local("web", "eth0")[0]
        words = (f"-6 route del local {own} dev eth0 table local", "-6 route del multicast ff00::/8 dev eth0 table local")
        for w in words:
            self.comes_back(d, "web", "eth0", w, r".*link-local.*")
        self.assertEqual([own], link_local("web", "eth0"))
        self.topod("plan", self.path)
        d.stop()
        for w in words:
            self.misses(self.path, "web", "eth0", w, "link-local")

    def test_multicast_without_link_local(self):
        """ff00::/8 is added even for an interface without a link-local address."""
        d = self.daemon(self.spec(PAIR.replace("MODE", "none"))).ready()
        self.wait_until(lambda: any(e[1] == "ff00::/8" for e in entries("db", "eth0")), "ff00::/8", d)
        self.comes_back(d, "db", "eth0", "-6 route del multicast ff00::/8 dev eth0 table local", ".*")
        self.assertEqual([], link_local("db", "eth0"))
        d.stop()

    def test_broadcast(self):
        path = self.spec("""\
namespaces:
  web:
    interfaces:
      br0:
        kind: bridge
        addresses: [10.0.0.1/24, {address: 10.0.0.2/24, broadcast: 10.0.0.77}, {address: 10.1.0.1/24, noprefixroute: true},
                    10.2.0.1/31, 10.3.0.1/32, {address: 10.4.0.1, peer: 10.4.5.6/24}]
""")
        d = self.daemon(path).ready()
        for address, to in (("10.0.0.1/24", "10.0.0.255"), ("10.0.0.2/24", "10.0.0.77"), ("10.1.0.1/24", "10.1.0.255"),
                            ("10.4.0.1 peer 10.4.5.6/24", "10.4.5.255")):
            self.comes_back(d, "web", "br0", f"route del broadcast {to} dev br0 table local",
                            f"address {address}: its entry in the table local")
        self.topod("plan", path)
        d.stop()
        self.misses(path, "web", "br0", "route del broadcast 10.0.0.77 dev br0 table local", "its entry in the table local")
        # They are deleted with the addresses, like the kernel's.
        for address in ("10.0.0.2/24", "10.1.0.1/24", "10.2.0.1/31", "10.3.0.1/32", "10.4.0.1 peer 10.4.5.6/24",
                        "10.0.0.1/24"):
            lab.ip("web", f"addr del {address} dev br0")
        self.assertEqual([], [e for e in entries("web", "br0") if ":" not in e[1]])

    def test_entries_of_loopback(self):
        """The addresses of lo, which no file declares."""
        d = self.start(PAIR.replace("MODE", "eui64"))
        words = ("route del local 127.0.0.1 dev lo table local", "route del local 127.0.0.0/8 dev lo table local",
                 "route del broadcast 127.255.255.255 dev lo table local", "-6 route del local ::1 dev lo table local")
        for w in words:
            self.comes_back(d, "web", "lo", w, ".*loopback.*")
        lab.ip("web", "route flush table local dev lo")
        self.wait_until(lambda: len(entries("web", "lo")) == 4, "the entries", d)
        self.topod("plan", self.path)
        d.stop()
        for w in words:
            self.misses(self.path, "web", "lo", w, "loopback")

    def test_declared_on_loopback(self):
        """For an address on lo the kernel adds a local route to the whole prefix."""
        path = self.spec('namespaces: {web: {interfaces: {lo: {addresses: [10.9.0.1/24, "fd00:9::1/64"]}}}}\n')
        d = self.daemon(path).ready()
        self.usable(d)
        for to in ("local 10.9.0.0/24", "broadcast 10.9.0.255", "local 10.9.0.1"):
            self.comes_back(d, "web", "lo", f"route del {to} dev lo table local", r"address 10\.9\.0\.1/24: its entry.*")
        with d.expects("drift: web/lo: address fd00:9::1/64: .*"):
            lab.ip("web", "-6 route del fd00:9::/64 dev lo")
        self.wait_until(lambda: lab.route("web", "fd00:9::/64", family=6), "the route", d)
        d.stop()

    def test_loopback_without_ipv6(self):
        """Its IPv4 entries return; ::1 is not requested, because the kernel would refuse it."""
        path = self.spec("namespaces: {web: {sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}}\n")
        d = self.daemon(path).ready()
        before = entries("web", "lo")
        with d.expects("drift: web/lo: .*loopback.* was removed; restored"):
            lab.ip("web", "-4 route flush table local dev lo")
        self.assertEqual(before, entries("web", "lo"))
        self.topod("plan", path)
        self.assertIsNone(d.find("failed"), d.lines)
        d.stop()

    def test_flushed_loopback(self):
        """One flush is not contention, and restored objects are as before."""
        d = self.start(PAIR.replace("MODE", "eui64"))
        def all_of_lo():
            return (lab.ip_json("web", "addr show dev lo")[0]["addr_info"], lab.ip_json("web", "-6 route show dev lo"),
                    entries("web", "lo"))
        before = all_of_lo()
        since = len(d.lines)
        lab.ip("web", "addr flush dev lo")
        self.wait_until(lambda: all_of_lo() == before, "lo as it was", d)
        d.drain()
        self.assertIsNone(d.find("backed off", since), d.lines)
        self.topod("plan", self.path)
        d.stop()

    def test_nodad(self):
        """Without detection nothing shows when the kernel has added its entry; a missing one is still noticed."""
        path = self.spec("""\
namespaces:
  web:
    interfaces:
      eth0: {addresses: [{address: "fd00:1::11/64", nodad: true}, {address: "fd00:2::11", peer: "fd00:2::12/128", nodad: true}]}
  db: {}
links: [[web:eth0, db:eth0]]
""")
        d = self.daemon(path).ready()
        self.usable(d)
        self.assertIsNone(d.find("drift"), d.lines)  # and nothing was reported missing while the kernel was adding it
        with d.expects("drift: web/eth0: address fd00:2::11.*: .* was removed; restored"):
            lab.ip("web", "-6 route del fd00:2::12 dev eth0")
        self.wait_until(lambda: lab.route("web", "fd00:2::12", family=6), "the route to the peer", d)
        for address in ("fd00:1::11", "fd00:2::11"):
            self.comes_back(d, "web", "eth0", f"-6 route del local {address} dev eth0 table local",
                            f"address {address}.*: its entry in the table local")
        self.topod("plan", path)
        d.stop()
        # Also while no daemon runs, after the time in which the kernel must have added it.
        lab.ip("web", "-6 route del local fd00:1::11 dev eth0 table local")
        self.wait_until(lambda: self.topod("plan", path, expect=(0, 2)).returncode == 2, "a difference")
        self.topod("apply", path)
        lab.pings("web", "fd00:1::11")
        self.topod("plan", path)

    def test_declared_local_entry(self):
        """A declared route that the kernel also adds is restored as the kernel adds it."""
        path = self.spec("""\
namespaces:
  web:
    interfaces:
      br0: {kind: bridge, addresses: [10.0.0.1/24]}
    routes:
      - {to: 127.0.0.1/32, type: local, table: local, dev: lo}
      - {to: 10.0.0.1/32, type: local, table: local, dev: br0}
      - {to: 10.0.0.0/24, dev: br0}
""")
        d = self.daemon(path).ready()
        def routes():
            return [{k: v for k, v in r.items() if k != "flags"} for r in lab.routes("web", table="all")]
        for words in ("route del local 127.0.0.1 dev lo table local", "route del local 10.0.0.1 dev br0 table local",
                      "route del 10.0.0.0/24 dev br0"):
            with self.subTest(words):
                before = routes()
                with d.expects("drift: web.* was removed; restored"):
                    lab.ip("web", words)
                self.wait_until(lambda: routes() == before, lambda: f"the former routes: {routes()}", d)
        self.topod("plan", path)
        d.stop()
        self.topod("down", path)

    def test_declared(self):
        """Declaring the addresses of lo, or a connected route, declares what exists already."""
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
