# SPDX-License-Identifier: GPL-2.0-or-later
"""
An interface of the machine in a container that ends: the kernel gives it back to the machine's first network namespace, under
the name that it had inside, or another one if that is taken. Only drivers of hardware do that, and only the first network
namespace gets it, so this needs a machine of its own; CMakeLists.txt runs it in one with an interface vec0.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from container import Container  # noqa: E402
from lab import HOST, Case  # noqa: E402

FIRST = "TOPOD_FIRST_NAMESPACE"  # the number of a descriptor, from outside of the laboratory
SPEC = """\
topology: office
namespaces:
  web:
    attach: {}
    interfaces:
      eth1: {kind: physical, source: vec0, mtu: 1400, addresses: [10.0.0.11/24]}
      lo: {addresses: [10.4.4.4/32]}
"""


class Returning(Case):
    def setUp(self):
        super().setUp()
        lab.libc_call("setns", int(os.environ[FIRST]), lab.CLONE_NEWNET)
        lab.run("modprobe", "-a", "veth")
        self.mac = lab.link(HOST, "vec0")["address"]

    def name_in_host(self):
        return next((l["ifname"] for l in lab.ip_json(HOST, "link show") if l["address"] == self.mac), None)

    def complete(self, container):
        self.assertTrue(container.has("10.0.0.11/24", "addr show eth1"))
        self.assertTrue(container.has("mtu 1400", "link show eth1"))
        self.assertTrue(container.has(self.mac, "link show eth1"))
        self.assertIsNone(self.name_in_host())

    def restart(self, d, container):
        """It has what is declared, and ends; the interface is in the host again under its own name, whatever the kernel made of
        that."""
        self.wait_until(lambda: container.has("10.0.0.11/24", "addr show eth1"), "its network", d)
        self.complete(container)
        container.end()
        self.wait_until(lambda: self.name_in_host() == "vec0", "its return", d)

    def test_restarts(self):
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        for taken in (False, True):
            if taken:  # then the kernel chooses another name
                lab.veth(HOST, "eth1", HOST, "eth1-far")
            container = Container(self)
            self.topod("attach", "web", "--pid", container.pid)
            with d.expects("gone: web: namespace is gone"):
                self.restart(d, container)
        # The second one comes before the kernel has given the interface back.
        first, second = Container(self), Container(self)
        self.topod("attach", "web", "--pid", first.pid)
        self.complete(first)
        first.end()
        self.topod("attach", "web", "--pid", second.pid)
        self.restart(d, second)
        d.calm()
        d.stop()
        self.topod("down", path)
        self.assertEqual("vec0", self.name_in_host())
        self.assertEqual([], lab.namespaces())


if __name__ == "__main__":
    if FIRST not in os.environ:
        os.environ[FIRST] = str(os.open("/proc/self/ns/net", os.O_RDONLY))
        os.set_inheritable(int(os.environ[FIRST]), True)
    lab.main()
