# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every field of every kind of link that few build machines' kernels have, from one table. CMakeLists.txt runs `Fields` in
User-Mode Linux, `OtherKernels`, which that one lacks, in Debian's own kernel, and `OwnKernel`, which both lack, on the machine's
own.

Each kind is built and stays as it is. Each field that is changed by hand is restored, by `apply` and by the daemon. Each field
that is edited is changed in place or by recreation, as the table says. Fields that leave the file go back to the
default. Removal leaves no trace. The table must contain each field that `topod schema` has for these kinds.
"""

import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import lab  # noqa: E402
from lab import Case  # noqa: E402

# What ip asks for.
PROBES = {"vxlan": ("id", "1", "dstport", "4789"),
          "erspan": ("remote", "10.0.0.9", "seq", "key", "1", "erspan_ver", "1"), "xfrm": ("dev", "lo", "if_id", "1"),
          "geneve": ("id", "1", "remote", "10.0.0.9"), "vrf": ("table", "1"), **{kind: ("remote", "10.0.0.9") for kind in ("gre", "gretap", "ipip", "sit", "vti")},
          **{kind: ("remote", "fd00::9") for kind in ("ip6gre", "ip6gretap", "ip6tnl", "vti6")}}
IN_PLACE, RECREATED = "in place", "recreated"
FEW = 4  # changes of one object that a daemon takes without backing off


class Field:
    """key: first and second are values in the file; by hand, ip's words set a third. None: ip has no word for it. when_down: only
    while the interface is down."""

    def __init__(self, key, first, second, by_hand, how=IN_PLACE, when_down=False):
        self.key, self.first, self.second, self.by_hand, self.how = key, first, second, by_hand, how
        self.when_down = when_down


ENDS4 = [Field("local", "10.0.0.1", "10.0.0.3", "local 10.0.0.5"), Field("remote", "10.0.0.2", "10.0.0.4", "remote 10.0.0.6")]
ENDS6 = [Field("local", '"fd00::1"', '"fd00::3"', "local fd00::5"), Field("remote", '"fd00::2"', '"fd00::4"', "remote fd00::6")]
OUTER4 = [Field("ttl", "64", "inherit", "ttl 99"), Field("tos", "16", "inherit", "tos 8")]
PMTU = [Field("pmtu-discovery", "true", "true", None)]
OUTER6 = [Field("ttl", "64", "inherit", "ttl 99"), Field("tos", "16", "inherit", "tclass 0x20"),
          Field("flow-label", "5", "inherit", "flowlabel 0x7"), Field("encapsulation-limit", "4", "none", "encaplimit 2")]
KEYS = [Field("key", "5", "7", "key 9")]
TWO_KEYS = [Field("input-key", "5", "none", "ikey 9"), Field("output-key", "6", "8", "okey 10")]
GRE = [Field("sequence", "true", "false", "noseq"), Field("checksum", "true", "false", "nocsum")]
DEV = [Field("dev", "d", "d2", None, RECREATED)]

BRIDGE = [Field("stp", "false", "false", None), Field("forward-delay", "4s", "5s", "forward_delay 600"),
          Field("hello-time", "1s", "3s", "hello_time 200"), Field("max-age", "10s", "11s", "max_age 1200"),
          Field("ageing-time", "100s", "110s", "ageing_time 12000"), Field("priority", "4096", "8192", "priority 12288"),
          Field("mcast-snooping", "false", "true", "mcast_snooping 1"), Field("group-fwd-mask", "8", "16", "group_fwd_mask 32"),
          Field("mcast-querier", "true", "false", "mcast_querier 0"), Field("mcast-router", "disabled", "permanent", "mcast_router 1"),
          Field("mcast-igmp-version", "3", "2", "mcast_igmp_version 2"), Field("mcast-mld-version", "2", "1", "mcast_mld_version 1"),
          Field("no-linklocal-learn", "true", "false", "no_linklocal_learn 0")]
BRIDGE_VLANS = [Field("vlan-filtering", "true", "false", "vlan_filtering 0"), Field("vlan-protocol", "802.1ad", "802.1q", "vlan_protocol 802.1q"),
                Field("vlan-default-pvid", "5", "none", "vlan_default_pvid 7"), Field("vlan-stats", "true", "false", "vlan_stats_enabled 0")]
VXLAN = [Field("id", "5", "6", None, RECREATED), Field("remote", "10.0.0.2", "10.0.0.4", "id 5 remote 10.0.0.6"),
         Field("local", "10.0.0.1", "10.0.0.3", "id 5 local 10.0.0.5"), Field("port", "4789", "4790", None, RECREATED),
         Field("dev", "d", "d2", None, RECREATED), Field("ttl", "5", "6", "id 5 ttl 7"), Field("tos", "16", "1", "id 5 tos 8"),
         Field("learning", "false", "true", "id 5 learning"), Field("ageing-time", "100s", "200s", "id 5 ageing 150"),
         Field("udp-checksum", "false", "true", None, RECREATED), Field("source-ports", "1000-2000", "3000-4000", None, RECREATED),
         Field("df", "set", "inherit", "id 5 df unset"), Field("limit", "7", "8", None, RECREATED),
         *(Field(key, "true", "false", None, RECREATED) for key in ("proxy", "l2-miss", "l3-miss", "gbp"))]
VXLANS = [VXLAN, [Field("id", "5", "5", None), Field("group", "239.0.0.1", "239.0.0.2", None), Field("dev", "d", "d", None)],
          [Field("external", "true", "true", None), Field("vni-filter", "true", "false", None, RECREATED)]]

SIX_RD = [Field("local", "10.0.0.1", "10.0.0.3", "local 10.0.0.5"), Field("6rd-prefix", '"2001:db8::/32"', '"2001:db9::/32"', None)]

DELAYS = [Field("up-delay", "200", "400ms", "updelay 600"), Field("down-delay", "200", "400", "downdelay 600"),
          Field("peer-notify-delay", "200", "400", "peer_notify_delay 600")]
BOND = {
    "balance-rr": [Field("packets-per-member", "5", "7", "packets_per_slave 9"), Field("resend-igmp", "2", "3", "resend_igmp 4"),
                   Field("gratuitous-arp", "2", "3", "num_grat_arp 4"),
                   Field("all-members-active", "true", "false", "all_slaves_active 0"),
                   Field("min-links", "1", "2", "min_links 3"), Field("learn-interval", "2s", "3", "lp_interval 4"),
                   Field("miimon", "100", "200ms", "miimon 50"), Field("use-carrier", "false", "true", "use_carrier 1"), *DELAYS],
    "active-backup": [Field("arp-interval", "100", "200ms", "arp_interval 300"),
                      Field("arp-ip-targets", "[10.0.0.8, 10.0.0.9]", "10.0.0.7", "arp_ip_target 10.0.0.6"),
                      Field("ns-ip6-targets", '"fd00::8"', '["fd00::9", "fd00::a"]', "ns_ip6_target fd00::7"),
                      Field("arp-missed-max", "3", "4", "arp_missed_max 5"), Field("arp-validate", "all", "active", "arp_validate backup"),
                      Field("arp-all-targets", "all", "any", "arp_all_targets any"),
                      Field("primary-reselect", "better", "failure", "primary_reselect always"),
                      Field("fail-over-mac", "active", "follow", None, RECREATED)],
    "802.3ad": [Field("transmit-hash-policy", "layer2+3", "encap3+4", "xmit_hash_policy vlan+srcmac"),
                Field("lacp-rate", "fast", "slow", "lacp_rate slow", when_down=True),
                Field("lacp-active", "false", "true", "lacp_active on", when_down=True),
                Field("ad-select", "bandwidth", "count", "ad_select stable", when_down=True),
                Field("ad-actor-system", '"02:00:00:00:00:08"', '"02:00:00:00:00:09"', "ad_actor_system 02:00:00:00:00:07"),
                Field("ad-actor-system-priority", "8", "9", "ad_actor_sys_prio 7"),
                Field("ad-user-port-key", "8", "9", "ad_user_port_key 7", when_down=True)],
    "balance-tlb": [Field("tlb-dynamic", "false", "true", "tlb_dynamic_lb 1", when_down=True)],
    "broadcast": [Field("mode", "broadcast", "balance-xor", None, RECREATED)],
}

# kind: its fields. A field may stand in a second table of the kind, where it contradicts another.
KINDS = {
    "gre": [ENDS4 + OUTER4 + KEYS + GRE + DEV + PMTU, ENDS4 + TWO_KEYS,
            [Field("ttl", "inherit", "inherit", None), Field("pmtu-discovery", "false", "true", "pmtudisc"),
             Field("remote", "10.0.0.2", "10.0.0.4", "remote 10.0.0.6")],
            ENDS4 + [Field("pmtu-discovery", "false", "false", None), Field("ignore-df", "true", "false", "noignore-df")]],
    "gretap": [ENDS4 + OUTER4 + KEYS + GRE + DEV + PMTU, ENDS4 + TWO_KEYS,
               ENDS4 + [Field("pmtu-discovery", "false", "false", None), Field("ignore-df", "true", "false", "noignore-df")]],
    "ip6gre": [ENDS6 + OUTER6 + KEYS + GRE + DEV, ENDS6 + TWO_KEYS],
    "ip6gretap": [ENDS6 + OUTER6 + KEYS + GRE + DEV, ENDS6 + TWO_KEYS],
    "erspan": [ENDS4 + OUTER4 + PMTU + DEV + [Field("key", "5", "7", "key 9"), Field("version", "1", "1", None),
                                              Field("index", "3", "4", "erspan 5")],
               ENDS4 + [Field("key", "5", "7", None), Field("version", "2", "2", None),
                        Field("direction", "egress", "ingress", "erspan_dir ingress"),
                        Field("hardware-id", "3", "4", "erspan_hwid 0x5")],
               ENDS4 + [Field("key", "5", "5", None), Field("pmtu-discovery", "false", "false", None),
                        Field("ignore-df", "true", "false", None)]],
    "ipip": [ENDS4 + OUTER4 + PMTU + DEV + [Field("mode", "any", "ipip", None, RECREATED)]],
    "sit": [ENDS4 + OUTER4 + PMTU + DEV + [Field("mode", "any", "ip6ip", None, RECREATED)],
            SIX_RD],
    "ip6tnl": [ENDS6 + OUTER6 + DEV + [Field("mode", "any", "ip6ip6", "mode ip6ip6")]],
    "vti": [ENDS4 + KEYS + DEV, ENDS4 + TWO_KEYS],
    "vti6": [ENDS6 + KEYS + DEV, ENDS6 + TWO_KEYS],
    "xfrm": [[Field("id", "5", "7", None, RECREATED), Field("dev", "d", "d2", None, RECREATED)],
             [Field("external", "true", "true", None)]],
    "geneve": [[Field("id", "5", "6", None, RECREATED), Field("remote", "10.0.0.2", "10.0.0.4", "id 5 remote 10.0.0.6"),
                Field("port", "6081", "7000", None, RECREATED), Field("ttl", "5", "6", "id 5 remote 10.0.0.2 ttl 7"),
                Field("tos", "16", "inherit", "id 5 remote 10.0.0.2 tos 8"), Field("df", "set", "inherit", "id 5 remote 10.0.0.2 df unset"),
                Field("udp-checksum", "true", "false", None, RECREATED)],
               [Field("id", "5", "5", None), Field("udp-checksum", "false", "true", None, RECREATED),
                Field("remote", '"fd00::2"', '"fd00::4"', "id 5 remote fd00::6")],
               [Field("id", "5", "5", None), Field("udp-checksum", "false", "false", None),
                Field("remote", '"fd00::2"', '"fd00::4"', None, RECREATED)]],
    "bond": [[*fields, *([] if mode == "broadcast" else [Field("mode", mode, mode, None)])] for mode, fields in BOND.items()],
    "vrf": [[Field("table", "10", "20", None, RECREATED)]],
    "bridge": [BRIDGE, BRIDGE_VLANS, [Field("stp", "true", "false", "stp_state 0")]],
    "vxlan": VXLANS,
    "nlmon": [[]],
    "dummy": [[]],
    "ifb": [[]],
}
# Fields that stay when all others leave the file, because these kinds need them.
KEPT_OF = {"erspan": {"key"}, "bond": {"mode"}}
KEPT = {"table", "remote", "local", "external", "id", "version"}
ELSEWHERE = {"underlay": "test_tunnels.py", "ports": "test_bridges.py, test_controllers.py",
             "primary": "test_controllers.py", **dict.fromkeys(("pvid", "untagged", "tagged"), "test_bridges.py"),
             "fdb-max-learned": "OwnKernel", "remotes": "../netns/test_fdb.py"}

SPEC = """\
namespaces:
  a:
    interfaces:
      d: {kind: dummy, addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}
      d2: {kind: dummy}
      x: {kind: %s}
