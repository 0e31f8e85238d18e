# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel settings: how the kernel prints them, what else a write changes, and that everything is restored."""

import socket
import struct

import lab
from lab import HOST, Case


class Values(Case):
    """Values with the same meaning are equal: nothing to do after apply."""

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


class GivenBack(Case):
    """Other settings that a write changes are read before it, and restored with it."""

    def setUp(self):
        super().setUp()
        lab.veth(HOST, "ex0", HOST, "ex1")

    def settings(self, ns=HOST):
        with lab.inside(ns):
            return sorted(lab.snapshot_sysctls())

    def gives_back(self, sysctl, *found, top=""):
        """found: values set by hand before."""
        for key, value in found:
            lab.sysctl_set(HOST, key, value)
        before = self.settings()
        lines = "".join(f"      {key}: {value}\n" for key, value in sysctl.items())
        path = self.spec(f"topology: t\nnamespaces:\n  host:\n{top}    sysctl:\n{lines}")
        self.topod("apply", path)
        for key, value in sysctl.items():
            self.assertEqual(str(value), lab.sysctl_get(HOST, key), key)
        self.topod("plan", path)
        self.topod("down", path)
        self.assertEqual(before, self.settings())

    def test_one_other_than_all(self):
        self.gives_back({"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.ex0.disable_ipv6": 0})

    def test_one_was_other_than_all(self):
        self.gives_back({"net.ipv6.conf.ex0.disable_ipv6": 0, "net.ipv6.conf.all.disable_ipv6": 0},
                        ("net.ipv6.conf.all.disable_ipv6", 1), ("net.ipv6.conf.ex1.disable_ipv6", 0))

    def test_undeclared_interface(self):
        self.gives_back({"net.ipv6.conf.all.disable_ipv6": 1}, ("net.ipv6.conf.ex1.disable_ipv6", 1),
                        ("net.ipv6.conf.lo.disable_ipv6", 1))

    def test_all_and_default(self):
        self.gives_back({"net.ipv6.conf.default.disable_ipv6": 0, "net.ipv6.conf.all.disable_ipv6": 1})

    def test_forwarding(self):
        self.gives_back({"net.ipv4.conf.ex0.forwarding": 0, "net.ipv6.conf.ex0.forwarding": 0},
                        ("net.ipv4.conf.ex1.forwarding", 1), ("net.ipv4.conf.default.forwarding", 1),
                        ("net.ipv6.conf.ex0.forwarding", 1), ("net.ipv4.conf.all.accept_redirects", 0),
                        top="    forwarding: true\n")

    def test_default_of_ipv4(self):
        """The kernel copies it to every interface on which that setting was not written."""
        self.gives_back({"net.ipv4.conf.default.arp_filter": 1, "net.ipv4.conf.ex0.arp_filter": 0,
                         "net.ipv4.conf.default.rp_filter": 2}, ("net.ipv4.conf.ex1.rp_filter", 1))

    def test_generation_for_all(self):
        self.gives_back({"net.ipv6.conf.all.addr_gen_mode": 1, "net.ipv6.conf.ex0.addr_gen_mode": 0},
                        ("net.ipv6.conf.ex1.addr_gen_mode", 3))

    def test_one_line_taken_out(self):
        """Then the other line decides, as on a new machine; and everything is restored in the end."""
        before = self.settings()
        both = """\
topology: t
namespaces:
  host:
    sysctl:
      net.ipv6.conf.all.disable_ipv6: 1
      net.ipv6.conf.ex0.disable_ipv6: 0
"""
        path = self.spec(both)
        d = self.daemon(path).ready()
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv6.conf.ex0.disable_ipv6"))
        self.spec(lab.edit(both, ("      net.ipv6.conf.ex0.disable_ipv6: 0\n", "")))
        d.reload()
        self.assertEqual("1", lab.sysctl_get(HOST, "net.ipv6.conf.ex0.disable_ipv6"))
        self.spec(lab.edit(both, ("      net.ipv6.conf.all.disable_ipv6: 1\n", "")))
        d.reload()
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv6.conf.ex0.disable_ipv6"))
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv6.conf.ex1.disable_ipv6"))
        d.stop()
        self.topod("down", path)
        self.assertEqual(before, self.settings())

    def test_default_taken_out(self):
        """An interface that was made with it keeps its addresses."""
        text = """\
topology: t
namespaces:
  a:
    sysctl:
      net.ipv6.conf.default.disable_ipv6: 1
      net.ipv6.conf.eth0.disable_ipv6: 0
    interfaces:
      eth0: {addresses: [{address: "fd00::1/64", nodad: true}]}
  b: {}
links: [[a:eth0, b:eth0]]
"""
        path = self.spec(text)
        d = self.daemon(path).ready()
        self.assertIn("fd00::1/64", lab.addresses("a", "eth0"))
        self.spec(lab.edit(text, ("      net.ipv6.conf.default.disable_ipv6: 1\n      net.ipv6.conf.eth0.disable_ipv6: 0\n",
                                  "      net.ipv4.ip_default_ttl: 65\n")))
        d.reload()
        self.assertEqual("0", lab.sysctl_get("a", "net.ipv6.conf.eth0.disable_ipv6"))
        self.assertEqual("0", lab.sysctl_get("a", "net.ipv6.conf.default.disable_ipv6"))
        self.assertIn("fd00::1/64", lab.addresses("a", "eth0"))
        self.topod("plan", path)
        d.stop()

    def test_drift_of_all(self):
        """Declared settings that it overwrites are set again at once, and reported as one."""
        path = self.spec("""\
topology: t
namespaces:
  host: {sysctl: {net.ipv4.conf.ex0.forwarding: 0}, forwarding: ipv4}
""")
        d = self.daemon(path).ready()
        with d.expects(r"drift: host: .*ip_forward.*restored"):
            lab.sysctl_set(HOST, "net.ipv4.ip_forward", 0)
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv4.conf.ex0.forwarding"))
        self.assertEqual("1", lab.sysctl_get(HOST, "net.ipv4.conf.ex1.forwarding"))
        self.topod("plan", path)
        self.assertFalse(any("ex0.forwarding" in line for line in d.log), d.log)
        d.stop()


