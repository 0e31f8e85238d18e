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
        self.assertIn("~ route default via 10.0.0.1: is hidden by route default via 10.0.0.66", shown)
        status = json.loads(self.topod("status", "office", "--json").stdout)
        self.assertEqual(("degraded", 1), (status["state"], status["reported"]))
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
        self.topod("apply", path, expect=1)
        with open(path, "w") as f:
            f.write(SPEC.replace("    routes: [{to: default, via: 10.0.0.1, mtu: 1400}]\n", ""))
        self.topod("apply", path)
        self.assertEqual(["10.0.0.66"], self.defaults())


if __name__ == "__main__":
    lab.main()
