# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes by others are noticed by an event, reported in a line, and repaired."""

import json
import os
import unittest

import lab
from lab import HOST, OFFICE, Case


class Drift(Case):
    text = OFFICE

    def setUp(self):
        super().setUp()
        self.path = self.spec(self.text)
        self.d = self.daemon(self.path).ready()
        self.wanted = self.settle(self.d)

    def disturbed(self, pattern, disturb):
        """disturb() makes drift; a line that matches the pattern follows, and in the end everything is as before."""
        with self.d.expects(pattern):
            disturb()
        self.wait_for_state(self.wanted, self.d)
        self.topod("plan", self.path, expect=0)

    def tearDown(self):
        self.d.stop()


class Alone(Case):
    def test_unmounted(self):
        """The mount is removed, with or without the directory. No other event reports its former content, and the
        name may stay."""
        path = self.spec("namespaces: {web: {interfaces: {br0: {kind: bridge}}}}\n")
        d = self.daemon(path).ready()
        for command in ("umount -l /run/netns/web", "umount -l /run/netns", "umount -ql /run/netns/* /run/netns; rm -r /run/netns",
                        "ip netns delete web"):
            with self.subTest(command), d.expects("(drift|recovered): web: namespace (was left without its name; restored|is as declared)"):
                lab.run("sh", "-c", command)
            self.topod("plan", path)
        d.stop()
        self.topod("down", path)
        self.assertEqual([], os.listdir("/run/netns"))


class Namespaces(Drift):
    def test_namespace_deleted(self):
        self.disturbed(r"drift: web\b", lambda: lab.run("ip", "netns", "delete", "web"))
        lab.pings("web", "203.0.113.1")

    def test_several_namespaces_deleted(self):
        def delete():
            for ns in ("web", "db", "lone"):
                lab.run("ip", "netns", "delete", ns)
        self.disturbed(r"drift: (web|db|lone)\b", delete)
        lab.pings("db", "10.8.0.1")

    def test_namespace_replaced(self):
        """Another namespace with the same name, created while the daemon is stopped."""
        self.d.process.send_signal(lab.signal.SIGSTOP)
        lab.run("ip", "netns", "delete", "lone")
        with self.d.expects(r"\blone\b"):
            # The result of `ip netns add` is foreign: the daemon reports it and leaves it alone.
            lab.run("ip", "netns", "add", "lone")
            inode = lab.namespace_id("lone")
            self.d.process.send_signal(lab.signal.SIGCONT)
        self.assertEqual(inode, lab.namespace_id("lone"))
        self.disturbed(r"\blone\b", lambda: lab.run("ip", "netns", "delete", "lone"))

    def test_loopback_set_down(self):
        self.disturbed(r"drift: web/lo\b", lambda: lab.ip("web", "link set lo down"))

    def test_resolver_file_removed(self):
        path = "/etc/netns/web/resolv.conf"
        with open(path) as f:
            text = f.read()
        self.assertIn("nameserver 10.0.0.1", text)
        self.assertIn("search office.example", text)
        self.disturbed(r"drift: web\b.*(dns|resolv)", lambda: os.unlink(path))

    def test_resolver_file_changed(self):
        def change():
            with open("/etc/netns/web/resolv.conf", "w") as f:
                f.write("nameserver 192.0.2.66\n")
        self.disturbed(r"drift: web\b.*(dns|resolv)", change)

    def test_resolver_file_became_a_link(self):
        def change():
            os.symlink("/etc/resolv.conf", "/etc/netns/web/link")
            os.rename("/etc/netns/web/link", "/etc/netns/web/resolv.conf")
        self.disturbed(r"drift: web\b.*(dns|resolv)", change)


