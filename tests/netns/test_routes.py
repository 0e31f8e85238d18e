# SPDX-License-Identifier: GPL-2.0-or-later
"""
The rarer words of routes, from one table: each reaches the kernel, is changed in place, is repaired, and goes
back. Plain text is enough to compare: `ip route` accepts what it prints for a route.
"""

import lab
from lab import Case

RTM_NEWROUTE, RTM_DELROUTE = 24, 25  # linux/rtnetlink.h

OFFICE = """\
namespaces:
  web:
    interfaces:
      eth0: {addresses: [10.0.0.11/24, {address: "fd00:1::11/64", nodad: true}]}
    routes:
      - {to: TO, via: VIAWORDS}
  db: {interfaces: {eth0: {addresses: [10.0.0.1/24, {address: "fd00:1::1/64", nodad: true}]}}}
links: [[web:eth0, db:eth0]]
"""
TO = {4: "10.20.0.0/16", 6: '"2001:db8::/32"'}
VIA = {4: "10.0.0.1", 6: '"fd00:1::1"'}


class Word:
    """Two values in the file, and how ip shows and writes them; a third is set by hand."""

    def __init__(self, key, first, second, shown, by_hand, families=(4, 6)):
        self.key, self.first, self.second, self.shown, self.by_hand, self.families = key, first, second, shown, by_hand, families


WORDS = [
    Word("mtu", "1300", "1290", ("mtu 1300", "mtu 1290"), "mtu 1285"),
    Word("advmss", "1200", "1100", ("advmss 1200", "advmss 1100"), "advmss 999"),
    Word("initcwnd", "20", "30", ("initcwnd 20", "initcwnd 30"), "initcwnd 40"),
    Word("initrwnd", "21", "31", ("initrwnd 21", "initrwnd 31"), "initrwnd 41"),
    Word("window", "30000", "40000", ("window 30000", "window 40000"), "window 50000"),
    Word("hoplimit", "9", "0xff", ("hoplimit 9", "hoplimit 255"), "hoplimit 7"),
    Word("quickack", "true", "false", ("quickack 1", ""), "window 9"),
    Word("rto-min", "300ms", "2s", ("rto_min lock 300ms", "rto_min lock 2s"), "rto_min 7ms"),
    Word("features", "ecn", "none", ("features ecn", ""), "window 9"),
    Word("features", "[ecn]", "[]", ("features ecn", ""), "window 9"),
    Word("congctl", "reno", "cubic", ("congctl reno", "congctl cubic"), "congctl bbr"),
    Word("preference", "high", "low", ("pref high", "pref low"), "pref medium", (6,)),
]
EACH = [(word, family) for word in WORDS for family in word.families]


def unquoted(text):
    return text.strip('"')


