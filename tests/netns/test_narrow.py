# SPDX-License-Identifier: GPL-2.0-or-later
"""
An event about one object makes the daemon scan that object and what depends on it, not the whole namespace; if more may have
happened, it scans more. The status counts both sorts of scans.
"""

import json

import lab
from lab import HOST, OFFICE, Case


class Narrow(Case):
    text = OFFICE
    name = "office"

    def setUp(self):
        super().setUp()
        self.path = self.spec(self.text, f"{self.name}.yaml")
        self.d = self.daemon(self.path).ready()
        self.wanted = self.settle(self.d)

    def tearDown(self):
        self.wait_for_state(self.wanted, self.d)
        self.d.stop()

    def counts(self):
        return json.loads(self.topod("status", "--json", self.name).stdout)["topologies"][0]

    def counts_at_rest(self):
        """Waits for the last events of the start: nothing was scanned for as long as a whole plan takes."""
        seen = [self.counts()]

        def at_rest():
            self.topod("plan", self.path)
            seen.append(self.counts())
            return all(seen[-1][name] == seen[-2][name] for name in ("looks", "narrow_looks"))
        self.wait_until(at_rest, "rest", self.d)
        return seen[-1]

    def restored(self, pattern, disturb, before=None):
        """disturb() makes drift that is restored. Returns how many full and narrow scans that took."""
        before = before or self.counts()
        with self.d.expects(pattern + ".*restored"):
            disturb()
        self.wait_until(lambda: self.topod("plan", self.path, expect=(0, 2)).returncode == 0, "an empty plan", self.d)
        after = self.counts()
        self.assertEqual("converged", after["state"])
        self.assertIsNone(self.d.find(r"^failing|the repair failed"))
        return after["looks"] - before["looks"], after["narrow_looks"] - before["narrow_looks"]

    def narrowly(self, pattern, disturb):
        whole, narrow = self.restored(pattern, disturb)
        self.assertEqual(0, whole, f"a whole namespace was looked at for /{pattern}/")
        self.assertGreaterEqual(narrow, 2, "once to see it, once to verify")