class Links(Drift):
    def test_veth_deleted_at_its_host_end(self):
        self.disturbed(r"drift: .*\b(web/eth0|host/c1|c1)\b", lambda: lab.ip(HOST, "link del c1"))
        lab.pings("web", "203.0.113.1")

    def test_veth_deleted_at_its_inner_end(self):
        self.disturbed(r"drift: db/side\b|drift: lone/side\b", lambda: lab.ip("db", "link del side"))
        lab.pings("db", "10.8.0.1")

    def test_end_renamed(self):
        self.disturbed(r"drift: (web/eth0|host/c1)\b", lambda: lab.ip("web", "link set eth0 down name eth7"))
        self.assertIsNone(lab.link("web", "eth7"))
        lab.pings("web", "203.0.113.1")

    def test_end_renamed_in_host(self):
        self.disturbed(r"drift: host/c2\b", lambda: lab.ip(HOST, "link set c2 down name foo"))
        lab.pings("db", "10.0.0.1")

    def test_end_moved(self):
        self.disturbed(r"drift: (web/eth0|host/c1)\b",
                       lambda: lab.ip("web", "link set eth0 netns lone name stray"))
        self.assertIsNone(lab.link("lone", "stray"))
        lab.pings("web", "203.0.113.1")

    def test_end_moved_out_of_sight(self):
        """Moved into a foreign namespace: the moved link is deleted, and a new one made in its place."""
        lab.run("ip", "netns", "add", "foreign")
        self.wanted = lab.snapshot()
        self.disturbed(r"drift: db/side\b|drift: lone/side\b",
                       lambda: lab.ip("db", "link set side netns foreign"))
        lab.pings("db", "10.8.0.1")

    def test_set_down(self):
        """The kernel deletes the IPv4 routes without an event, and the IPv6 addresses."""
        self.disturbed(r"drift: web/eth0\b", lambda: lab.ip("web", "link set eth0 down"))
        lab.pings("web", "203.0.113.1")

    def test_set_down_in_host(self):
        self.disturbed(r"drift: host/br0\b", lambda: lab.ip(HOST, "link set br0 down"))
        lab.pings("web", "203.0.113.1")

    def test_mtu(self):
        self.disturbed(r"drift: web/eth0: .*mtu", lambda: lab.ip("web", "link set eth0 mtu 1300"))

    def test_mac_address_given(self):
        self.disturbed(r"drift: db/eth0: .*mac", lambda: lab.ip("db", "link set eth0 address 02:00:00:00:00:99"))

    def test_mac_address_chosen(self):
        self.disturbed(r"drift: web/eth0: .*mac", lambda: lab.ip("web", "link set eth0 address 02:00:00:00:00:99"))

    def test_mark_removed(self):
        """Without its mark a link would no longer be ours."""
        self.disturbed(r"drift: web/eth0\b", lambda: lab.ip("web", "link set eth0 alias other"))


class Bridges(Drift):
    def test_port_taken_out(self):
        self.disturbed(r"drift: host/c1\b", lambda: lab.ip(HOST, "link set c1 nomaster"))
        lab.pings("web", "10.0.0.12")

    def test_port_put_into_another_bridge(self):
        lab.ip(HOST, "link add name other address 0e:00:00:00:00:01 type bridge")
        self.wanted = self.settle(self.d)
        self.disturbed(r"drift: host/c1\b", lambda: lab.ip(HOST, "link set c1 master other"))

    def test_port_attributes(self):
        self.disturbed(r"drift: host/c2: .*hairpin", lambda: lab.bridge(HOST, "link set dev c2 hairpin off"))
        self.disturbed(r"drift: host/c2: .*cost", lambda: lab.bridge(HOST, "link set dev c2 cost 5"))

    def test_bridge_attributes(self):
        self.disturbed(r"drift: host/br0: .*ageing-time",
                       lambda: lab.ip(HOST, "link set br0 type bridge ageing_time 20000"))
        self.disturbed(r"drift: host/br0: .*forward-delay",
                       lambda: lab.ip(HOST, "link set br0 type bridge forward_delay 1500"))

    def test_bridge_deleted(self):
        self.disturbed(r"drift: host/br0\b", lambda: lab.ip(HOST, "link del br0"))
        lab.pings("web", "203.0.113.1")