class Routes(Case):
    def file_with(self, family, words):
        return self.spec(lab.edit(OFFICE, ("TO", TO[family]), ("VIA", VIA[family]), ("WORDS", words)))

    def shown(self, family):
        """What ip prints of the route, without what every such route has."""
        said = lab.ip("web", f"-{family} route show {unquoted(TO[family])}").stdout.strip()
        for usual in (unquoted(TO[family]), f"via {unquoted(VIA[family])}", "dev eth0", "proto topod", "proto 84", "pref medium",
                      "linkdown"):
            said = said.replace(usual, "", 1)
        return " ".join(said.replace("metric 1024", "").split())

    def test_made_and_changed(self):
        for word, family in EACH:
            with self.subTest(key=word.key, family=family, value=word.first):
                path = self.file_with(family, f", {word.key}: {word.first}")
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(word.shown[0], self.shown(family))
                self.settle(usable=True)  # the kernel's own routes cause events, too
                with lab.Monitor("web") as monitor:
                    self.file_with(family, f", {word.key}: {word.second}")
                    self.topod("apply", path)
                    heard = monitor.heard()
                self.assertEqual((1, 0), (heard.count(RTM_NEWROUTE), heard.count(RTM_DELROUTE)), "changed in place")
                self.assertEqual(word.shown[1], self.shown(family))
                self.topod("plan", path)
                self.file_with(family, f", {word.key}: {word.first}")
                self.topod("apply", path)
                self.file_with(family, "")
                self.topod("apply", path)
                self.assertEqual("", self.shown(family), "taken out of the file")
                self.topod("plan", path)
                self.topod("down", path)

    def test_drift(self):
        for word, family in EACH:
            with self.subTest(key=word.key, family=family, value=word.first):
                path = self.file_with(family, f", {word.key}: {word.first}")
                d = self.daemon(path).ready()
                self.assertEqual(word.shown[0], self.shown(family))
                # with topod's protocol, so that nothing else differs
                lab.ip("web", f"-{family} route change {unquoted(TO[family])} via {unquoted(VIA[family])} proto 84 {word.by_hand}")
                self.wait_until(lambda: self.shown(family) == word.shown[0], "the former value", d)
                d.stop()
                self.topod("down", path)

    def test_a_route_for_some_sources(self):
        """`from` is a part of the identity: such a route can exist beside one for all sources."""
        both = ('\n      - {to: TO, from: "fd00::/32", via: VIA, metric: 7}').replace("TO", TO[6]).replace("VIA", VIA[6])
        path = self.spec(lab.edit(OFFICE, ("TO", TO[6]), ("VIAWORDS}", VIA[6] + ", metric: 7}" + both)))
        self.topod("apply", path)
        self.topod("plan", path)
        found = lab.ip_json("web", "-6 route show 2001:db8::/32")
        self.assertEqual(["fd00::/32", None], sorted((r.get("from") for r in found), key=str, reverse=True))
        d = self.daemon(path).ready()
        with d.expects(r"route 2001:db8::/32 via fd00:1::1 from fd00::/32 metric 7 was removed; restored"):
            lab.ip("web", "-6 route delete 2001:db8::/32 from fd00::/32 metric 7")
        d.stop()
        self.assertEqual(2, len(lab.ip_json("web", "-6 route show 2001:db8::/32")))
        self.topod("down", path)


SEG6 = '{seg6: {mode: MODE, segments: ["fc00::1", "fc00::2"]}}'
ROUTE6, ROUTE4 = '      - {to: "2001:db8::/32", WAY}\n', "      - {to: 10.20.0.0/16, WAY}\n"
DEV = "dev: eth0, encap: ENCAP"
BOTH = 'nexthops: [{via: "fd00:1::1", dev: eth0, encap: ENCAP}, {via: "fd00:1::2", dev: eth0}]'
OBJECT = "    nexthops:\n      - {id: 5, dev: eth0, family: ipv6, encap: ENCAP}\n"


