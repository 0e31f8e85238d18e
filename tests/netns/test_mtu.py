# SPDX-License-Identifier: GPL-2.0-or-later
"""Consequences of an MTU: no IPv6 below 1280 bytes, and limits for upper interfaces."""

import lab
from lab import Case

SPEC = """\
topology: office
namespaces:
  aaa:
    interfaces: {mv: {kind: macvlan, link: "zzz:e0", mtu: 1500, addresses: [{address: "fd00::1/64", nodad: true}]}}
  zzz:
    interfaces:
      vx: {kind: vxlan, id: 5, dev: e0, remote: 10.0.0.9, mtu: 1400, addresses: [{address: "fd00:4::1/64", nodad: true}]}
      e0: {mtu: 1500}
      br0: {kind: bridge, mtu: 1500, ipv6-address-generation: none, addresses: [{address: "fd00:5::1/64", nodad: true}]}
  far: {}
links: [[zzz:e0, far:e0]]
"""


class Mtu(Case):
    def test_what_stands_on_it(self):
        """The lower MTU is set first, in any order of declaration, and then everything on the upper interface."""
        path = self.spec(SPEC)
        self.topod("apply", path)
        before = self.settle(usable=True)
        lab.ip("zzz", "link set e0 mtu 1000")
        self.topod("apply", path)
        self.same(lab.state_only(before), lab.state_only(self.settle(usable=True)))

    def test_words(self):
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        lab.ip("zzz", "link set br0 mtu 1000")
        line = d.wait_line("drift: zzz/br0: mtu was changed")
        self.assertIn("mtu was changed from 1500 to 1000, ipv6-address-generation was lost; restored in", line)
        self.wait_until(lambda: self.topod("plan", path, expect=(0, 2)).returncode == 0, "rest", d)


if __name__ == "__main__":
    lab.main()
