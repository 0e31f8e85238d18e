# SPDX-License-Identifier: GPL-2.0-or-later
"""
`topod export`: what runs, regardless of how it was made, as a file. `plan` of the file finds nothing to do, and
applied on an empty machine the file makes the same.
"""

import json
import os

import lab
from lab import CLONE_NEWNET, HOST, Case


class Exported(Case):
    def export(self, *args, **kwargs):
        return self.topod("export", *args, **kwargs).stdout

    def elsewhere(self):
        """Leaves everything behind, for an empty machine."""
        self.sweep()
        os.makedirs(self.directory)
        lab.libc_call("unshare", CLONE_NEWNET)
        lab.ip(HOST, "link set lo up")

    def round_trip(self, *args):
        """Returns the exported file, after planning it here and applying it on an empty machine."""
        before = self.settle()
        text, fresh = self.export(*args), self.export("--fresh", *args)
        path = self.spec(text)
        done = self.topod("plan", path, expect=(0, 2))
        self.assertEqual(0, done.returncode, f"{text}\n{done.stdout}{done.stderr}")
        self.assertIn("nothing to do", done.stdout)
        self.elsewhere()
        path = self.spec(fresh)
        self.topod("apply", path)
        self.same(lab.without_makers(before), lab.without_makers(self.settle()), fresh)
        self.assertEqual(fresh, self.export("--fresh", *args), "exported again, it is another file")
        return text

    def ip(self, commands):
        for line in filter(None, map(str.strip, commands.splitlines())):
            lab.ip(HOST, line)


