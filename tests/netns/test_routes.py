# SPDX-License-Identifier: GPL-2.0-or-later
"""
The rarer words of routes, from one table: each reaches the kernel, is changed in place, is repaired, and goes back. Plain text is
enough to compare: what `ip route` prints for a route is what it would take.
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
                # by topod's protocol, so that nothing else differs
                lab.ip("web", f"-{family} route change {unquoted(TO[family])} via {unquoted(VIA[family])} proto 84 {word.by_hand}")
                self.wait_until(lambda: self.shown(family) == word.shown[0], "the former value", d)
                d.stop()
                self.topod("down", path)

    def test_a_route_for_some_sources(self):
        """`from` is a part of the identity: such a route stands beside one for all."""
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


if __name__ == "__main__":
    lab.main()