class Scope(Narrow):
    def test_one_thing(self):
        family = "inet topod-office"
        for pattern, disturb in (
            (r"web/eth0: address 10\.0\.0\.11/24", lambda: lab.ip("web", "addr del 10.0.0.11/24 dev eth0")),
            (r"web/eth0: address fd00:1::11/64", lambda: lab.ip("web", "addr del fd00:1::11/64 dev eth0")),
            (r"web: route default via 10", lambda: lab.ip("web", "route del default")),
            (r"web: route default.*fd00", lambda: lab.ip("web", "-6 route del default")),
            (r"web: route 10\.66\.0\.0/16", lambda: lab.ip("web", "route del blackhole 10.66.0.0/16")),
            (r"web: route 10\.77\.0\.0/16", lambda: lab.ip(
                "web", "route replace 10.77.0.0/16 via 10.0.0.12 metric 50 mtu 900")),
            (r"db: route 10\.88\.0\.0/16", lambda: lab.ip("db", "route replace 10.88.0.0/16 via 10.0.0.1")),
            (r"web/eth0: up", lambda: lab.ip("web", "link set eth0 down")),
            (r"web/eth0: mtu", lambda: lab.ip("web", "link set eth0 mtu 1300")),
            (r"host/c1: master", lambda: lab.ip(HOST, "link set c1 nomaster")),
            (r"host/c2: .*hairpin", lambda: lab.bridge(HOST, "link set dev c2 hairpin off")),
            (r"host/br0: ageing-time", lambda: lab.ip(HOST, "link set br0 type bridge ageing_time 20000")),
            (r"host: nftables table", lambda: lab.nft(HOST, "flush table", family)),
            (r"host: nftables table", lambda: lab.nft(HOST, "delete table", family)),
            (r"host: sysctl net\.ipv4\.ip_forward", lambda: lab.sysctl_set(HOST, "net.ipv4.ip_forward", 0)),
            (r"web: sysctl .*rp_filter", lambda: lab.sysctl_set("web", "net.ipv4.conf.eth0.rp_filter", 1)),
        ):
            with self.subTest(pattern):
                self.narrowly("drift: " + pattern, disturb)

    def test_a_table_behind_others(self):
        """The messages of a transaction come in one datagram, for any tables; only its beginning is read."""
        for n in (1, 30):
            others = [f"table inet operator{i}" for i in range(n)]
            self.narrowly(r"drift: host: nftables table", lambda: lab.nft(HOST, " ; ".join(
                ["add " + o for o in others] + ["flush chain inet topod-office postrouting"])))
            for other in others:
                lab.nft(HOST, "delete " + other)

    def test_the_resolver_file(self):
        def change():
            with open("/etc/netns/web/resolv.conf", "w") as f:
                f.write("nameserver 192.0.2.66\n")
        self.narrowly(r"drift: web: file", change)

    def test_what_is_lost_silently(self):
        """A link that goes down loses its IPv4 routes, and so does one that loses its last address, without an event."""
        self.narrowly(r"drift: db/side: up", lambda: lab.ip("db", "link set side down"))
        self.assertEqual(2, len(lab.route("db", "10.88.0.0/16")["nexthops"]))
        self.narrowly(r"drift: db/eth0: address", lambda: lab.ip("db", "addr flush dev eth0 scope global"))
        self.assertIsNotNone(lab.route("db", "default"))

    def test_both_ends_of_a_pair(self):
        self.narrowly(r"drift: (web/eth0|host/c1): link", lambda: lab.ip(HOST, "link del c1"))
        lab.pings("web", "203.0.113.1")
        self.narrowly(r"drift: (db|lone)/side: link", lambda: lab.ip("db", "link del side"))
        lab.pings("db", "10.8.0.1")

    def test_an_end_renamed(self):
        """With its new name, our link is found only by a full scan."""
        whole, _ = self.restored(r"drift: (web/eth0|host/c1): ", lambda: lab.ip("web", "link set eth0 down name eth7"))
        self.assertGreaterEqual(whole, 1)
        lab.pings("web", "203.0.113.1")

    def test_a_bridge_with_its_ports(self):
        self.narrowly(r"drift: host/br0: bridge", lambda: lab.ip(HOST, "link del br0"))
        lab.pings("web", "10.0.0.12")

    def test_a_namespace_is_looked_at_whole(self):
        """It is held: the loss of the name is seen from the name alone, and the contents are scanned when the name is back."""
        whole, _ = self.restored(r"drift: lone: ", lambda: lab.run("ip", "netns", "delete", "lone"))
        self.assertGreaterEqual(whole, 1)

    def test_a_namespace_made_anew_is_looked_at_whole(self):
        """A namespace whose name another one has taken is no longer held: one scan to see what is missing, one to verify."""
        self.d.process.send_signal(lab.signal.SIGSTOP)
        with self.d.expects("lone: namespace was replaced by another"):
            lab.run("ip", "netns", "delete", "lone")
            lab.run("ip", "netns", "add", "lone")
            self.d.process.send_signal(lab.signal.SIGCONT)
        before = self.counts()
        with self.d.expects("recovered: lone: namespace"):
            lab.run("ip", "netns", "delete", "lone")
        self.wait_until(lambda: self.topod("plan", self.path, expect=(0, 2)).returncode == 0, "an empty plan", self.d)
        self.assertGreaterEqual(self.counts()["looks"] - before["looks"], 2)

    def test_an_index_taken_by_others(self):
        """topod chooses the index of the new end, and the next one is taken already."""
        for i in range(5):
            lab.ip("lone", f"link add name op{i} address 0e:00:00:00:01:0{i} type bridge")
        self.wanted = self.settle(self.d)
        self.narrowly(r"drift: (db|lone)/side: link", lambda: lab.ip("lone", "link del side"))


class Undeclared(Narrow):
    def quiet(self):
        """The end of duplicate address detection causes an event too, some time after the address was added."""
        return not any(a.get("tentative") for ns in lab.namespaces() for l in lab.ip_json(ns, "addr show")
                       for a in l["addr_info"])

    def test_costs_no_look(self):
        self.wait_until(self.quiet, "an end of duplicate detection", self.d)
        before = self.counts()
        lab.veth("web", "tap", "lone", "tap", "198.51.100.1/24")
        for i in range(10):
            lab.ip("web", f"route add 198.51.101.{i}/32 via 198.51.100.2")
            lab.ip("web", f"link set tap mtu {1200 + i}")
            lab.ip("web", f"addr add 198.51.102.{i}/32 dev tap")
            lab.nft("host", f"add table inet operator{i}")
            lab.nft("host", f"add chain inet operator{i} forward")
            lab.nft("host", f"delete table inet operator{i}")
        lab.ip("web", "link del tap")
        for cost in (*range(10, 30), 2):
            lab.bridge(HOST, f"link set dev c1 cost {cost}")
        # The daemon has read all these events when it answers this: sockets are emptied before a pass.
        with self.d.expects(r"drift: web: route 10\.66\.0\.0/16"):
            lab.ip("web", "route del blackhole 10.66.0.0/16")
        self.wait_for_state(self.wanted, self.d)
        after = self.counts()
        self.assertEqual(before["looks"], after["looks"])
        # The route, scanned and verified, and late events of the links that were just made.
        self.assertLess(after["looked_for"] - before["looked_for"], 20)


