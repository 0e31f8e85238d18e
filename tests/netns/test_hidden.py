# SPDX-License-Identifier: GPL-2.0-or-later
"""A foreign route in front of an equal one of topod takes the traffic: that is reported, and left alone."""

import json

import lab
from lab import Case

SPEC = """\
namespaces:
  web:
    interfaces: {eth0: {addresses: [10.0.0.11/24]}}
    routes: [{to: default, via: 10.0.0.1, mtu: 1400}]
  gw: {interfaces: {eth0: {addresses: [10.0.0.1/24]}}}
links: [[web:eth0, gw:eth0]]
"""


class Hidden(Case):
    def defaults(self):
        return [r["gateway"] for r in lab.routes("web") if r["dst"] == "default"]

    def test_told(self):
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        with d.expects(r"drift: web: route default via 10.0.0.1 is hidden by route default via 10.0.0.66.*; reported only"):
            lab.ip("web", "route prepend default via 10.0.0.66")
        shown = self.topod("plan", path, expect=2).stdout
        self.assertIn("! route default via 10.0.0.1 is hidden by route default via 10.0.0.66", shown)
        self.assertIn("0 to change, 0 to recreate, 0 to delete, 1 only reported", shown)
        change, = json.loads(self.topod("plan", "--json", path, expect=2).stdout)["changes"]
        self.assertEqual(("reported", "is hidden by route default via 10.0.0.66"), (change["action"], change["reason"][:40]))
        status = json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]
        self.assertEqual(("degraded", 1), (status["state"], status["reported"]))
        self.assertEqual((1, 0, 1), tuple(status[k] for k in ("drifts", "restored", "only_reported")))
        said = self.topod("status", "office").stdout
        self.assertIn("reported: web route default via 10.0.0.1 is hidden by", said)
        self.assertIn("1 seen, 0 restored, 1 only reported", said)
        self.assertIn("10.0.0.66", status["troubles"][0]["error"])
        with d.expects("recovered: web: route default via 10.0.0.1"):
            lab.ip("web", "route del default via 10.0.0.66")
        with d.expects(r"drift: web: route default via 10.0.0.1 is hidden"):
            lab.ip("web", "route prepend default via 10.0.0.66")
        # It stays, also if something else of ours is changed.
        with open(path, "w") as f:
            f.write(SPEC.replace("1400", "1300"))
        self.topod("reload", "office", expect=1)
        self.assertEqual(["10.0.0.66", "10.0.0.1"], self.defaults())
        lab.ip("web", "route del default via 10.0.0.66")
        self.wait_until(lambda: self.topod("plan", path, expect=(0, 2)).returncode == 0, "rest", d)
        self.assertEqual(["10.0.0.1"], self.defaults())
        self.assertEqual(1300, lab.routes("web")[0]["metrics"][0]["mtu"])
        d.stop()
        lab.ip("web", "route prepend default via 10.0.0.66")
        said = self.topod("apply", path, expect=1).stderr
        self.assertRegex(said, "error: web: route default via 10.0.0.1 is hidden by route default via 10.0.0.66, .*; reported only")
        with open(path, "w") as f:
            f.write(SPEC.replace("    routes: [{to: default, via: 10.0.0.1, mtu: 1400}]\n", ""))
        self.topod("apply", path)
        self.assertEqual(["10.0.0.66"], self.defaults())


    def test_goes_back_behind_it(self):
        """topod found the route and changed it; the foreign one in front stays when that is undone."""
        lab.ip(lab.HOST, "netns add web")
        lab.ip("web", "link add eth0 type veth peer name eth1")
        for words in ("link set eth0 up", "addr add 10.9.0.1/24 dev eth0", "route add 10.5.0.0/24 dev eth0 proto static metric 60"):
            lab.ip("web", words)
        path = self.spec("""\
namespaces:
  web:
    adopt: true
    interfaces: {eth0: {kind: existing, addresses: [10.0.0.11/24]}}
    routes: [{to: 10.5.0.0/24, via: 10.0.0.1, metric: 60, mtu: 1400}]
""")
        self.topod("apply", path)
        lab.ip("web", "route prepend 10.5.0.0/24 via 10.9.0.66 metric 60")
        self.topod("down", path)
        self.assertEqual([("boot", "10.9.0.66"), ("static", None)],
                         [(r.get("protocol", "boot"), r.get("gateway")) for r in lab.routes("web") if r["dst"] == "10.5.0.0/24"])
        lab.ip(lab.HOST, "netns delete web")