class Encapsulation(Case):
    """SRv6; what this machine's kernel lacks (MPLS, and IP for tunnels) is in ../vm."""

    def text(self, route, way, mode, segments=None):
        spec = lab.edit(OFFICE, ('      - {to: TO, via: VIAWORDS}\n', route.replace("WAY", way)))
        if "nexthop: 5" in way:
            spec = spec.replace("    routes:", OBJECT + "    routes:")
        spec = spec.replace("ENCAP", SEG6).replace("MODE", mode)
        return spec.replace('["fc00::1", "fc00::2"]', segments) if segments else spec

    def encap(self, route):
        if route is ROUTE4:
            said = lab.ip("web", "route show 10.20.0.0/16").stdout
        else:
            said = lab.ip("web", "-6 route show 2001:db8::/32").stdout + lab.ip("web", "nexthop").stdout
        return " ".join(said[said.find("encap"):].split()[:9])

    def test_made_changed_and_repaired(self):
        for route, way, second in ((ROUTE6, DEV, "inline"), (ROUTE6, BOTH, "inline"), (ROUTE6, "nexthop: 5", "inline"),
                                   (ROUTE6, DEV, "l2encap"), (ROUTE4, DEV, "l2encap")):
            with self.subTest(way=way, second=second):
                path = self.spec(self.text(route, way, "encap"))
                self.topod("apply", path)
                self.topod("plan", path)
                first = self.encap(route)
                self.assertEqual("encap seg6 mode encap segs 2 [ fc00::1 fc00::2", first)
                for mode, segments, shown in (("encap", '"fc00::9"', "mode encap segs 1 [ fc00::9"),
                                              (second, None, f"mode {second} segs")):
                    self.spec(self.text(route, way, mode, segments))
                    with lab.Monitor("web") as monitor:
                        self.topod("apply", path)
                        self.assertNotIn(RTM_DELROUTE, monitor.heard())
                    self.assertIn(shown, self.encap(route))
                    self.topod("plan", path)
                self.spec(self.text(route, way, "encap"))
                d = self.daemon(path).ready()
                hand = "encap seg6 mode encap segs fc00::7 dev eth0 proto 84"
                if "nexthop: 5" in way:
                    lab.ip("web", f"-6 nexthop replace id 5 {hand}")
                elif route is ROUTE4:
                    lab.ip("web", f"route change 10.20.0.0/16 {hand} scope link")
                else:
                    lab.ip("web", f"-6 route change 2001:db8::/32 {hand}")
                self.wait_until(lambda: self.encap(route) == first, "the former segments", d)
                d.stop()
                self.spec(self.text(route, way.replace(", encap: ENCAP", ""), "encap").replace(f", encap: {SEG6}".replace("MODE", "encap"), ""))
                self.topod("apply", path)
                self.assertEqual("", self.encap(route).replace("encap", ""), "taken out of the file")
                self.topod("plan", path)
                self.topod("down", path)

    def test_exported(self):
        """`export` writes the keys with which a file makes the same."""
        words = ["encap: {seg6: {segments: [\"fc00::1\"]}}", "features: ecn", "rto-min: 300ms", "congctl: reno", "preference: low",
                 "encap: {seg6: {mode: inline, segments: [\"fc00::1\", \"fc00::2\"]}}", "from: \"fd00::/32\""]
        path = self.spec(f"""\
namespaces:
  web:
    interfaces: {{eth0: {{addresses: [10.0.0.1/24, "fd00:1::1/64"]}}}}
    nexthops: [{{id: 5, dev: eth0, family: ipv6, {words[5]}}}]
    routes:
    - {{to: 10.20.0.0/16, via: 10.0.0.9, {words[1]}, {words[2]}, {words[3]}}}
    - {{to: 10.21.0.0/16, nexthops: [{{via: 10.0.0.9}}, {{dev: eth0, {words[0]}}}]}}
    - {{to: "2001:db8::/32", via: "fd00:1::9", {words[6]}, {words[4]}}}
  db: {{}}
links: [[web:eth0, db:eth0]]
""")
        self.topod("apply", path)
        said = self.topod("export", "--fresh").stdout
        for word in words:
            self.assertIn(word, said.replace('"300ms"', "300ms"))
        self.topod("down", path)
        again = self.spec(said, name="exported.yaml")
        self.topod("apply", again)
        self.assertEqual(said, self.topod("export", "--fresh").stdout)
        self.topod("down", again)

    def test_ways_of_others_go_back(self):
        """In an adopted namespace, a route that topod changed gets all of its former next hops back."""
        lab.ip(lab.HOST, "netns add web")
        lab.veth("web", "eth0", "web", "far")
        for words in ("link set eth0 up", "link set far up", "addr add 10.0.0.11/24 dev eth0", "addr add fd00:1::11/64 dev eth0 nodad",
                      "route add 10.20.0.0/16 nexthop via 10.0.0.1 weight 3 nexthop via 10.0.0.2 dev eth0 onlink",
                      "-6 route add 2001:db8::/32 encap seg6 mode inline segs fc00::1,fc00::2 via fd00:1::7 dev eth0",
                      "-6 nexthop add id 5 encap seg6 mode encap segs fc00::3 via fd00:1::7 dev eth0"):
            lab.ip("web", words)
        before = self.settle()
        path = self.spec("""\
namespaces:
  web:
    adopt: true
    nexthops: [{id: 5, via: "fd00:1::9", dev: eth0}]
    interfaces: {eth0: {kind: existing}}
    routes: [{to: 10.20.0.0/16, via: 10.0.0.9}, {to: "2001:db8::/32", via: "fd00:1::9"}]
""")
        self.topod("apply", path)
        self.assertEqual("10.0.0.9", lab.route("web", "10.20.0.0/16")["gateway"])
        self.topod("plan", path)
        self.topod("down", path)
        self.same(before, self.settle())


if __name__ == "__main__":
    lab.main()