class StableSecret(Case):
    """It cannot be read before it was written, and `stable-privacy` needs it before the interface comes up."""

    TEXT = """\
topology: t
namespaces:
  a:
    sysctl: {net.ipv6.conf.eth0.stable_secret: "2001:db8:1:2:3:4:5:6"}
    interfaces:
      eth0: {ipv6-address-generation: stable-privacy}
      upper: {kind: macvlan, link: eth0}
  b: {}
links: [[a:eth0, b:eth0]]
"""

    def own_address(self, d=None):
        """The link-local address, which the kernel derives from the secret."""
        def found():
            return [x for x in lab.addresses("a", "eth0") if x.startswith("fe80")]
        return self.wait_until(found, "a link-local address", d)

    def test_together(self):
        path = self.spec(self.TEXT)
        d = self.daemon(path).ready()
        self.assertEqual("2", lab.sysctl_get("a", "net.ipv6.conf.eth0.addr_gen_mode"))
        address = self.own_address(d)
        self.assertNotIn("ff:fe", address[0])
        self.topod("plan", path)
        with d.expects(r"drift: a/eth0: .*restored"):
            lab.ip("a", "link del eth0")
        self.assertEqual("2001:0db8:0001:0002:0003:0004:0005:0006", lab.sysctl_get("a", "net.ipv6.conf.eth0.stable_secret"))
        self.assertEqual(address, self.own_address(d))
        self.topod("plan", path)
        d.stop()
        self.topod("down", path)

    def test_default(self):
        path = self.spec(lab.edit(self.TEXT, ("conf.eth0.stable", "conf.default.stable")))
        self.topod("apply", path)
        self.assertEqual("2", lab.sysctl_get("a", "net.ipv6.conf.eth0.addr_gen_mode"))
        self.topod("plan", path)

    def test_secret_with_another_mode(self):
        path = self.spec(lab.edit(self.TEXT, ("generation: stable-privacy", "generation: none")))
        self.topod("apply", path)
        self.assertEqual("1", lab.sysctl_get("a", "net.ipv6.conf.eth0.addr_gen_mode"))
        self.topod("plan", path)

    def test_alone_and_later(self):
        """Only the setting, of an interface that is up; then also the key; then neither."""
        lab.veth(HOST, "ex0", HOST, "ex1")
        alone = 'topology: t\nnamespaces:\n  host:\n    sysctl: {net.ipv6.conf.ex0.stable_secret: "fd00::1"}\n'
        path = self.spec(alone)
        self.topod("apply", path)
        self.topod("plan", path)
        self.spec(alone + "    interfaces: {ex0: {kind: existing, ipv6-address-generation: stable-privacy}}\n")
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual("2", lab.sysctl_get(HOST, "net.ipv6.conf.ex0.addr_gen_mode"))
        self.topod("down", path)
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv6.conf.ex0.addr_gen_mode"))

    def test_without(self):
        done = self.topod("check", self.spec(lab.edit(self.TEXT, ('{net.ipv6.conf.eth0.stable_secret: "2001:db8:1:2:3:4:5:6"}', "{}"))),
                          expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, r"office\.yaml:6:\d+: error: .*needs a secret.*net\.ipv6\.conf\.eth0\.stable_secret")
        # In an adopted namespace, somebody may have set one.
        lab.veth(HOST, "ex0", HOST, "ex1")
        path = self.spec("topology: t\nnamespaces:\n  host:\n    interfaces: {ex0: {kind: existing, ipv6-address-generation: stable-privacy}}\n")
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stdout + done.stderr, r"ex0.*stable_secret")
        lab.sysctl_set(HOST, "net.ipv6.conf.default.stable_secret", "fd00::1")
        self.topod("apply", path)