"""


class Tables(Case):
    of_every_kind = {"ipv6-address-generation": "none"}  # whose defaults differ

    def write(self, kind, values):
        return self.spec(SPEC % ", ".join([kind, *(f"{key}: {value}" for key, value in values.items())]))

    def apply(self, kind, values):
        path = self.write(kind, values)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def shown(self):
        """Without what follows from the rest: the index, the MTU."""
        link = lab.link("a", "x")
        data = {key: value for words in ("info_data", "info_slave_data") for key, value in link["linkinfo"].get(words, {}).items()
                if not key.endswith("_timer")}
        return {"kind": link["linkinfo"]["info_kind"], "data": data, "address": link.get("address"), "generation": link["inet6_addr_gen_mode"],
                "flags": sorted(set(link["flags"]) - lab.VOLATILE_FLAGS)}

    def by_hand(self, kind, field):
        if field.when_down:
            lab.ip("a", "link set x down")
        lab.ip("a", f"link set x type {kind} {field.by_hand}")
        if field.when_down:
            lab.ip("a", "link set x up")

    def each_by_hand(self, kind, fields, values):
        path = self.apply(kind, values)
        want = self.shown()
        for field in [f for f in fields if f.by_hand]:
            with self.subTest(kind=kind, by_hand=field.by_hand):
                self.by_hand(kind, field)
                self.assertNotEqual(want, self.shown(), "ip changed nothing")
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(want, self.shown())
        return path

    def each_edited(self, kind, fields, values):
        for field in fields:
            with self.subTest(kind=kind, edited=field.key):
                before = lab.link("a", "x")["ifindex"]
                values = dict(values, **{field.key: field.second})
                self.apply(kind, values)
                now = lab.link("a", "x")["ifindex"]
                if field.first != field.second:
                    self.assertEqual(field.how, IN_PLACE if now == before else RECREATED)

    def each_heard(self, kind, fields, path):
        """Changes while the daemon runs are undone when it hears of them."""
        fields = [f for f in fields if f.by_hand and not f.when_down]  # the daemon would bring the interface up meanwhile
        for few in [fields[i:i + FEW] for i in range(0, len(fields), FEW)]:
            d = self.daemon(path).ready()
            want = self.shown()
            for field in few:
                with d.expects(r"drift: a/x: .*restored"):
                    self.by_hand(kind, field)
            d.stop()
            self.assertEqual(want, self.shown())

    def check(self, kind, tables):
        self.probe(kind, *PROBES.get(kind, ()))
        self.before = lab.snapshot()  # the first of some kinds brings one that the kernel itself makes
        self.check_tables(kind, tables)

    def check_tables(self, kind, tables):
        for fields in tables:
            values = {field.key: field.first for field in fields}
            path = self.each_by_hand(kind, fields, values)
            self.each_heard(kind, fields, path)
            self.each_edited(kind, fields, values)
            kept = {key: value for key, value in values.items() if key in KEPT | KEPT_OF.get(kind, set())}
            self.apply(kind, dict(kept, **self.of_every_kind))
            bare = self.apply(kind, kept)
            gone_back = self.shown()
            self.topod("down", bare)
            self.apply(kind, kept)
            self.assertEqual(self.shown(), gone_back, "what left the file has not gone back to the default")
            self.topod("down", bare)
            self.same(self.before, lab.snapshot(), "down left a trace")

    def documented(self, title):
        """The keys that the reference page has under this title."""
        told = re.split(rf"^##+ {title}$", self.topod("schema", "--markdown").stdout, flags=re.M)[1].split("\n##")[0]
        return {line.split("`")[1] for line in told.splitlines() if line.startswith("| `")}

    def probe(self, kind, *words):
        """The kernel's output for such a link; skips if the kernel has none."""
        made = lab.run("ip", "link", "add", "probe", "type", kind, *words, check=False)
        if made.returncode:
            self.skipTest(f"the kernel {os.uname().release} has no {kind}: {made.stderr.strip()}")
        shown = lab.link("host", "probe")
        lab.run("ip", "link", "delete", "probe")
        return shown