class Commands(Exported):
    """Namespaces made by ip commands, as tutorials have them."""

    def test_two_and_a_pair(self):
        self.ip("""
            netns add red
            netns add blue
            link add veth-red netns red type veth peer name veth-blue netns blue
            -n red addr add 192.168.15.1/24 dev veth-red
            -n blue addr add 192.168.15.2/24 dev veth-blue
            -n red link set veth-red up
            -n blue link set veth-blue up
            -n red link set lo up
            -n red route add default via 192.168.15.2
        """)
        self.assertEqual("""\
namespaces:
  blue:
    adopt: true
    interfaces: {lo: {up: false}, veth-blue: {addresses: [192.168.15.2/24]}}
  red:
    adopt: true
    interfaces: {veth-red: {addresses: [192.168.15.1/24]}}
    routes: [{to: default, via: 192.168.15.2}]
links:
  - [blue:veth-blue, red:veth-red]
""", self.round_trip())

    def test_bridge(self):
        self.ip("""
            netns add sw
            netns add h1
            netns add h2
            -n sw link add br0 type bridge stp_state 1 priority 4096
            link add eth0 netns h1 mtu 1400 type veth peer name p1 mtu 1400 netns sw
            link add eth0 netns h2 type veth peer name p2 netns sw
            -n sw link set p1 master br0
            -n sw link set p2 master br0 up
            -n sw link set p2 type bridge_slave cost 7 hairpin on
            -n sw link set br0 up
            -n sw addr add 10.0.0.1/24 broadcast + dev br0
            -n sw addr add fd00::1/64 dev br0 nodad
            -n h1 link set eth0 up
            -n h1 link set lo up
            -n h2 link set eth0 up
            -n h1 addr add 10.0.0.2/24 dev eth0
            -n h1 addr add 10.1.1.1 peer 10.1.1.2/32 dev eth0
            -n h1 route add 10.8.0.0/16 nexthop via 10.0.0.1 nexthop via 10.0.0.3 weight 2
            -n h1 route add blackhole 10.9.0.0/16 metric 7
            -n h1 route add 10.10.0.0/16 via 10.0.0.1 src 10.0.0.2 mtu 1300 table 77
            -n h1 rule add from 10.0.0.0/24 priority 100 lookup 77
            -n h1 rule add priority 200 fwmark 5 lookup 78
            -n h1 -6 rule add priority 200 fwmark 5 lookup 78
            -n h1 neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
            -n h2 link set lo up
            -n sw link set p1 up
            -n h1 nexthop add id 7 via 10.0.0.1 dev eth0
            -n h1 route add 10.11.0.0/16 nhid 7
        """)
        text = self.round_trip()
        for words in ("ports: [p1, {name: p2, cost: 7, hairpin: true}]", "{address: 10.0.0.1/24, broadcast: 10.0.0.255}",
                      "endpoints: [h1:eth0, sw:p1], mtu: 1400", "{address: 10.1.1.1/32, peer: 10.1.1.2/32}",
                      "{priority: 200, fwmark: 0x5, table: 78}", "{to: 10.11.0.0/16, nexthop: 7}", "lo: {up: false}"):
            self.assertIn(words, text)

    def test_what_is_left_out(self):
        """Objects of the kernel, a routing daemon and a lease; and what the language cannot express is a comment."""
        self.ip("""
            netns add web
            link add c1 type veth peer name eth0 netns web
            -n web link set eth0 up
            -n web addr add 10.0.0.2/24 dev eth0 valid_lft 1000 preferred_lft 1000
            -n web route add 10.6.0.0/16 via 10.0.0.1 proto bird
            netns add dark
            -n dark link set lo up
            -n dark route add blackhole default
            netns add mail
            -n mail link set lo up
        """)
        lab.nft("mail", "add table ip nat")
        lab.nft("web", "add table ip nat")
        os.makedirs("/etc/netns/web")
        with open("/etc/netns/web/resolv.conf", "w", encoding="utf-8") as f:
            f.write("nameserver 10.0.0.1\n")
        text = self.export()
        self.assertIn("# eth0 is one end of a pair; the other end (host:c1) is not in this file\n", text)
        self.assertIn("      eth0: {kind: existing}\n", text)
        self.assertIn("# 1 route left out (protocol bird)", text)
        self.assertIn("# nftables table ip nat left out: `nft list ruleset` shows it", text)
        self.assertIn("# file /etc/netns/web/resolv.conf left out", text)
        self.assertIn("# eth0 has 1 address left out (from a lease or a router advertisement)", text)
        self.assertIn("routes: [{to: 0.0.0.0/0, type: blackhole}]", text)
        self.assertNotIn("10.0.0.", text.replace("0.0.0.0/0", ""))
        self.assertIn("nothing to do", self.topod("plan", self.spec(text)).stdout)
        answer = json.loads(self.export("--json"))
        self.assertEqual({"lo": {"up": False}, "eth0": {"kind": "existing"}}, answer["file"]["namespaces"]["web"]["interfaces"])
        self.assertEqual({}, json.loads(self.export("--json", "--fresh", "mail"))["file"]["namespaces"]["mail"])
        self.assertIn("left out: `nft list ruleset` shows it\n  mail: {}\n", self.export("--fresh", "mail"))
        self.assertEqual({("web", "eth0"), ("web", None), ("mail", None)}, {(n["namespace"], n["interface"]) for n in answer["notes"]})

    def test_containers(self):
        """As podman's netavark and the bridge plugin of CNI make them: a bridge of the host, MAC addresses that were chosen."""
        self.ip("""
            netns add netns-1234
            netns add cni-a1
            link add podman0 type bridge
            addr add 10.88.0.1/16 broadcast + dev podman0
            link set podman0 up
            link add eth0 netns netns-1234 type veth peer name veth0
            link set veth0 master podman0 up
            -n netns-1234 link set lo up
            -n netns-1234 link set eth0 address 7e:11:22:33:44:55 up
            -n netns-1234 addr add 10.88.0.2/16 broadcast + dev eth0
            -n netns-1234 route add default via 10.88.0.1 metric 100 proto static
            link add cni0 type bridge
            addr add 10.22.0.1/16 dev cni0
            link set cni0 promisc on up
            link add eth0 netns cni-a1 type veth peer name vethab12
            link set vethab12 master cni0 up
            link set vethab12 type bridge_slave hairpin on
            -n cni-a1 link set lo up
            -n cni-a1 link set eth0 up
            -n cni-a1 addr add 10.22.0.5/16 broadcast + dev eth0
            -n cni-a1 route add default via 10.22.0.1
        """)
        lab.sysctl_set(HOST, "net.ipv4.ip_forward", 1)
        text = self.round_trip("--all")
        for words in ("\n    forwarding: ipv4\n", 'mac-address: "7e:11:22:33:44:55"', "promiscuous: true",
                      "ports: [{name: vethab12, hairpin: true}]", "{to: default, metric: 100, via: 10.88.0.1}"):
            self.assertIn(words, text)

    def test_emulator(self):
        """As mininet and its kin lay out a network: switches and hosts with small MAC addresses, in a namespace for each host."""
        for i in (1, 2, 3):
            self.ip(f"""
                netns add h{i}
                link add h{i}-eth0 netns h{i} address 00:00:00:00:00:0{i} type veth peer name s1-eth{i}
                -n h{i} link set lo up
                -n h{i} link set h{i}-eth0 up
                -n h{i} addr add 10.0.0.{i}/8 dev h{i}-eth0
            """)
        self.ip("""
            link add s1 type bridge
            link set s1-eth1 master s1 up
            link set s1-eth2 master s1 up
            link set s1-eth3 master s1 up
            link set s1 up
        """)
        text = self.round_trip("--all")
        self.assertIn("s1: {kind: bridge, ports: [s1-eth1, s1-eth2, s1-eth3]}", text)
        self.assertIn('{mac-address: "00:00:00:00:00:01", addresses: [10.0.0.1/8]}', text)

    def test_what_it_stands_on(self):
        """A lower link in a namespace that is not exported is named there, as it is."""
        self.ip("""
            netns add a
            netns add b
            -n b link add d0 type bridge
            -n b link add d1 type bridge
            -n b link set d1 up
            link add eth7 type veth peer name w7
            link set eth7 mtu 1400 up
            link add mv0 link eth7 netns a type macvlan mode bridge
            -n b link add mv1 link d0 netns a type macvlan mode private
            -n b link add mv2 link d1 netns a type macvlan mode private
            -n a link set mv0 up
        """)
        text = self.export("a")
        self.assertIn("nothing to do", self.topod("plan", self.spec(text)).stdout)
        for words in ("mv0: {kind: macvlan, link: host:eth7, mode: bridge}", "host: {interfaces: {eth7: {kind: existing}}}",
                      "d0: {kind: existing, up: false}", "d1: {kind: existing}"):
            self.assertIn(words, text)

    def test_topods_own(self):
        """What a topology made is that topology's file again, if all of it is there; else the file says whose it is."""
        path = self.spec("""
            namespaces:
              web:
                interfaces: {br0: {kind: bridge, mtu: 1400, addresses: [10.0.0.1/24]}}
                sysctl: {net.ipv4.conf.all.rp_filter: 2, net.ipv4.ip_local_port_range: "2000 3000"}
                dns: {servers: [10.0.0.9], search: [a.example, b.example], options: ["ndots:1"], hosts: {db: [10.0.0.2, "fd00::2"], x: 10.0.0.3}}
              db: {dns: {hosts: {}}, interfaces: {e: {mtu: 1400}}}
            links: [[web:e, db:e]]
        """)
        self.topod("apply", path)
        text = self.export()
        self.assertNotIn("adopt", text)
        self.assertIn("nothing to do", self.topod("plan", self.spec(text, "copy.yaml")).stdout)
        for words in ("topology: office\n", "net.ipv4.conf.all.rp_filter: 2", 'net.ipv4.ip_local_port_range: "2000 3000"',
                      "options: [ndots:1]", 'hosts: {db: [10.0.0.2, "fd00::2"], x: 10.0.0.3}', "db: {interfaces: {e: {mtu: 1400}}, dns: {hosts: {}}}"):
            self.assertIn(words, text)
        part = self.export("web")
        self.assertIn(f"made by topod (topology office, {path})", " ".join(part.replace("#", "").split()))
        self.assertNotIn("topology: office\n", part)
        self.assertIn("belongs to topology 'office'", self.topod("plan", self.spec(part, "copy.yaml"), expect=lab.EXIT_DIFFERENCES).stdout)
        fresh = self.export("--fresh")
        self.assertNotIn("#", fresh)
        self.elsewhere()
        self.topod("apply", self.spec(fresh, "copy.yaml"))
        self.assertEqual(fresh, self.export("--fresh"))

    def test_own_tables(self):
        """A topology's table is `nat` and `filter` again; what somebody added is not, and other tables are only named."""
        nat = [
            {"action": "masquerade", "out": "wan", "source": "10.0.0.0/24"},
            {"action": "dnat", "in": "wan", "protocol": ["tcp", "udp"], "port": [80, 443, "1000-2000"], "to": "10.0.0.11", "hairpin": "lan"},
            {"action": "netmap", "source": "10.9.0.0/24", "to": "10.8.0.0/24"},
            {"action": "netmap", "source": "10.9.0.0/24", "destination": "10.1.0.0/24", "to": "10.8.0.0/24", "hook": "postrouting"},
            {"action": "snat", "source": ["fd00::/64", "fd01::/61"], "to": "fd00::5-fd00::9", "persistent": True},
            {"action": "masquerade", "out": "w*", "source": "0.0.0.0/0", "protocol": "udp", "to": ":1024-2000"},
            {"action": "dnat", "protocol": "tcp", "port": 22, "to": "[fd00::12]:2222", "hairpin": "lan"},
            {"action": "redirect", "protocol": "tcp", "source-port": "not 7-9", "port": 81, "to": ":82-90", "hook": "output", "random": True},
        ]
        rules = {
            "prerouting": [{"in": "lan", "destination": "203.0.113.0/24", "mark": 16}, {"mark": "0x1/0x3", "counter": True}],
            "input": [{"state": ["established", "related"], "action": "accept"}, {"state": "not invalid", "in": "not wan", "action": "accept"},
                      {"fwmark": "0x10/0xf0", "log": "stray ", "action": "reject"}, {"log": "12", "action": "drop"}],
            "forward": [
                {"protocol": ["icmp", "icmpv6"], "icmp-type": ["echo-request", "echo-reply"], "limit": "10/minute burst 20", "action": "accept"},
                {"source": ["not 10.0.0.0/8", "not 192.168.0.0/16"], "protocol": "tcp",
                 "log": {"prefix": 'a "b', "level": "info", "limit": "5/hour"}, "action": "drop"},
                {"limit": "3/week", "counter": False}],
            "output": [{"protocol": "udp", "mark": 7}],
            "postrouting": [{"out": "wan", "protocol": "tcp", "clamp-mss": "pmtu"},
                            {"out": "lan", "protocol": "tcp", "tcp-flags": ["syn", "not rst"], "clamp-mss": 1400}],
        }
        chains = {name: {**({"policy": "drop"} if name == "input" else {}), "rules": each} for name, each in rules.items()}
        gw = {"interfaces": {"lan": {"kind": "bridge"}, "wan": {"kind": "bridge"}}, "nat": nat, "filter": chains}
        self.topod("apply", self.spec(json.dumps({"namespaces": {"gw": gw}})))
        self.assertIn("nothing to do", self.topod("plan", self.spec(self.export(), "copy.yaml")).stdout)
        exported = json.loads(self.export("--json"))["file"]["namespaces"]["gw"]
        self.assertEqual((nat, chains), (exported["nat"], exported["filter"]))
        lab.nft("gw", "add rule inet topod-office filter-forward ip ttl 1 drop")
        lab.nft("gw", "add table ip nat")
        text = " ".join(self.export().replace("#", "").split())
        self.assertIn("nftables table inet topod-office left out, because it has what `nat` and `filter` cannot say", text)
        self.assertIn("nftables table ip nat left out", text)
        self.assertNotIn("topology: office ", text)
        self.assertNotIn("masquerade", text)

    def test_shaping(self):
        """Qdiscs with their classes and filters, also those of tc(8); offloads that a topology declares."""
        htb = {"kind": "htb", "classes": [{"id": 10, "rate": "1mbit"}, {"id": 20, "rate": "2mbit", "default": True,
                                                                       "qdisc": {"kind": "pfifo", "limit": 7}}],
               "filters": [{"protocol": "tcp", "port": 80, "family": "ipv4", "class": 10}]}
        a = {"interfaces": {"e": {"alternative-names": ["alt0"], "offload": {"tcp-segmentation-offload": False}, "qdisc": htb}}}
        self.topod("apply", self.spec(json.dumps({"namespaces": {"a": a, "b": {}}, "links": [["a:e", "b:e"]]})))
        text = self.export()
        self.assertIn("nothing to do", self.topod("plan", self.spec(text, "copy.yaml")).stdout)
        exported = json.loads(self.export("--json"))["file"]["namespaces"]
        self.assertEqual({"a": a, "b": {}}, exported)
        self.topod("down", "office")
        self.ip("""
            netns add z
            -n z link set lo up
            -n z link add x type veth peer name y
            -n z link set x up
            -n z link set y up
        """)
        lab.run("tc", "-n", "z", "qdisc", "add", "dev", "x", "root", "tbf", "rate", "1mbit", "burst", "10k", "latency", "10ms")
        self.assertIn("x: {qdisc: {kind: tbf, rate: 1mbit, burst: 10k, limit: 11490}}", self.round_trip())

    def test_arguments(self):
        self.ip("netns add red\nnetns add blue")
        self.assertNotIn("blue", self.export("red"))
        self.assertEqual("", self.topod("export", "rde", expect=lab.EXIT_FAILED).stdout)
        self.assertIn("there is no namespace 'rde'; did you mean 'red'?", self.topod("export", "rde", expect=1).stderr)
        self.assertIn("host: {}\n", self.export("--all"))
        self.ip("netns delete red\nnetns delete blue")
        self.assertIn("--all exports the host", self.topod("export", expect=lab.EXIT_FAILED).stderr)


if __name__ == "__main__":
    lab.main()
