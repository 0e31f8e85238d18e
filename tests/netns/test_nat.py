# SPDX-License-Identifier: GPL-2.0-or-later
"""Address translation with real traffic: what each key of an entry does, as seen in the client's address at the server."""

import contextlib

import lab
from lab import HOST, Case

SPEC = """\
namespaces:
  gw:
    forwarding: ipv4
    interfaces:
      lan: {kind: bridge, ports: [p1, p2], addresses: [10.0.0.1/24]}
      wan: {addresses: [203.0.113.1/24]}
      alt: {addresses: [198.51.100.1/24]}
    routes:
      - {to: default, via: 203.0.113.9}
      - {to: 192.0.2.9/32, via: 198.51.100.9, table: 100}
    rules: [{priority: 100, fwmark: 0x10/0xff, table: 100, family: ipv4}]
    nat:
NAT
  web:
    interfaces: {eth0: {addresses: [10.0.0.11/24]}}
    routes: [{to: default, via: 10.0.0.1}]
  pc:
    interfaces: {eth0: {addresses: [10.0.0.12/24]}}
    routes: [{to: default, via: 10.0.0.1}]
  outside:
    interfaces:
      eth0: {addresses: [203.0.113.9/24]}
      eth1: {addresses: [198.51.100.9/24]}
      lo: {addresses: [192.0.2.9/32]}
    routes: [{to: 10.0.0.0/15, via: 203.0.113.1}]
links: [[web:eth0, gw:p1], [pc:eth0, gw:p2], [outside:eth0, gw:wan], [outside:eth1, gw:alt]]
"""


def spec_of(*entries):
    return SPEC.replace("NAT", "\n".join(f"      - {{{e}}}" for e in entries))


def peer(client, address, port, server, listen="0.0.0.0", listen_port=None):
    """The client's address as the server sees it."""
    with lab.Connection(client, address, port, server, listen, listen_port) as connection:
        connection.say(b"through the translation")
        return connection.peer[0]


def table(ns="gw"):
    return lab.nft(ns, "list ruleset").stdout