class Above(Narrow):
    """Links on a link of another namespace disappear with it."""

    name = "stack"
    text = """\
topology: stack
namespaces:
  under:
    interfaces:
      wire: {addresses: [192.0.2.1/24]}
  over:
    interfaces:
      mv: {kind: macvlan, link: "under:wire", mode: bridge, addresses: [10.1.0.1/24]}
    routes:
      - {to: 10.9.0.0/16, via: 10.1.0.9}
  far: {}
links: [[under:wire, far:wire]]
"""

    def test_the_parent_deleted(self):
        self.narrowly(r"drift: (under|far)/wire: link", lambda: lab.ip("far", "link del wire"))
        self.assertIn("10.1.0.1/24", lab.addresses("over", "mv"))


class Silent(Narrow):
    """A link that stays up may affect others too: with its MTU the kernel changes that of IPv6 routes, without an event."""

    name = "silent"
    text = """\
topology: silent
namespaces:
  box:
    interfaces:
      wire: {mtu: 1500, addresses: ["fd00:9::1/64"]}
    routes:
      - {to: "fd00:99::/64", via: "fd00:9::2", mtu: 1400}
  far: {}
links: [[box:wire, far:wire]]
"""

    def test_with_a_link_that_stays_up(self):
        self.narrowly(r"drift: box/wire: mtu", lambda: lab.ip("box", "link set wire mtu 1300"))
        self.assertEqual([{"mtu": 1400}], lab.route("box", "fd00:99::/64", 6)["metrics"])


class Storm(Narrow):
    N = 200
    name = "storm"
    text = "topology: storm\nnamespaces:\n  box:\n    interfaces:\n      br0:\n        kind: bridge\n        ports:\n" + \
        "".join(f"          - p{i}\n" for i in range(N)) + "  hosts: {}\nlinks:\n" + \
        "".join(f"  - [box:p{i}, hosts:e{i}]\n" for i in range(N))

    def test_many_at_once_are_looked_at_at_once(self):
        before = self.counts()
        self.d.process.send_signal(lab.signal.SIGSTOP)
        for i in range(self.N):
            lab.ip("box", f"link set p{i} nomaster")
        # Not each of so many has its own line; which ones do depends on the order of events.
        whole, _ = self.restored(r"drift: box/p\d+: master",
                                 lambda: self.d.process.send_signal(lab.signal.SIGCONT), before)
        self.assertGreaterEqual(whole, 1)


class Exclusive(Narrow):
    name = "only"
    text = """\
topology: only
namespaces:
  box:
    exclusive: true
    interfaces:
      wire: {addresses: [192.0.2.1/24]}
  far: {}
links: [[box:wire, far:wire]]
"""

    def test_what_is_added_is_pruned(self):
        with self.d.expects(r"drift: box/wire: address 192\.0\.2\.66/24 was added"):
            lab.ip("box", "addr add 192.0.2.66/24 dev wire")


class Reload(Narrow):
    def test_one_attribute(self):
        """Only the namespace whose part of the file has changed is scanned: once to compare, once to verify."""
        self.settle(self.d, usable=True)
        before = self.counts_at_rest()
        self.spec(lab.edit(self.text, ("        mtu: 1400\n", "        mtu: 1380\n")), "office.yaml")
        self.d.reload()
        after = self.counts()
        self.assertEqual(1380, lab.link("web", "eth0")["mtu"])
        self.assertEqual(2, after["looks"] - before["looks"])
        # Usually none. Events of the change that arrive after its answer cause narrow scans.
        self.assertLessEqual(after["narrow_looks"] - before["narrow_looks"], 2)
        self.d.wait_line(r"converged: 1 change, verified")  # exactly one request
        self.wanted = self.settle(self.d)


if __name__ == "__main__":
    lab.main()