class Overrun(Case):
    """A repair that changes another declared object repairs that too, and does not report it as drift."""

    KEY = "net.ipv6.conf.eth0.mtu"
    PAIR = """\
topology: t
namespaces:
  web:
    sysctl: {net.ipv6.conf.eth0.mtu: 1400}
    interfaces: {eth0: {mtu: 1500}}
  db: {}
links: [[web:eth0, db:eth0]]
"""

    def start(self):
        """Waits until IPv6 is enabled: the kernel sets that MTU once more at that moment (addrconf_notify())."""
        path = self.spec(self.PAIR)
        d = self.daemon(path).ready()
        self.settle(d, usable=True)
        self.wait_until(lambda: lab.sysctl_get("web", self.KEY) == "1400", "the setting", d)
        self.topod("plan", path)
        d.drain()
        return path, d

    def test_changed_mtu(self):
        """The kernel sets an interface's MTU for IPv6 along with its own."""
        path, d = self.start()
        since = len(d.lines)
        for mtu in (1450, 1600):
            self.spec(self.PAIR.replace("1500", str(mtu)))
            self.assertIn("1 to change", self.topod("plan", path, expect=2).stdout)
            d.reload()
            self.assertEqual(mtu, lab.link("web", "eth0")["mtu"])
            self.assertEqual("1400", lab.sysctl_get("web", self.KEY))
        self.assertIsNone(d.find("drift", since), d.lines)
        d.stop()

    def test_restored_mtu(self):
        path, d = self.start()
        for mtu in (1450, 1600):
            since = len(d.lines)
            with d.expects("drift: web/eth0: mtu was changed"):
                lab.ip("web", f"link set eth0 mtu {mtu}")
            self.wait_until(lambda: lab.sysctl_get("web", self.KEY) == "1400", "the setting", d)
            self.assertEqual(1500, lab.link("web", "eth0")["mtu"])
            self.topod("plan", path)
            d.drain()
            self.assertEqual(1, sum("drift" in line for line in d.lines[since:]), d.lines)
        d.stop()


class Advertised(Case):
    """A host that depends on router advertisements ignores them once it forwards; only the kernel shows whether it does."""

    SPEC = """\
topology: t
namespaces:
  host:
    forwarding: true
    interfaces: {up0: {kind: existing}}
"""
    WARNING = r"office\.yaml:4:\d+: warning: host/up0 has addresses or routes from router advertisements.*'accept-ra: 2'"

    def setUp(self):
        super().setUp()
        lab.run("ip", "netns", "add", "router")
        lab.veth(HOST, "up0", "router", "r0")
        self.settle(usable=True)

    def advertise(self):
        with lab.inside("router"), socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
            index = socket.if_nametoindex("r0")
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 86400, 14400, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:5::")
            s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix, ("ff02::1", 0, 0, index))
        self.wait_until(lambda: lab.route(HOST, "default", family=6), "the route by the router")

    def test_warned(self):
        path = self.spec(self.SPEC)
        self.assertNotIn("warning", self.topod("plan", path, expect=2).stderr)
        self.advertise()
        self.assertRegex(self.topod("plan", path, expect=2).stderr, self.WARNING)
        d = self.daemon(path).ready()
        self.assertEqual(1, sum("router advertisements" in line for line in d.lines), d.lines)
        self.assertIsNotNone(d.find(self.WARNING), d.lines)
        d.stop()
        self.topod("down", path)
        self.advertise()
        self.assertRegex(self.topod("apply", path).stderr, self.WARNING)

    def test_not_warned(self):
        self.advertise()
        for old, new in (("{kind: existing}", "{kind: existing, accept-ra: 2}"), ("true", "ipv4")):
            path = self.spec(self.SPEC.replace(old, new))
            self.assertNotIn("warning", self.topod("plan", path, expect=2).stderr)
            self.assertNotIn("warning", self.topod("apply", path).stderr)
            self.assertIsNotNone(lab.route(HOST, "default", family=6))
            self.topod("down", path)


if __name__ == "__main__":
    lab.main()
