# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks, prefixes of links and defaults of namespaces on the real kernel: their written-out forms work."""

import json
import os

import lab
from lab import Case

OFFICE = """\
topology: office
networks:
  lan:
    prefix: [10.0.0.0/24, "fd00:1::/64"]
    members: [web, db, "h[1-2]"]
    bridge: host:br-lan
    gateway: host
    nat: true
namespaces:
  outside: {interfaces: {up: {addresses: [203.0.113.2/24, "fd00:2::2/64"]}}}
  host: {interfaces: {wan: {addresses: [203.0.113.1/24, "fd00:2::1/64"]}}}
links: [[outside:up, host:wan]]
"""

ROUTED = """\
topology: routed
networks:
  left: {prefix: 10.1.0.0/24, members: [a, r], gateway: r}
  right: {prefix: 10.2.0.0/24, members: [b, r], gateway: r, isolated: true}
  deep: {prefix: 10.3.0.0/24, members: [c, d], gateway: d, isolated: true}
"""


def indexes(*ends):
    return [lab.link(ns, name)["ifindex"] for ns, name in ends]


class Networks(Case):
    def test_out_by_nat(self):
        """Members reach one another, the gateway, and what is behind it, which sees the gateway's address."""
        before = lab.snapshot()
        spec = self.spec(OFFICE)
        self.topod("apply", spec)
        for to in ("10.0.0.1", "10.0.0.3", "10.0.0.5", "203.0.113.2", "fd00:1::1", "fd00:1::4", "fd00:2::2"):
            lab.pings("web", to)
        with lab.Connection("web", "203.0.113.2", 7000, "outside") as connection:
            connection.say(b"out")
            self.assertEqual("203.0.113.1", connection.peer[0])
        with lab.Connection("db", "10.0.0.2", 7000, "web") as connection:
            connection.say(b"across")
            self.assertEqual("10.0.0.3", connection.peer[0])
        self.topod("plan", spec)
        self.topod("down", spec)
        self.same(before, lab.snapshot())

    def test_routers(self):
        """A router between two networks; of an isolated one, members reach the gateway and what is behind it."""
        self.topod("apply", self.spec(ROUTED))
        lab.pings("a", "10.2.0.2")
        lab.pings("c", "10.3.0.1")

    def test_isolated(self):
        self.topod("apply", self.spec(lab.edit(ROUTED, ("[c, d]", "[c, e, d]"))))
        lab.pings("c", "10.3.0.1")
        lab.pings("e", "10.3.0.1")
        self.assertEqual(["10.3.0.3/24"], [a for a in lab.addresses("e", "eth0") if "." in a])
        ports = {l["ifname"]: l["linkinfo"]["info_slave_data"]["isolated"] for l in lab.ip_json("deep", "link show")
                 if l.get("master")}
        self.assertEqual({"c": True, "e": True, "d": False}, ports)
        self.assertFalse(lab.pings("c", "10.3.0.3", check=False))

    def test_the_least_change(self):
        """An appended member, and another prefix: links stay, and so do the connections of others."""
        spec = self.spec(OFFICE)
        daemon = self.daemon(spec).ready()
        ends = [("web", "eth0"), ("db", "eth0"), ("host", "lan-web"), ("host", "br-lan"), ("host", "wan")]
        made = indexes(*ends)
        with lab.Connection("web", "10.0.0.3", 7000, "db") as inner, \
             lab.Connection("outside", "203.0.113.1", 7000) as outer:
            inner.say(b"1")
            self.spec(lab.edit(OFFICE, ('"h[1-2]"', '"h[1-4]", late')))
            plan = json.loads(self.topod("plan", "--json", spec, expect=lab.EXIT_DIFFERENCES).stdout)
            self.assertEqual({"h3", "h4", "late", "host"}, {c["namespace"] for c in plan["changes"]})
            self.assertEqual({"create"}, {c["action"] for c in plan["changes"]})
            daemon.reload()
            lab.pings("late", "10.0.0.2")
            inner.say(b"2")
            self.spec(lab.edit(OFFICE, ("10.0.0.0/24", "10.5.0.0/16")))
            daemon.reload()
            lab.pings("web", "10.5.0.3")
            lab.pings("web", "203.0.113.2")
            outer.say(b"3")
        self.assertEqual(made, indexes(*ends))
        self.assertNotIn("late", lab.namespaces())

    def test_written_out(self):
        for text in (OFFICE, ROUTED):
            spec = self.spec(text)
            self.topod("apply", spec)
            printed = self.topod("check", "--expand", spec).stdout
            self.assertNotIn("networks", printed)
            self.topod("plan", "--replace", self.spec(printed, "written.yaml"))
            self.topod("down", spec)

    def test_drift_and_refusal_have_their_line(self):
        spec = self.spec(OFFICE)
        daemon = self.daemon(spec).ready()
        with daemon.expects(r"drift: h2/eth0: address 10\.0\.0\.5/24 was removed; restored"):
            lab.ip("h2", "addr del 10.0.0.5/24 dev eth0")
        with daemon.expects(r"drift: host: .*lan-db.* was removed; restored|drift: host/lan-db: .*restored"):
            lab.ip(lab.HOST, "link set lan-db nomaster")
        daemon.stop()
        self.topod("down", spec)
        lab.ip(lab.HOST, "link add lan-h1 type bridge")
        done = self.topod("apply", spec, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, r"office\.yaml:5:24: error: .*lan-h1")

    def test_hosts(self):
        """Names resolve to members of the same network, in `ip netns exec`; the file follows added and removed members."""
        spec = self.spec(lab.edit(OFFICE, ("namespaces:\n", "defaults: {namespace: {dns: {hosts: true}}}\nnamespaces:\n")))
        before = lab.snapshot()
        daemon = self.daemon(spec).ready()
        self.assertEqual({"127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", "10.0.0.1 host", "fd00:1::1 host",
                          "10.0.0.2 web", "fd00:1::2 web", "10.0.0.3 db", "fd00:1::3 db", "10.0.0.4 h1", "fd00:1::4 h1",
                          "10.0.0.5 h2", "fd00:1::5 h2"}, self.hosts("web"))
        self.assertEqual(self.hosts("web"), self.hosts("h2"))
        self.assertEqual({"127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", "203.0.113.1 host",
                          "203.0.113.2 outside", "fd00:2::1 host", "fd00:2::2 outside"}, self.hosts("outside"))
        self.assertFalse(os.path.exists("/etc/netns/web/resolv.conf"))
        lab.run("ip", "netns", "exec", "web", "ping", "-4", "-c1", "-W2", "db")
        with open(spec) as f:
            text = f.read()
        self.spec(lab.edit(text, ('"h[1-2]"', '"h[1-3]"')))
        daemon.reload()
        self.assertIn("10.0.0.6 h3", self.hosts("web"))
        with daemon.expects(r"drift: web: file /etc/netns/web/hosts was changed; restored"):
            with open("/etc/netns/web/hosts", "w") as f:
                f.write("10.0.0.9 db\n")
        with daemon.expects(r"drift: web: file /etc/netns/web/hosts was removed; restored"):
            os.unlink("/etc/netns/web/hosts")
        self.topod("plan", spec)
        daemon.stop()
        self.topod("down", spec)
        self.same(before, lab.snapshot())

    def hosts(self, ns):
        with open(f"/etc/netns/{ns}/hosts") as f:
            return {l for l in f.read().splitlines() if not l.startswith("#")}

    def test_links(self):
        self.topod("apply", self.spec("""\
topology: chain
defaults: {namespace: {forwarding: ipv4}}
namespaces:
  r[1-4]: {}
  r1: {routes: {to: 10.0.0.0/16, via: 10.0.0.2}}
  r4: {routes: {to: 10.0.0.0/16, via: 10.0.0.9}}
  r2: {routes: {to: 10.0.0.8/30, via: 10.0.0.6}}
  r3: {routes: {to: 10.0.0.0/30, via: 10.0.0.5}}
links:
  - {endpoints: ["r[1-3]:right", "r[2-4]:left"], prefix: {pool: 10.0.0.0/16, length: 30}}
"""))
        lab.pings("r1", "10.0.0.10")
        self.assertEqual("1", lab.sysctl_get("r3", "net.ipv4.ip_forward"))
        self.assertEqual("0", lab.sysctl_get(lab.HOST, "net.ipv4.ip_forward"))


if __name__ == "__main__":
    lab.main()