class Addresses(Drift):
    def test_removed(self):
        self.disturbed(r"drift: db/eth0: .*10\.0\.0\.12/24.*removed",
                       lambda: lab.ip("db", "addr del 10.0.0.12/24 dev eth0"))

    def test_removed_ipv6(self):
        self.disturbed(r"drift: web/eth0: .*fd00:1::11/64",
                       lambda: lab.ip("web", "addr del fd00:1::11/64 dev eth0"))

    def test_removed_from_bridge(self):
        self.disturbed(r"drift: host/br0: .*10\.0\.0\.1/24", lambda: lab.ip(HOST, "addr del 10.0.0.1/24 dev br0"))
        lab.pings("web", "203.0.113.1")

    def test_flushed(self):
        """All addresses but the link-local one, which the kernel would not restore by itself."""
        self.disturbed(r"drift: web/eth0: .*10\.0\.0\.11/24",
                       lambda: lab.ip("web", "addr flush dev eth0 scope global"))

    def test_altered(self):
        def relabel():
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            lab.ip("web", "addr add 10.0.0.11/24 dev eth0 label eth0:foo")
        self.d.process.send_signal(lab.signal.SIGSTOP)
        relabel()
        self.disturbed(r"drift: web/eth0: .*10\.0\.0\.11/24",
                       lambda: self.d.process.send_signal(lab.signal.SIGCONT))

    def test_foreign_address_of_the_same_subnet_is_ignored(self):
        lab.ip("web", "addr add 10.0.0.99/24 dev eth0")
        lab.ip("web", "addr add fd00:1::99/64 dev eth0 nodad")
        # Another drift in the same namespace shows that the daemon has scanned it since.
        with self.d.expects(r"drift: web/eth0: .*mtu"):
            lab.ip("web", "link set eth0 mtu 1300")
        for address in ("10.0.0.99/24", "fd00:1::99/64"):
            self.assertIn(address, lab.addresses("web", "eth0"))
        self.assertIsNone(self.d.find(r"10\.0\.0\.99|fd00:1::99"))
        self.topod("plan", self.path, expect=0)


class Routes(Drift):
    def test_removed(self):
        self.disturbed(r"drift: web\b.*(default|0\.0\.0\.0/0).*removed", lambda: lab.ip("web", "route del default"))
        lab.pings("web", "203.0.113.1")

    def test_removed_ipv6(self):
        self.disturbed(r"drift: web\b.*(default|::/0)", lambda: lab.ip("web", "-6 route del default"))

    def test_blackhole_removed(self):
        self.disturbed(r"drift: web\b.*10\.66\.0\.0/16", lambda: lab.ip("web", "route del blackhole 10.66.0.0/16"))

    def test_replaced(self):
        """`ip route replace` removes the mark too, and causes no event of a deletion."""
        self.disturbed(r"drift: web\b.*(default|0\.0\.0\.0/0)",
                       lambda: lab.ip("web", "route replace default via 10.0.0.12"))

    def test_attribute_changed(self):
        self.disturbed(r"drift: web\b.*10\.77\.0\.0/16.*mtu", lambda: lab.ip(
            "web", "route replace 10.77.0.0/16 via 10.0.0.12 metric 50 mtu 900"))

    def test_metric_changed(self):
        def change():
            lab.ip("web", "route add 10.77.0.0/16 via 10.0.0.12 metric 51")
            lab.ip("web", "route del 10.77.0.0/16 metric 50")
        with self.d.expects(r"drift: web\b.*10\.77\.0\.0/16"):
            change()
        found = {r["metric"] for r in lab.routes("web") if r["dst"] == "10.77.0.0/16"}
        self.assertEqual({50, 51}, found)  # ours is back, and the other is foreign

    def test_multipath_weight_changed(self):
        self.disturbed(r"drift: db\b.*10\.88\.0\.0/16", lambda: lab.ip(
            "db", "route replace 10.88.0.0/16 nexthop via 10.0.0.1 weight 1 nexthop via 10.8.0.1 weight 1"))

    def test_multipath_hop_removed(self):
        self.disturbed(r"drift: db\b.*10\.88\.0\.0/16",
                       lambda: lab.ip("db", "route replace 10.88.0.0/16 via 10.0.0.1"))

    def test_flushed(self):
        self.disturbed(r"drift: web\b.*10\.77\.0\.0/16", lambda: lab.ip("web", "route flush table main scope global"))

    def test_flushed_with_the_connected_routes(self):
        """The connected route belongs to the address; without it no gateway can be reached."""
        with self.d.expects(r"drift: web\b.*10\.77\.0\.0/16"):
            lab.ip("web", "route flush table main")
        self.assertIsNone(self.d.find("the repair failed"))
        self.wait_for_state(self.wanted, self.d)


