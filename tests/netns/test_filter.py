# SPDX-License-Identifier: GPL-2.0-or-later
"""Filters with real traffic: what each action and match does to connections and datagrams, and what a change of
the table keeps."""

import errno
import os
import socket

import lab
from lab import HOST, Case

SPEC = """\
namespaces:
  gw:
    forwarding: true
    interfaces:
      lan: {addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}
      wan: {addresses: [203.0.113.1/24, {address: "fd01::1/64", nodad: true}], mtu: 1300}
      alt: {addresses: [198.51.100.1/24]}
    routes:
      - {to: 192.0.2.9/32, via: 203.0.113.9}
      - {to: 192.0.2.9/32, via: 198.51.100.9, table: 100}
    rules: [{priority: 100, fwmark: 0x10/0xff, table: 100, family: ipv4}]
FILTER
  pc:
    interfaces: {eth0: {addresses: [10.0.0.12/24, {address: "fd00::12/64", nodad: true}]}}
    routes: [{to: default, via: 10.0.0.1}, {to: default, via: "fd00::1"}]
  outside:
    interfaces:
      eth0: {addresses: [203.0.113.9/24, {address: "fd01::9/64", nodad: true}]}
      eth1: {addresses: [198.51.100.9/24]}
      lo: {addresses: [192.0.2.9/32]}
    routes: [{to: 10.0.0.0/24, via: 203.0.113.1}, {to: "fd00::/64", via: "fd01::1"}]
links: [[pc:eth0, gw:lan], [outside:eth0, gw:wan], [outside:eth1, gw:alt]]
"""

ESTABLISHED = "{state: [established, related], action: accept}"
DISCOVERY = "{protocol: icmpv6, icmp-type: [nd-neighbor-solicit, nd-neighbor-advert], action: accept}"


def spec_of(**chains):
    """chain="policy rule rule …" with a list of texts, the first of which is the policy."""
    lines = ["    filter:"] if chains else []
    for name, (policy, *rules) in chains.items():
        lines += [f"      {name}:", f"        policy: {policy}", "        rules:" if rules else ""]
        lines += [f"          - {rule}" for rule in rules]
    return SPEC.replace("FILTER", "\n".join(line for line in lines if line))


def connects(client, address, port, server, error=None):
    """A connection that works, or fails at once with this error."""
    if not error:
        with lab.Connection(client, address, port, server, "::" if ":" in address else "0.0.0.0") as connection:
            connection.say(b"through the filter")
        return
    with lab.inside(client), socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as s:
        s.settimeout(lab.DEADLINE)
        found = s.connect_ex((address, port))
    assert found == error, f"{errno.errorcode.get(found, found)} instead of {errno.errorcode[error]}"


def table(ns="gw"):
    return lab.nft(ns, "list ruleset").stdout


def counted(words):
    return lab.nft_counted("gw", words)


