# SPDX-License-Identifier: GPL-2.0-or-later
"""Rare fields: each reaches the kernel as written, is read back as the same, and can be changed."""

import lab
from lab import HOST, Case

OFFICE = """\
namespaces:
  host:
    interfaces:
      c1: {addresses: [10.0.0.1/24, {address: "fd00:1::1/64", nodad: true}]}
  web:
    interfaces:
      eth0:
        ipv6-address-generation: none
        addresses:
          - {address: 10.0.0.11/24, broadcast: 10.0.0.200}
          - {address: 10.4.0.1/24, noprefixroute: true}
          - {address: 10.5.0.1, peer: 10.5.0.2/32}
          - {address: "fd00:1::11/64", nodad: true}
    routes:
      - {to: 10.20.0.0/16, via: "fd00:1::1", dev: eth0}
      - {to: 10.21.0.0/16, via: 192.0.2.1, dev: eth0, on-link: true}
      - {to: 10.22.0.0/16, via: 10.0.0.1, advmss: 1200, mtu: 1300}
      - {to: 10.23.0.0/16, nexthops: [{via: "fd00:1::1", dev: eth0}, {via: 10.0.0.1, dev: eth0}]}
links: [[web:eth0, host:c1]]
"""


class Fields(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()
        self.path = self.spec(OFFICE)

    def finish(self):
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def put_in_place(self, *changes):
        self.spec(lab.edit(OFFICE, *changes))
        self.topod("apply", self.path)
        self.topod("plan", self.path)  # no difference

    def address(self, local):
        for address in lab.ip_json("web", "addr show dev eth0")[0]["addr_info"]:
            if address["local"] == local:
                return address
        self.fail(f"there is no {local}")

    def way(self, to):
        """The field of a route, or of its next hops."""
        route = lab.route("web", to)
        return [(hop.get("gateway") or hop["via"]["host"], "onlink" in hop["flags"]) for hop in route.get("nexthops", [route])]

    def test_addresses(self):
        self.put_in_place()
        self.assertEqual("none", lab.link("web", "eth0")["inet6_addr_gen_mode"])
        self.assertEqual(["fd00:1::11/64"], [a for a in lab.addresses("web", "eth0") if ":" in a])
        self.assertEqual("10.0.0.200", self.address("10.0.0.11")["broadcast"])
        self.assertTrue(self.address("10.4.0.1")["noprefixroute"])
        self.assertIsNone(lab.route("web", "10.4.0.0/24"))
        self.assertEqual("10.5.0.2", self.address("10.5.0.1")["address"])
        self.put_in_place(("10.0.0.200", "10.0.0.255"), ("generation: none", "generation: eui64"),
                          (", noprefixroute: true", ""))
        self.assertEqual("eui64", lab.link("web", "eth0")["inet6_addr_gen_mode"])
        self.assertEqual("10.0.0.255", self.address("10.0.0.11")["broadcast"])
        self.assertIsNotNone(lab.route("web", "10.4.0.0/24"))
        self.finish()

    def test_routes(self):
        self.put_in_place()
        self.assertEqual([("fd00:1::1", False)], self.way("10.20.0.0/16"))
        self.assertEqual([("192.0.2.1", True)], self.way("10.21.0.0/16"))
        self.assertEqual([{"mtu": 1300, "advmss": 1200}], lab.route("web", "10.22.0.0/16")["metrics"])
        self.assertEqual({("fd00:1::1", False), ("10.0.0.1", False)}, set(self.way("10.23.0.0/16")))
        self.put_in_place(("10.20.0.0/16, via: \"fd00:1::1\"", "10.20.0.0/16, via: 10.0.0.1"), ("advmss: 1200", "advmss: 1100"),
                          ("{via: 10.0.0.1, dev: eth0}]", "{via: 192.0.2.7, dev: eth0, on-link: true}]"))
        self.assertEqual([("10.0.0.1", False)], self.way("10.20.0.0/16"))
        self.assertEqual([{"mtu": 1300, "advmss": 1100}], lab.route("web", "10.22.0.0/16")["metrics"])
        self.assertEqual({("fd00:1::1", False), ("192.0.2.7", True)}, set(self.way("10.23.0.0/16")))
        self.finish()

    def test_route_that_came_with_an_ipv6_address(self):
        """When somebody removes it, it is restored as the kernel makes it."""
        self.put_in_place()
        made = lab.route("web", "fd00:1::/64", 6)
        lab.ip("web", "-6", "route delete fd00:1::/64 dev eth0")
        self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", self.path)
        self.assertEqual(made, lab.route("web", "fd00:1::/64", 6))
        self.topod("plan", self.path)
        self.finish()

    def test_interface_by_its_mac_address(self):
        """Under any name."""
        lab.veth(HOST, "nic7", HOST, "wire")  # one end stands for a card of the machine
        lab.ip(HOST, "link set nic7 address 02:00:00:00:00:77")
        self.path = self.spec("namespaces: {box: {interfaces: {eth0: {kind: physical, source: \"02:00:00:00:00:77\"}}}}\n")
        self.topod("apply", self.path)
        self.assertEqual("02:00:00:00:00:77", lab.link("box", "eth0")["address"])
        self.assertIsNone(lab.link(HOST, "nic7"))
        self.topod("plan", self.path)
        self.topod("down", self.path)
        back = [l for l in lab.ip_json(HOST, "link show") if l["address"] == "02:00:00:00:00:77"]
        self.assertEqual(1, len(back))
        self.assertEqual("", back[0].get("ifalias", ""))


if __name__ == "__main__":
    lab.main()