class Sysctls(Drift):
    def test_with_an_event(self):
        self.disturbed(r"drift: web\b.*rp_filter",
                       lambda: lab.sysctl_set("web", "net.ipv4.conf.eth0.rp_filter", 1))

    def test_forwarding(self):
        self.disturbed(r"drift: host\b.*forward", lambda: lab.sysctl_set(HOST, "net.ipv4.ip_forward", 0))
        lab.pings("web", "203.0.113.1")

    def test_forwarding_ipv6(self):
        self.disturbed(r"drift: host\b.*forward",
                       lambda: lab.sysctl_set(HOST, "net.ipv6.conf.all.forwarding", 0))


class Nat(Drift):
    def rule(self):
        """A rule of topod's table in the host namespace: (family, table, chain, handle)."""
        found = json.loads(lab.nft(HOST, "-j -a list ruleset").stdout)["nftables"]
        r = next(x["rule"] for x in found if "rule" in x)
        return r["family"], r["table"], r["chain"], r["handle"]

    def works(self):
        lab.pings("web", "203.0.113.1")
        with lab.Connection("outside", "203.0.113.2", 8080, "web", "0.0.0.0", 80) as connection:
            connection.say(b"published")

    def test_ruleset_flushed(self):
        self.disturbed(r"drift: host\b.*(nat|table)", lambda: lab.nft(HOST, "flush ruleset"))
        self.works()

    def test_table_flushed(self):
        family, table, _, _ = self.rule()
        self.disturbed(r"drift: host\b.*(nat|table)", lambda: lab.nft(HOST, "flush table", family, table))
        self.works()

    def test_table_deleted(self):
        family, table, _, _ = self.rule()
        self.disturbed(r"drift: host\b.*(nat|table)", lambda: lab.nft(HOST, "delete table", family, table))
        self.works()

    def test_rule_deleted(self):
        family, table, chain, handle = self.rule()
        self.disturbed(r"drift: host\b.*(nat|table)", lambda: lab.nft(
            HOST, "delete rule", family, table, chain, "handle", handle))
        self.works()

    def test_rule_replaced(self):
        family, table, chain, handle = self.rule()
        self.disturbed(r"drift: host\b.*(nat|table)", lambda: lab.nft(
            HOST, "replace rule", family, table, chain, "handle", handle, "counter accept"))
        self.works()

    def test_rule_added(self):
        family, table, chain, _ = self.rule()
        self.disturbed(r"drift: host\b.*(nat|table)", lambda: lab.nft(
            HOST, "insert rule", family, table, chain, "counter accept"))
        self.works()

    def test_foreign_table_is_ignored(self):
        lab.nft(HOST, "add table inet operator")
        with self.d.expects(r"drift: host\b.*(nat|table)"):
            family, table, _, _ = self.rule()
            lab.nft(HOST, "flush table", family, table)
        self.assertIn("operator", lab.nft(HOST, "list tables").stdout)
        self.assertIsNone(self.d.find("operator"))