class Fields(Tables):
    def test_every_kind_and_field_has_a_table(self):
        for kind, tables in KINDS.items():
            with self.subTest(kind=kind):
                self.assertTrue(self.documented(kind) or not any(tables))
                self.assertEqual(self.documented(kind) - {field.key for fields in tables for field in fields} - ELSEWHERE.keys(), set())


RTM_NEWLINK, IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA = 16, 18, 1, 2  # linux/rtnetlink.h, linux/if_link.h
IFLA_BR_FDB_MAX_LEARNED = 49  # from Linux 6.7


class OwnKernel(Tables):
    """Fields that are newer than the other kernels."""

    def learn_at_most(self, number):
        """By hand; ip had no word for it when the kernel got it."""
        info = lab.attribute(IFLA_INFO_KIND, b"bridge\0") + lab.attribute(
            IFLA_INFO_DATA, lab.attribute(IFLA_BR_FDB_MAX_LEARNED, struct.pack("=I", number)))
        body = struct.pack("=BxHiII", 0, 0, lab.link("a", "x")["ifindex"], 0, 0) + lab.attribute(IFLA_LINKINFO, info)
        self.assertEqual(0, lab.rtnetlink("a", RTM_NEWLINK, 0, body))

    def test_fdb_max_learned(self):
        if tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups())) < (6, 7):
            self.skipTest(f"the kernel {os.uname().release} has no fdb-max-learned")
        text = "namespaces: {a: {interfaces: {x: {kind: bridge%s}}}}\n"
        path = self.spec(text % ", fdb-max-learned: 100")
        self.topod("apply", path)
        self.topod("plan", path)
        self.learn_at_most(300)
        self.assertIn("fdb-max-learned 300 -> 100", self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout)
        d = self.daemon(path).ready()
        with d.expects("drift: a/x: fdb-max-learned was changed from 100 to 400; restored"):
            self.learn_at_most(400)
        self.spec(text % ", fdb-max-learned: 200")
        d.reload()
        self.topod("plan", path)
        self.spec(text % "")
        d.reload()
        d.stop()
        self.spec(text % ", fdb-max-learned: 0")
        self.topod("plan", path)  # the default
        self.topod("down", path)


class OtherKernels(Tables):
    def test_xfrm(self):
        self.check("xfrm", KINDS["xfrm"])

    def test_6rd(self):
        if "2001:db8::" not in str(self.probe("sit", "remote", "10.0.0.9", "6rd-prefix", "2001:db8::/32")):
            self.skipTest(f"the kernel {os.uname().release} has no 6rd")
        self.check("sit", [SIX_RD])


class BondFields(Tables):
    """Those of a bond take as long as those of all other kinds."""


for name in KINDS.keys() - {"xfrm"}:
    setattr(BondFields if name == "bond" else Fields, f"test_{name}",
            lambda self, name=name: self.check(name, [fields for fields in KINDS[name] if fields is not SIX_RD]))

if __name__ == "__main__":
    lab.main()
