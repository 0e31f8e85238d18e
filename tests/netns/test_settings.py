# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel settings: how the kernel prints them, what one write changes besides, and that all of it goes back."""

import lab
from lab import HOST, Case


class Values(Case):
    """What means the same is the same: nothing to do after apply."""

    def rests(self, text):
        path = self.spec(text)
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def test_one_form(self):
        self.rests("""\
topology: settings
namespaces:
  web:
    forwarding: ipv4
    sysctl:
      net.ipv4.ip_local_reserved_ports: "80,22-25,8080,24-26"
      net.ipv6.icmp.ratemask: "128-130,0-1"
      net.ipv4.ip_default_ttl: 0x40
      net.ipv4.tcp_syn_retries: "03"
      net.ipv4.tcp_rmem: "4096  0x20000 6291456"
      net.ipv4.ip_local_port_range: "2000 0xbb8"
      net.ipv4.conf.all.forwarding: 01
      net.ipv4.neigh.eth0.base_reachable_time: 20
      net.ipv6.conf.eth0.addr_gen_mode: 1
    interfaces:
      eth0: {kind: bridge, ipv6-address-generation: none}
""")
        for key, value in (("ip_local_reserved_ports", "22-26,80,8080"), ("ip_default_ttl", "64"), ("tcp_syn_retries", "3"),
                           ("tcp_rmem", "4096\t131072\t6291456"), ("ip_local_port_range", "2000\t3000"), ("ip_forward", "1"),
                           ("neigh.eth0.base_reachable_time_ms", "20000")):
            self.assertEqual(value, lab.sysctl_get("web", f"net.ipv4.{key}"))
        self.assertEqual("1", lab.sysctl_get("web", "net.ipv6.conf.eth0.addr_gen_mode"))


if __name__ == "__main__":
    lab.main()