class OtherKinds(Drift):
    text = """\
topology: kinds
namespaces:
  a:
    interfaces:
      wire: {addresses: [192.0.2.1/24]}
      mv:
        kind: macvlan
        link: wire
        mode: private
        addresses: [10.1.0.1/24]
      vx:
        kind: vxlan
        id: 42
        local: 192.0.2.1
        remote: 192.0.2.2
        port: 4789
        ttl: 9
        addresses: [10.2.0.1/24]
      vg:
        kind: vxlan
        id: 44
        group: 239.0.0.1
        dev: wire
  b:
    interfaces:
      wire: {addresses: [192.0.2.2/24]}
links: [[a:wire, b:wire]]
"""

    def test_macvlan_deleted(self):
        self.disturbed(r"drift: a/mv\b", lambda: lab.ip("a", "link del mv"))

    def test_macvlan_mode_changed(self):
        self.disturbed(r"drift: a/mv: .*mode", lambda: lab.ip("a", "link set mv type macvlan mode bridge"))

    def test_vxlan_deleted(self):
        self.disturbed(r"drift: a/vx\b", lambda: lab.ip("a", "link del vx"))

    def test_vxlan_changed(self):
        self.disturbed(r"drift: a/vx: .*ttl", lambda: lab.ip("a", "link set vx type vxlan id 42 ttl 3"))

    ZERO = "00:00:00:00:00:00"

    def flood(self, name="vx"):
        """Where a vxlan sends frames with unknown destinations."""
        return [l for l in lab.bridge("a", f"fdb show dev {name}").stdout.splitlines() if l.startswith(self.ZERO)]

    def test_vxlan_entry_deleted(self):
        """The link still has its remote end, but no packet would leave."""
        before = self.flood()
        self.disturbed(r"drift: a/vx: remote was changed from 192.0.2.2 to none; restored",
                       lambda: lab.bridge("a", f"fdb del {self.ZERO} dev vx dst 192.0.2.2"))
        self.assertEqual(before, self.flood())

    def test_vxlan_entries_appended(self):
        before = self.flood()
        for more, told in (("192.0.2.9", "192.0.2.9"), ("192.0.2.2 port 99", "192.0.2.2 port 99"),
                           ("192.0.2.2 vni 9 via wire", r"192.0.2.2 id 9 by interface \d+")):
            self.disturbed(rf"drift: a/vx: remote was changed from 192.0.2.2 to 192.0.2.2 and {told}; restored",
                           lambda: lab.bridge("a", f"fdb append {self.ZERO} dev vx dst {more}"))
            self.assertEqual(before, self.flood())

    def test_vxlan_entry_replaced(self):
        self.d.process.send_signal(lab.signal.SIGSTOP)
        before = self.flood()
        lab.bridge("a", f"fdb append {self.ZERO} dev vx dst 192.0.2.9")
        lab.bridge("a", f"fdb del {self.ZERO} dev vx dst 192.0.2.2")
        self.assertIn("~ vx: remote 192.0.2.9 -> 192.0.2.2", self.topod("plan", self.path, expect=2).stdout)
        with self.d.expects(r"drift: a/vx: remote was changed from 192.0.2.2 to 192.0.2.9; restored"):
            self.d.process.send_signal(lab.signal.SIGCONT)
        self.assertEqual(before, self.flood())

    def test_vxlan_far_end_and_entries_changed(self):
        """Both at once, together with another change of the link."""
        self.d.process.send_signal(lab.signal.SIGSTOP)
        before = self.flood()
        lab.ip("a", "link set vx type vxlan id 42 remote 192.0.2.7 ttl 3")
        lab.bridge("a", f"fdb append {self.ZERO} dev vx dst 192.0.2.9")
        with self.d.expects(r"drift: a/vx: remote was changed from 192.0.2.2 to 192.0.2.7 and 192.0.2.9, ttl was .*; restored"):
            self.d.process.send_signal(lab.signal.SIGCONT)
        self.assertEqual(before, self.flood())

    def test_vxlan_group_entry_deleted(self):
        before = self.flood("vg")
        self.disturbed(r"drift: a/vg: group was changed from 239.0.0.1 to none; restored",
                       lambda: lab.bridge("a", f"fdb del {self.ZERO} dev vg dst 239.0.0.1 via wire"))
        self.assertEqual(before, self.flood("vg"))

    def test_vxlan_entries_of_others(self):
        """Entries for known addresses are not declared, and stay."""
        before = len(lab.bridge("a", "fdb show dev vx").stdout.splitlines())
        lab.bridge("a", "fdb append 02:00:00:00:00:08 dev vx dst 192.0.2.8")
        self.disturbed(r"drift: a/vx: .*ttl", lambda: lab.ip("a", "link set vx type vxlan id 42 ttl 3"))
        self.assertEqual(before + 1, len(lab.bridge("a", "fdb show dev vx").stdout.splitlines()))

    def test_vxlan_replaced(self):
        """Another tunnel with the same name: it cannot be changed in place, and it is foreign."""
        self.d.process.send_signal(lab.signal.SIGSTOP)
        lab.ip("a", "link del vx")
        lab.ip("a", "link add vx type vxlan id 43 dstport 4789 local 192.0.2.1 remote 192.0.2.2")
        with self.d.expects(r"a/vx\b"):
            self.d.process.send_signal(lab.signal.SIGCONT)
        self.disturbed(r"a/vx\b", lambda: lab.ip("a", "link del vx"))

    def test_the_parent_of_a_macvlan_deleted(self):
        self.disturbed(r"drift: [ab]/wire\b", lambda: lab.ip("b", "link del wire"))