class Filter(Case):
    def dropped(self, client, address, port):
        """The rule has counted the SYN, and no answer has come."""
        with lab.inside(client), socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as s:
            s.setblocking(False)
            self.assertEqual(errno.EINPROGRESS, s.connect_ex((address, port)))
            self.wait_until(lambda: counted(f"dport {port}") >= 1, "the SYN at the rule")
            self.assertEqual(0, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        self.assertRegex(table(), rf"dport {port} counter .* drop")

    def apply(self, **chains):
        path = self.spec(spec_of(**chains))
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def test_actions(self):
        """Accepted, dropped without an answer, rejected with one; both families."""
        for address in ("203.0.113.9", "fd01::9"):
            with self.subTest(address):
                self.apply(forward=("drop", "{in: lan, protocol: tcp, port: 80, action: accept}", ESTABLISHED,
                                    "{in: lan, protocol: tcp, port: 81, action: reject, counter: true}",
                                    "{in: lan, protocol: tcp, port: 82, action: drop, counter: true}"))
                connects("pc", address, 80, "outside")
                connects("pc", address, 81, "outside", errno.ECONNREFUSED)
                self.assertGreaterEqual(counted("dport 81"), 1)
                self.dropped("pc", address, 82)
                # The policy is for the rest; nothing can begin from outside.
                self.apply(forward=("accept", "{in: wan, state: new, action: reject}"))
                connects("pc", address, 80, "outside")
                connects("outside", "10.0.0.12" if "." in address else "fd00::12", 80, "pc", errno.ECONNREFUSED)

    def test_input_and_output(self):
        self.apply(input=("drop", ESTABLISHED, DISCOVERY, "{protocol: [icmp, icmpv6], icmp-type: echo-request, action: accept}",
                          "{in: lan, protocol: tcp, port: 22, action: accept}", "{protocol: tcp, port: 23, action: reject}"),
                   output=("accept", "{out: wan, protocol: tcp, port: 25, action: reject}"))
        connects("pc", "10.0.0.1", 22, "gw")
        connects("pc", "fd00::1", 22, "gw")
        connects("pc", "10.0.0.1", 23, "gw", errno.ECONNREFUSED)
        lab.pings("pc", "10.0.0.1")
        lab.pings("pc", "fd00::1")
        connects("gw", "203.0.113.9", 24, "outside")
        connects("gw", "203.0.113.9", 25, "outside", errno.ECONNREFUSED)

    def test_matches(self):
        """Each match counts what it is for, and nothing else."""
        rules = {
            "ip saddr 10.0.0.12": "{source: 10.0.0.12, counter: true}",
            "ip saddr != 10.0.0.12": "{source: not 10.0.0.12, counter: true}",
            "iifname \"lan\" oifname \"wan\"": "{in: lan, out: wan, counter: true}",
            "icmp type echo-request": "{protocol: icmp, icmp-type: echo-request, counter: true}",
            "icmp type destination-unreachable": "{protocol: icmp, icmp-type: destination-unreachable, counter: true}",
            "tcp flags syn / syn,ack": "{protocol: tcp, tcp-flags: [syn, not ack], counter: true}",
            "tcp flags syn,ack / syn,ack": "{protocol: tcp, tcp-flags: [syn, ack], counter: true}",
            "ct state invalid": "{state: invalid, counter: true}",
            "ct state new": "{state: new, counter: true}",
            "meta mark 0x00000007": "{fwmark: 7, counter: true}",
            "tcp sport 1-1023": "{protocol: tcp, source-port: 1-1023, counter: true}",
        }
        self.apply(forward=("accept", *rules.values()), prerouting=("accept", "{protocol: icmp, mark: 7}"))
        lab.pings("pc", "203.0.113.9")
        counts = {words: counted(words) for words in rules}
        self.assertEqual({"ip saddr 10.0.0.12": 1, "ip saddr != 10.0.0.12": 1, "iifname \"lan\" oifname \"wan\"": 1,
                          "icmp type echo-request": 1, "ct state new": 1, "meta mark 0x00000007": 2},
                         {words: n for words, n in counts.items() if n})
        connects("pc", "203.0.113.9", 80, "outside")
        self.assertEqual(1, counted("tcp flags syn / syn,ack"))
        self.assertEqual(1, counted("tcp flags syn,ack / syn,ack"))
        self.assertEqual(2, counted("ct state new"))
        self.assertGreater(counted("tcp sport 1-1023"), 0)

    def test_limit(self):
        """Within the burst the rule applies; above it the next one does. The limit is one for all of the rule's ports."""
        self.apply(prerouting=("accept", "{in: lan, protocol: udp, port: [7, 8], limit: 1/day burst 3, counter: true, action: drop}",
                               "{in: lan, protocol: udp, port: 7-8, counter: true}"))
        lab.datagrams("pc", "203.0.113.9", [7, 8, 7, 8, 7])
        self.wait_until(lambda: counted("dport 7-8") == 2, "the datagrams above the limit")
        self.assertEqual(3, counted("drop"))

    def test_log_limit(self):
        """A log's limit only applies to the log: every packet is dropped."""
        self.apply(prerouting=("accept", "{in: lan, protocol: udp, port: 7, log: {prefix: \"stray \", limit: 1/day}, counter: true, action: drop}"))
        self.assertIn("log prefix \"stray \"", table())
        lab.datagrams("pc", "203.0.113.9", [7] * 8)
        self.wait_until(lambda: counted("drop") == 8, "the datagrams")

    def test_mark(self):
        """A mark chooses the way out by a policy rule: of packets that pass through, and of the namespace's own."""
        def by_alt(client):
            before = lab.nft_counted("outside", "udp dport 7")
            lab.datagrams(client, "192.0.2.9", [7])
            return lambda: lab.nft_counted("outside", "udp dport 7") > before
        self.apply(prerouting=("accept", "{in: lan, destination: 192.0.2.9, mark: 0x10}"))
        lab.nft_count("outside", "iifname eth1 udp dport 7")
        self.wait_until(by_alt("pc"), "the datagram at the other interface")
        self.assertIn("type filter hook prerouting priority mangle", table())
        self.apply(output=("accept", "{destination: 192.0.2.9, mark: 0x10/0xff}"))
        self.assertIn("type route hook output", table())
        self.wait_until(by_alt("gw"), "the namespace's own datagram at the other interface")

    def test_clamp_mss(self):
        """Seen in the SYN that arrives: without the rule the client's, with it what the path takes, or the number."""
        def mss():
            with lab.Connection("pc", "203.0.113.9", 80, "outside") as connection:
                return connection.far.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        self.apply()
        plain = mss()
        self.apply(forward=("accept", "{out: wan, protocol: tcp, clamp-mss: pmtu}", "{in: wan, protocol: tcp, clamp-mss: pmtu}"))
        clamped = mss()
        self.apply(postrouting=("accept", "{out: wan, protocol: tcp, clamp-mss: 600}"))
        self.assertLess(mss(), clamped)
        self.assertLess(clamped, plain)

    CHAINS = {
        "input": ("drop", ESTABLISHED, DISCOVERY, "{in: lan, protocol: tcp, port: 22, action: accept, counter: true}"),
        "forward": ("drop", ESTABLISHED, "{in: lan, action: accept, counter: true}", "{protocol: icmp, icmp-type: echo-request, action: accept}",
                    "{in: wan, protocol: tcp, tcp-flags: [syn, not ack], log: {prefix: in, limit: 5/minute}, action: reject}",
                    "{fwmark: 5, limit: 10/second, action: drop}"),
        "postrouting": ("accept", "{out: wan, protocol: tcp, clamp-mss: pmtu}"),
        "prerouting": ("accept", "{in: lan, destination: 192.0.2.0/24, mark: 0x10}"),
    }

    # One change in the file each.
    IN_FILE = [("policy: drop\n        rules:\n          - {state: [established, related], action: accept}\n          - {protocol: icmpv6",
                "policy: accept\n        rules:\n          - {state: [established, related], action: accept}\n          - {protocol: icmpv6"),
               ("port: 22", "port: [22, 80]"), ("echo-request", "echo-reply"), ("not ack", "not rst"), ("prefix: in", "prefix: to"),
               ("limit: 5/minute", "limit: 5/hour"), ("fwmark: 5", "fwmark: not 5"), ("limit: 10/second", "limit: 10/second burst 9"),
               ("clamp-mss: pmtu", "clamp-mss: 1200"), ("mark: 0x10}", "mark: 0x20/0xf0}"), ("action: reject", "action: drop"),
               (", counter: true}\n      forward", "}\n      forward"), ("in: wan, protocol", "in: not wan, protocol"),
               ("          - {in: lan, action: accept, counter: true}\n", "")]

    def test_changed_in_the_file(self):
        self.apply()
        before = lab.snapshot()
        text = spec_of(**self.CHAINS)
        path = self.apply(**self.CHAINS)
        made = table()
        for old, new in self.IN_FILE:
            with self.subTest(new):
                self.spec(lab.edit(text, (old, new)))
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertNotEqual(made, table())
                self.spec(text)
                self.topod("apply", path)
                self.assertEqual(made, table())
        self.apply()  # taken out
        self.same(lab.state_only(before), lab.state_only(lab.snapshot()))
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())
        self.assertEqual("", table(HOST))

    BY_HAND = ["delete rule inet topod-office filter-forward handle LOG", "insert rule inet topod-office filter-input drop",
               "replace rule inet topod-office filter-forward handle ACCEPT iifname lan drop", "flush chain inet topod-office filter-forward",
               "chain inet topod-office filter-input { policy accept ; }", "flush chain inet topod-office filter-forward-1",
               "add rule inet topod-office filter-forward-1 accept", "delete table inet topod-office", "flush table inet topod-office",
               "add chain inet topod-office mine { type filter hook forward priority -5 ; policy drop ; }",
               "add chain inet topod-office mine", "add set inet topod-office mine { type ipv4_addr ; }",
               "add rule inet topod-office filter-postrouting counter"]

    def by_hand(self, words):
        listed = lab.nft("gw", "-a list chain inet topod-office filter-forward").stdout.splitlines()
        for name, mark in (("LOG", "jump"), ("ACCEPT", "iifname \"lan\"")):
            words = words.replace(name, next((l.rsplit(" ", 1)[1] for l in listed if mark in l), "0"))
        lab.nft("gw", words)

    def test_changed_by_hand(self):
        path = self.apply(**self.CHAINS)
        made = table()
        for words in self.BY_HAND:
            with self.subTest(words):
                self.by_hand(words)
                self.assertNotEqual(made, table())
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.assertEqual(made, table())
        d = self.daemon(path).ready()
        for words in self.BY_HAND[:3]:
            with d.expects(r"drift: gw: nftables table was changed; restored"):
                self.by_hand(words)
            self.wait_until(lambda: table() == made, words, d)
        d.stop()
        self.topod("plan", path)

    def test_counters_and_connections_stay(self):
        """A change of one rule keeps the other rules, with what they have counted; a connection survives any change."""
        path = self.apply(**self.CHAINS)
        with lab.Connection("pc", "203.0.113.9", 80, "outside") as connection:
            connection.say(b"before")
            count = counted("iifname \"lan\"" + " counter")
            self.assertGreater(count, 0)
            text = spec_of(**self.CHAINS)
            for change in (("fwmark: 5", "fwmark: 6"), ("echo-request", "echo-reply"), ("policy: drop\n        rules:\n          - {state: "
                           "[established, related], action: accept}\n          - {in: lan", "policy: accept\n        rules:\n          - {state: "
                           "[established, related], action: accept}\n          - {in: lan")):
                self.spec(lab.edit(text, change))
                self.topod("apply", path)
                self.assertEqual(count, counted("iifname \"lan\"" + " counter"))
                connection.say(b"after")
            # By hand too: the rule that was inserted goes, the others stay.
            self.spec(text)
            self.topod("apply", path)
            for words in ("insert rule inet topod-office filter-forward udp dport 9 drop", "add chain inet topod-office mine"):
                lab.nft("gw", words)
                self.topod("apply", path)
                self.assertEqual(count, counted("iifname \"lan\"" + " counter"))
            self.topod("plan", path)
            # Counts are not a difference.
            lab.nft("gw", "delete table inet topod-office")
            self.topod("apply", path)
            connection.say(b"at the end")

    def test_bridged(self):
        """Packets between ports of a bridge also go through the chain forward, if the kernel is told so."""
        def text(rule, setting=""):
            return f"""\
namespaces:
  gw:
    interfaces: {{lan: {{kind: bridge, ports: [p1, p2]}}}}
    filter: {{forward: {{policy: drop, rules: [{rule}]}}}}
{setting}
  a: {{interfaces: {{eth0: {{addresses: [10.0.0.2/24]}}}}}}
  b: {{interfaces: {{eth0: {{addresses: [10.0.0.3/24]}}}}}}
links: [[a:eth0, gw:p1], [b:eth0, gw:p2]]
"""
        has = os.path.exists(lab.sysctl_path("net.bridge.bridge-nf-call-iptables"))
        warning = ("policy also drops packets between ports of gw/lan, because net.bridge.bridge-nf-call-iptables is on; "
                   "add {in: lan, out: lan, action: accept}")
        path = self.spec(text("{in: wan*, action: accept}"))
        for _ in range(2):  # the namespace does not exist yet, and then it does
            said = self.topod("apply", path).stderr
            self.assertEqual(has, warning in said, said)
        self.assertEqual(not has, lab.pings("a", "10.0.0.3", check=False))
        for rule, setting in (("{in: lan, out: lan, action: accept}", ""), ("{action: accept}", ""),
                              *([("", "    sysctl: {net.bridge.bridge-nf-call-iptables: 0}")] if has else [])):
            self.spec(text(rule, setting))
            self.assertNotIn("port to port", self.topod("apply", path).stderr)
            lab.pings("a", "10.0.0.3")
        self.topod("down", path)

    def test_beside_nat(self):
        """One table, one transaction."""
        path = self.spec(spec_of(**self.CHAINS).replace("    filter:", "    nat: [{action: masquerade, out: wan}]\n    filter:"))
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual(1, table().count("table inet"))
        connects("pc", "203.0.113.9", 80, "outside")
        self.spec(spec_of(**self.CHAINS))
        self.topod("apply", path)
        self.assertNotIn("masquerade", table())
        connects("pc", "203.0.113.9", 80, "outside")
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
