# SPDX-License-Identifier: GPL-2.0-or-later
"""An address that another host has: reported, shown by plan and status, and retried until the other host is gone."""

import json

import lab
from lab import HOST, Case

SEGMENT = """\
namespaces:
  host: {interfaces: {br0: {kind: bridge, ports: [c1]}}}
  web: {interfaces: {eth0: {addresses: ["fd00:1::11/64"]}}}
links: [[web:eth0, host:c1]]
"""


class Duplicates(Case):
    def setUp(self):
        """The other host is on the segment first."""
        super().setUp()
        self.path = self.spec("namespaces: {host: {interfaces: {br0: {kind: bridge}}}}\n")
        self.topod("apply", self.path)
        lab.run("ip", "netns", "add", "rival")
        lab.veth("rival", "eth0", HOST, "r0")
        lab.ip(HOST, "link set r0 master br0")
        lab.ip("rival", "addr add fd00:1::11/64 dev eth0 nodad")
        self.spec(SEGMENT)

    def failing(self):
        d = self.daemon(self.path)
        d.wait_line(r"failing: web/eth0: address fd00:1::11/64.*duplicate address detection found another host with it")
        return d

    def test_is_shown(self):
        done = self.topod("apply", self.path, expect=1)
        self.assertIn("duplicate address detection found another host with it", done.stderr)
        done = self.topod("plan", self.path, expect=2)
        self.assertIn("-/+ eth0: address fd00:1::11/64 (duplicate address detection found another host with it)", done.stdout)
        d = self.failing()
        troubles = json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]["troubles"]
        self.assertEqual([("web/eth0", "address fd00:1::11/64", "failing")],
                         [(t["scope"], t["noun"], t["state"]) for t in troubles])
        d.stop()

    def test_is_tried_again(self):
        """No event reports that the other one is gone: a retry finds out."""
        d = self.failing()
        lab.ip("rival", "addr del fd00:1::11/64 dev eth0")
        d.wait_line(r"recovered: web/eth0: address fd00:1::11/64")
        d.ready()
        self.topod("plan", self.path)
        self.assertEqual(1, len([l for l in d.lines if "failing" in l]), d.log)
        d.stop()

    def test_leaves_the_bridge(self):
        d = self.failing()
        lab.run("ip", "netns", "delete", "rival")
        d.wait_line(r"recovered: web/eth0: address fd00:1::11/64")
        d.stop()

    def test_carrier(self):
        d = self.failing()
        lab.ip("rival", "addr del fd00:1::11/64 dev eth0")
        lab.ip(HOST, "link set c1 down")
        d.wait_line(r"recovered: web/eth0: address fd00:1::11/64")
        d.ready()
        d.stop()

    def test_another_ones_address(self):
        """An address that topod did not make is not recreated."""
        path = self.spec("namespaces: {rival: {adopt: true, interfaces: {eth0: {kind: existing, addresses: [\"fd00:1::77/64\"]}}}}\n",
                         "other.yaml")
        lab.run("ip", "netns", "add", "third")
        lab.veth("third", "eth0", HOST, "t0")
        lab.ip(HOST, "link set t0 master br0")
        lab.ip("third", "addr add fd00:1::77/64 dev eth0 nodad")
        lab.ip("rival", "addr add fd00:1::77/64 dev eth0")
        def has_failed():
            return any(a.get("dadfailed") for l in lab.ip_json("rival", "addr show dev eth0") for a in l["addr_info"])
        self.wait_until(has_failed, "a failed detection")
        with lab.Monitor("rival") as monitor:
            self.topod("apply", path, expect=1)
            self.assertNotIn(21, monitor.heard())  # RTM_DELADDR


if __name__ == "__main__":
    lab.main()