class Nat(Case):
    def apply(self, *entries):
        path = self.spec(spec_of(*entries))
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def test_netmap(self):
        """Each host of the LAN has its own outside address, and can be reached by it."""
        path = self.apply("action: netmap, source: 10.0.0.0/24, out: wan, to: 10.1.0.0/24",
                          "action: netmap, destination: 10.1.0.0/24, in: wan, to: 10.0.0.0/24")
        self.assertEqual("10.1.0.11", peer("web", "203.0.113.9", 80, "outside"))
        self.assertEqual("10.1.0.12", peer("pc", "203.0.113.9", 80, "outside"))
        self.assertEqual("203.0.113.9", peer("outside", "10.1.0.11", 80, "web"))
        # The namespace's own connections.
        path = self.apply("action: netmap, destination: 10.50.0.0/24, hook: output, to: 10.0.0.0/24")
        self.assertEqual("203.0.113.1", peer("gw", "10.50.0.11", 80, "web"))
        self.topod("down", path)

    def test_hairpin(self):
        """The LAN's hosts use the public address as those outside do; the answers come back through the gateway."""
        publish = "action: dnat, in: wan, protocol: tcp, port: 80, to: \"10.0.0.11:8080\""
        self.apply(publish)
        self.assertEqual("203.0.113.9", peer("outside", "203.0.113.1", 80, "web", listen_port=8080))
        with self.assertRaises(ConnectionRefusedError):
            peer("pc", "203.0.113.1", 80, "web", listen_port=8080)
        for hairpin in ("true", "lan"):
            self.apply(f"{publish}, hairpin: {hairpin}")
            self.assertEqual("203.0.113.9", peer("outside", "203.0.113.1", 80, "web", listen_port=8080))
            self.assertEqual("10.0.0.1", peer("pc", "203.0.113.1", 80, "web", listen_port=8080))
            with contextlib.suppress(FileNotFoundError):  # then the bridge does not translate, but the gateway itself
                lab.sysctl_set("gw", "net.bridge.bridge-nf-call-iptables", 0)
            self.assertEqual("10.0.0.1", peer("pc", "203.0.113.1", 80, "web", listen_port=8080))
            self.assertEqual("10.0.0.1", peer("web", "203.0.113.1", 80, "web", listen_port=8080))
            with contextlib.suppress(FileNotFoundError):
                lab.sysctl_set("gw", "net.bridge.bridge-nf-call-iptables", 1)
            # A port of somebody else is not touched, nor a connection within the LAN.
            self.assertEqual("10.0.0.12", peer("pc", "203.0.113.9", 80, "outside"))
            self.assertEqual("10.0.0.12", peer("pc", "10.0.0.11", 80, "web"))

    def test_output(self):
        self.apply("action: dnat, hook: output, destination: 192.0.2.7, protocol: tcp, port: 80, to: \"10.0.0.11:8080\"")
        self.assertEqual("203.0.113.1", peer("gw", "192.0.2.7", 80, "web", listen_port=8080))
        self.apply("action: redirect, hook: output, protocol: tcp, port: 81, to: \":8080\"")
        with lab.Connection("gw", "203.0.113.9", 81, "gw", "0.0.0.0", 8080) as connection:
            connection.say(b"redirected")

    def test_fwmark(self):
        """Only the marked connection is translated; the mark also chooses the way out, by the policy rule."""
        self.apply("action: snat, source: 10.0.0.0/24, fwmark: 0x10/0xff, to: 198.51.100.1",
                   "action: snat, source: 10.0.0.0/24, fwmark: not 0x10/0xff, to: 203.0.113.1")
        self.assertEqual("203.0.113.1", peer("pc", "203.0.113.9", 80, "outside"))
        self.assertEqual("203.0.113.1", peer("pc", "192.0.2.9", 80, "outside"))
        lab.nft("gw", "add table inet mine")
        lab.nft("gw", "add chain inet mine c { type filter hook prerouting priority -150 ; }")
        lab.nft("gw", "add rule inet mine c iifname lan meta mark set 0x110")
        lab.nft_count("outside", "iifname eth1 tcp dport 80")
        self.assertEqual("198.51.100.1", peer("pc", "192.0.2.9", 80, "outside"))
        self.assertGreater(lab.nft_counted("outside", "tcp dport 80"), 0)

    def test_flags(self):
        self.apply("action: masquerade, out: wan, random: true, persistent: true")
        self.assertIn("masquerade random,persistent", table())
        self.assertEqual("203.0.113.1", peer("pc", "203.0.113.9", 80, "outside"))

    ENTRIES = {
        "fwmark: 0x10": ("action: masquerade, out: wan, fwmark: 0x10", "0x10", "0x11/0xff"),
        "netmap": ("action: netmap, source: 10.0.0.0/24, out: wan, to: 10.1.0.0/24", "10.1.0.0", "10.2.0.0"),
        "random": ("action: masquerade, out: wan, random: true", "random", "persistent"),
        "persistent": ("action: snat, out: wan, to: 203.0.113.1-203.0.113.3, persistent: true", ", persistent: true", ""),
        "hook": ("action: redirect, protocol: tcp, port: 7, to: 8, hook: output", ", hook: output", ""),
        "hairpin": ("action: dnat, in: wan, protocol: tcp, port: 80, to: 10.0.0.11, hairpin: true", "true", "false"),
    }

    def test_changed_in_the_file(self):
        empty = self.spec(SPEC.replace("    nat:\nNAT\n", ""))
        self.topod("apply", empty)
        before = lab.snapshot()
        for name, (entry, old, new) in self.ENTRIES.items():
            with self.subTest(name):
                path = self.apply(entry)
                made = table()
                self.apply(entry.replace(old, new))
                self.assertNotEqual(made, table())
                self.apply(entry)
                self.assertEqual(made, table())
                self.topod("apply", self.spec(SPEC.replace("    nat:\nNAT\n", "")))
                self.same(lab.state_only(before), lab.state_only(lab.snapshot()))
        self.topod("down", path)

    CHANGES = ("delete rule inet topod-office postrouting handle H", "flush chain inet topod-office output",
               "insert rule inet topod-office prerouting accept", "delete table inet topod-office",
               "replace rule inet topod-office postrouting handle H masquerade",
               "chain inet topod-office postrouting { policy drop ; }", "flush table inet topod-office",
               "add rule inet topod-office postrouting masquerade")

    def by_hand(self, words):
        listed = lab.nft("gw", "-a list chain inet topod-office postrouting").stdout
        handle = next(l.rsplit(" ", 1)[1] for l in listed.splitlines() if "prefix to" in l)
        lab.nft("gw", words.replace("handle H", f"handle {handle}"))

    def test_changed_by_hand(self):
        path = self.spec(spec_of(*(entry for entry, _, _ in self.ENTRIES.values())))
        self.topod("apply", path)
        made = table()
        for words in self.CHANGES:
            with self.subTest(words):
                self.by_hand(words)
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.assertEqual(made, table())
        d = self.daemon(path).ready()
        for words in self.CHANGES[:3]:
            with d.expects(r"drift: gw: .*; restored"):
                self.by_hand(words)
            self.wait_until(lambda: table() == made, words, d)
        d.stop()
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())
        self.assertEqual("", table(HOST))


if __name__ == "__main__":
    lab.main()
