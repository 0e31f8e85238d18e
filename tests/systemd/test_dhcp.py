# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/dhcp.md, followed word for word: dnsmasq, radvd and udhcpc as services in namespaces, beside topod."""

import os
import re

import machine
from machine import Case, lab

PAGE = os.path.join(os.path.dirname(os.path.dirname(machine.HERE)), "docs/dhcp.md")


class Dhcp(Case):
    def follow(self):
        with open(PAGE) as f:
            page = f.read()
        files = re.findall(r"(?m)^`(/etc/[^`]*)`:\n\n```\w*\n([\s\S]*?)^```", page)
        self.assertEqual(6, len(files))
        for path, text in files:
            self.machine.write(path, text)
        for line in re.findall(r"(?m)^    (\w.*)$", page.split("\n## Start\n")[1]):
            lab.run("sh", "-ec", line)

    def inside(self, ns, *command):
        return lab.run("ip", "netns", "exec", ns, *command, check=False).stdout

    def comes(self, what, ns, *command):
        """Something of the network of a namespace, which its events announce."""
        self.wait_until(lambda: re.search(what, self.inside(ns, *command)), f"{what} in {ns}")

    def has_all(self):
        self.comes(r"inet 10\.7\.0\.[5-9]\d/24", "pc", "ip", "addr", "show", "eth0")
        self.comes(r"default via 10\.7\.0\.1", "pc", "ip", "route")
        self.comes(r"nameserver 10\.7\.0\.1", "pc", "cat", "/etc/resolv.conf")
        self.comes(r"inet6 fd07::.* dynamic", "phone", "ip", "-6", "addr", "show", "eth0")
        self.comes(r"default via fe80::.* proto ra", "phone", "ip", "-6", "route")

    def test_page(self):
        host = self.machine.read("/etc/resolv.conf")
        self.follow()
        self.has_all()
        self.assertIn("bytes from", self.inside("pc", "ping", "-c", "1", "-W", "5", "10.7.0.1"))
        self.assertIn("bytes from", self.inside("phone", "ping", "-c", "1", "-W", "5", "fd07::1"))
        self.assertEqual(host, self.machine.read("/etc/resolv.conf"), "the client wrote the host's name servers")
        before = [self.inside(ns, "ip", "-o", "-4" if ns == "pc" else "-6", "addr", "show", "eth0").split("valid_lft")[0]
                  for ns in ("pc", "phone")]
        # topod takes nothing of it for drift, and restarting it takes nothing away.
        self.topod("status", "lan", expect=0)
        self.assertIn("nothing to do", self.topod("plan", "lan").stdout)
        self.systemctl("restart", "topod@lan")
        self.systemctl("reload", "topod@lan")
        self.assertEqual(before, [self.inside(ns, "ip", "-o", "-4" if ns == "pc" else "-6", "addr", "show", "eth0")
                                  .split("valid_lft")[0] for ns in ("pc", "phone")])
        for unit in ("dnsmasq-gw", "radvd-gw", "udhcpc-pc"):
            self.assertEqual("active", self.show(f"{unit}.service", "ActiveState"))
            self.assertEqual("0", self.show(f"{unit}.service", "NRestarts"))
        self.has_all()


if __name__ == "__main__":
    machine.main()