class Preceded(Case):
    """By a smaller metric."""

    METRIC = lab.edit(SPEC, ("mtu: 1400", "mtu: 1400, metric: 100"))
    WORDS = "route default via 10.0.0.1 metric 100 is hidden by route default via 10.0.0.66"

    def test_told(self):
        path = self.spec(self.METRIC)
        d = self.daemon(path).ready()
        for words in ("default via 10.0.0.66 metric 50", "default via 10.0.0.66", "blackhole default metric 50"):
            with d.expects("drift: web: route default via 10.0.0.1 metric 100 is hidden by route default.*; reported only"):
                lab.ip("web", f"route add {words}")
            self.topod("plan", path, expect=2)
            with d.expects("recovered: web: route default via 10.0.0.1 metric 100 is as declared again"):
                lab.ip("web", f"route del {words}")
            self.topod("plan", path)
        # Other differences of it are still repaired.
        with d.expects("drift: .* is hidden by"):
            lab.ip("web", "route add default via 10.0.0.66 metric 50")
        with d.expects("drift: web: route default via 10.0.0.1 metric 100 was removed; restored"):
            lab.ip("web", "route del default via 10.0.0.1")
        with d.expects("drift: web: route default.* mtu was changed from 1400 to 1200; restored"):
            lab.ip("web", "route replace default via 10.0.0.1 metric 100 mtu 1200 proto 84")
        self.assertEqual("degraded", json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]["state"])
        with d.expects("recovered: web: route default via 10.0.0.1 metric 100"):
            lab.ip("web", "route del default via 10.0.0.66 metric 50")
        status = json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]
        self.assertEqual((2, status["drifts"]), (status["restored"], status["restored"] + status["only_reported"]))
        d.stop()

    def test_ipv6(self):
        path = self.spec(lab.edit(SPEC, ("10.0.0.11/24", '{address: "fd00::11/64", nodad: true}'), ("10.0.0.1/24", '{address: "fd00::1/64", nodad: true}'),
                                  ("{to: default, via: 10.0.0.1, mtu: 1400}", '{to: default, via: "fd00::1"}')))
        d = self.daemon(path).ready()
        with d.expects("drift: web: .* is hidden by route default .*via fd00::66 metric 1000"):
            lab.ip("web", "route add default via fd00::66 metric 1000")
        with d.expects("recovered: web: route default"):
            lab.ip("web", "route del default via fd00::66 metric 1000")
        d.stop()

    def test_meant_so(self):
        """A routing daemon's route goes first if the declared one is a floating static route; in a shared
        namespace, metrics order the routes of several programs."""
        path = self.spec(self.METRIC)
        self.topod("apply", path)
        lab.ip("web", "route add default via 10.0.0.66 metric 20 proto bgp")
        lab.ip("web", "route add default via 10.0.0.66 metric 200")
        lab.ip("web", "route add default via 10.0.0.66 metric 20 table 7")
        self.topod("plan", path)
        self.topod("down", path)
        lab.ip(lab.HOST, "link add c1 type veth peer name c2")
        for name in ("c1", "c2"):
            lab.ip(lab.HOST, f"link set {name} up")
        lab.ip(lab.HOST, "addr add 10.9.0.1/24 dev c1")
        lab.ip(lab.HOST, "route add default via 10.9.0.2")
        path = self.spec("namespaces: {host: {routes: [{to: default, via: 10.9.0.3, metric: 100}]}}\n")
        self.topod("apply", path)
        self.topod("plan", path)


if __name__ == "__main__":
    lab.main()