class Existing(Case):
    """Declared objects that topod did not make are kept as declared, and never created or deleted."""

    TEXT = """\
topology: existing
namespaces:
  host:
    interfaces:
      nic: {kind: existing, mtu: 1400, addresses: [192.0.2.1/24]}
"""

    def test_existing(self):
        lab.veth(HOST, "nic", HOST, "wire", "192.0.2.77/24")
        before = self.settle(exact=True)
        path = self.spec(self.TEXT, "existing.yaml")
        d = self.daemon(path).ready()
        with d.expects(r"drift: host/nic: .*192\.0\.2\.1/24"):
            lab.ip(HOST, "addr del 192.0.2.1/24 dev nic")
        with d.expects(r"drift: host/nic: .*mtu"):
            lab.ip(HOST, "link set nic mtu 1280")
        self.assertEqual(["192.0.2.1/24", "192.0.2.77/24"],
                         [a for a in lab.addresses(HOST, "nic") if a.startswith("192")])
        d.stop()
        self.topod("down", path)
        self.same(before, lab.snapshot(exact=True), "down left a trace")


class Policy(Case):
    """`drift: report` changes nothing, `ignore` is silent; the innermost setting applies."""

    def text(self, top="", web="", eth0="", db=""):
        return lab.edit(OFFICE,
                        ("topology: office\n", f"topology: office\n{top}"),
                        ("  web:\n    dns", f"  web:\n{web}    dns"),
                        ("        mtu: 1400\n", f"{eth0}        mtu: 1400\n"),
                        ("  db:\n    interfaces", f"  db:\n{db}    interfaces"))

    def start(self, **kwargs):
        return self.daemon(self.spec(self.text(**kwargs))).ready()

    def test_report(self):
        d = self.start(web="    drift: report\n")
        with d.expects(r"drift: web/eth0: .*10\.0\.0\.11/24"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        # A second drift in the same namespace shows that it was scanned again.
        with d.expects(r"drift: web/eth0: .*mtu"):
            lab.ip("web", "link set eth0 mtu 1300")
        # Elsewhere drift is still repaired.
        with d.expects(r"drift: db/eth0: .*10\.0\.0\.12/24.*restored"):
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        self.assertNotIn("10.0.0.11/24", lab.addresses("web", "eth0"))
        self.assertEqual(1300, lab.link("web", "eth0")["mtu"])
        self.assertIsNone(d.find(r"drift: web/eth0.*restored"))
        self.assertEqual(1, len([l for l in d.lines if "drift: web/eth0" in l and "10.0.0.11/24" in l]),
                         "reported more than once")
        d.stop()

    def test_ignore(self):
        d = self.start(web="    drift: ignore\n")
        lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        lab.ip("web", "link set eth0 mtu 1300")
        # The event of the other end comes after them, so they have been read when it is repaired.
        with d.expects(r"drift: host/c1\b"):
            lab.ip(HOST, "link set c1 nomaster")
        with d.expects(r"drift: db/eth0: .*10\.0\.0\.12/24"):
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        self.assertIsNone(d.find(r"drift: web\b"))
        self.assertNotIn("10.0.0.11/24", lab.addresses("web", "eth0"))
        self.assertEqual(1300, lab.link("web", "eth0")["mtu"])
        d.stop()

    def test_the_nearest_wins(self):
        d = self.start(top="drift: report\n", web="    drift: restore\n", eth0="        drift: ignore\n")
        lab.ip("web", "link set eth0 mtu 1300")  # ignored: set on the interface
        with d.expects(r"drift: web\b.*10\.66\.0\.0/16"):  # restored: set on the namespace
            lab.ip("web", "route del blackhole 10.66.0.0/16")
        self.wait_until(lambda: lab.route("web", "10.66.0.0/16"), "the route restored", d)
        with d.expects(r"drift: db/eth0: .*10\.0\.0\.12/24"):  # reported: set on the topology
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        with d.expects(r"drift: db/side\b"):
            lab.ip("db", "addr del 10.8.0.2/24 dev side")
        self.assertNotIn("10.0.0.12/24", lab.addresses("db", "eth0"))
        self.assertEqual(1300, lab.link("web", "eth0")["mtu"])
        self.assertIsNone(d.find(r"drift: web/eth0: .*mtu"))
        d.stop()

    def test_report_does_not_hinder_the_first_convergence(self):
        d = self.start(top="drift: report\n")
        lab.pings("web", "203.0.113.1")
        d.stop()


if __name__ == "__main__":
    lab.main()
