# SPDX-License-Identifier: GPL-2.0-or-later
"""
Tun and tap devices, which are made by ioctl: made as declared, repaired field by field, changed in place where the kernel can,
removed without a trace. Programs open them.
"""

import fcntl
import os
import struct

import lab
from lab import Case

TUNSETIFF, TUNSETPERSIST, TUNSETOWNER, TUNSETGROUP = 0x400454CA, 0x400454CB, 0x400454CC, 0x400454CE  # linux/if_tun.h
IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE, IFF_VNET_HDR = 1, 2, 0x1000, 0x100, 0x4000
TYPES = {"tun": IFF_TUN, "tap": IFF_TAP}

SPEC = """\
namespaces:
  a:
    interfaces:
      x: {kind: KIND, mtu: 1400, txqueuelen: 77KEYS}
"""
ALL = ", owner: 1000, group: 5, multi-queue: true, packet-info: true, vnet-header: true"


class Opened:
    """A program that has the device open."""

    def __init__(self, ns, name, flags):
        with lab.inside(ns):
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))

    def set(self, request, value):
        fcntl.ioctl(self.fd, request, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)


class Tun(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()

    def apply(self, kind, keys=""):
        path = self.spec(SPEC.replace("KIND", kind).replace("KEYS", keys))
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def link(self):
        link = lab.link("a", "x")
        return {**link, "flags": sorted(set(link["flags"]) - lab.VOLATILE_FLAGS), "operstate": None}

    def data(self):
        return self.link()["linkinfo"]["info_data"]

    def test_address_generation(self):
        """A tun has no MAC address, so the kernel changes eui64 to random when it comes up."""
        for kind in TYPES:
            with self.subTest(kind=kind):
                self.apply(kind)
                usual = self.link()["inet6_addr_gen_mode"]
                self.assertNotIn("address-generation", self.topod("export", "a").stdout)
                self.apply(kind, ", ipv6-address-generation: none")
                path = self.apply(kind)
                self.assertEqual(usual, self.link()["inet6_addr_gen_mode"])
                self.finish(path)

    def finish(self, path):
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def by_hand(self, kind):
        """The change, and how the device is opened for it."""
        flags = TYPES[kind] | IFF_MULTI_QUEUE | IFF_VNET_HDR
        yield "owner", flags, lambda tun: tun.set(TUNSETOWNER, 7)
        yield "group", flags, lambda tun: tun.set(TUNSETGROUP, 7)
        yield "packet-info", flags | IFF_NO_PI, lambda tun: None
        yield "vnet-header", flags & ~IFF_VNET_HDR, lambda tun: None
        yield "not persistent", flags, lambda tun: tun.set(TUNSETPERSIST, 0)

    def test_made_and_repaired(self):
        for kind in TYPES:
            with self.subTest(kind=kind):
                path = self.apply(kind, ALL)
                want = {key: value for key, value in self.link().items() if key != "ifindex"}
                self.assertEqual((1400, 77, "topod:office"), (want["mtu"], want["txqlen"], want["ifalias"]))
                data = want["linkinfo"]["info_data"]
                self.assertEqual((kind, True, True, True, True), tuple(data[key] for key in ("type", "pi", "vnet_hdr", "multi_queue", "persist")))
                for what, flags, change in self.by_hand(kind):
                    with self.subTest(by_hand=what):
                        with Opened("a", "x", flags) as tun:
                            change(tun)
                        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                        self.topod("apply", path)
                        self.topod("plan", path)
                        self.assertEqual(want, {key: value for key, value in self.link().items() if key != "ifindex"})
                for command in ("link set x mtu 1300", "link set x down", "link delete dev x"):
                    with self.subTest(by_hand=command):
                        lab.ip("a", command)
                        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                        self.topod("apply", path)
                        self.assertEqual(want, {key: value for key, value in self.link().items() if key != "ifindex"})
                self.finish(path)

    def test_edited(self):
        for kind in TYPES:
            with self.subTest(kind=kind):
                self.apply(kind, ", owner: 1000")
                index = self.link()["ifindex"]
                for keys in (", owner: 1001", ", owner: 1001, group: 5", ", owner: 1001, group: 5, packet-info: true",
                             ", owner: 1001, group: 5, vnet-header: true", ", owner: 1001, group: 5, vnet-header: false"):
                    self.apply(kind, keys)
                    self.assertEqual(index, self.link()["ifindex"], keys)
                self.assertEqual((False, False), (self.data()["pi"], self.data()["vnet_hdr"]))
                path = self.apply(kind, ", owner: 1001")  # no ioctl takes a group away
                self.assertNotIn("group", self.data())
                self.assertNotEqual(index, self.link()["ifindex"])
                index = self.link()["ifindex"]
                path = self.apply(kind, ", owner: 1001, multi-queue: true")
                self.assertNotEqual(index, self.link()["ifindex"])
                path = self.apply(kind)
                self.assertNotIn("user", self.data())
                other = next(k for k in TYPES if k != kind)
                path = self.apply(other)
                self.assertEqual(other, self.data()["type"])
                self.finish(path)

    def test_daemon(self):
        path = self.apply("tap", ALL)
        want = self.data()
        for what, flags, change in self.by_hand("tap"):
            d = self.daemon(path).ready()  # a new one each time, which has no reason to back off
            with d.expects("drift: a/x: .*restored"):
                with Opened("a", "x", flags) as tun:
                    change(tun)
            self.wait_until(lambda: lab.link("a", "x") and self.data() == want, what)
            d.stop()
        self.finish(path)

    def test_names(self):
        path = self.apply("tun", ", owner: nobody, group: root")
        self.assertEqual(("nobody", "root"), (self.data()["user"], self.data()["group"]))
        wrong = self.spec(SPEC.replace("KIND", "tun").replace("KEYS", ", owner: no-such-user, group: no-such-group"), "wrong.yaml")
        said = self.topod("check", wrong, expect=lab.EXIT_SPEC).stderr
        self.assertIn("error: this machine has no user 'no-such-user'; write a name or a number", said)
        self.assertIn("error: this machine has no group 'no-such-group'; write a name or a number", said)
        self.finish(path)

    def test_open(self):
        """A program that has the device open keeps it: what can be changed meanwhile is changed, the rest once it
        is closed."""
        path = self.apply("tap", ", owner: 1000, packet-info: false, vnet-header: false")
        with Opened("a", "x", IFF_TAP | IFF_VNET_HDR):
            self.topod("plan", path)  # what the program has chosen is not drift
            lab.ip("a", "link set x mtu 1300")
            self.topod("apply", path)
            self.assertEqual(1400, self.link()["mtu"])
            path = self.spec(SPEC.replace("KIND", "tap").replace("KEYS", ", owner: 1001"))
            said = self.topod("apply", path, expect=lab.EXIT_FAILED).stderr
            self.assertIn("a program has it open; it can be changed once the program has closed it", said)
            self.assertRegex(said, r"office\.yaml:4:\d+: error")
        self.topod("apply", path)
        self.assertEqual(1001, self.data()["user"])
        self.finish(path)

    def test_frames(self):
        """A frame that a program writes arrives, and a frame sent to it can be read: an ARP request is answered."""
        path = self.spec("namespaces: {a: {interfaces: {x: {kind: tap, addresses: [10.0.0.1/24]}}}}\n")
        self.topod("apply", path)
        with Opened("a", "x", IFF_TAP | IFF_NO_PI) as tap:
            mine = bytes.fromhex("020000000009")
            os.write(tap.fd, b"\xff" * 6 + mine + bytes.fromhex("0806" "0001080006040001") + mine + bytes([10, 0, 0, 2]) +
                     bytes(6) + bytes([10, 0, 0, 1]))

            def answered():
                try:
                    frame = os.read(tap.fd, 2048)
                except BlockingIOError:
                    return False
                return frame[12:14] == b"\x08\x06" and frame[28:32] == bytes([10, 0, 0, 1]) and frame[32:38] == mine
            self.wait_until(answered, "the answer")
        self.finish(path)

    def test_port(self):
        path = self.spec("namespaces: {a: {interfaces: {x: {kind: tap}, br: {kind: bridge, ports: x}}}}\n")
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual("br", self.link()["master"])
        self.finish(path)

    def test_refused(self):
        """Nothing is left of a device that the kernel refuses, and objects that do not need it are made."""
        path = self.spec("namespaces: {a: {interfaces: {x: {kind: tap, addresses: [10.0.0.1/24]}, br: {kind: bridge}}}}\n")
        lab.run("mount", "-t", "tmpfs", "none", "/dev/net")
        try:
            said = self.topod("apply", path, expect=lab.EXIT_FAILED).stderr
        finally:
            lab.run("umount", "/dev/net")
        self.assertIn("there is no /dev/net/tun: it needs the kernel's module 'tun'", said)
        self.assertRegex(said, r"office\.yaml:1:\d+: error")
        self.assertEqual((None, "br"), (lab.link("a", "x"), lab.link("a", "br")["ifname"]))
        self.topod("apply", path)
        lab.ip("a", "link delete dev x")
        lab.ip("a", "tuntap add dev x mode tap")  # somebody else's
        said = self.topod("apply", path, expect=lab.EXIT_FAILED).stderr
        self.assertIn("a/x", said)
        lab.ip("a", "link delete dev x")
        lab.ip("a", "link property add dev br altname x")
        said = self.topod("apply", path, expect=lab.EXIT_FAILED).stderr
        self.assertIn("alternative name", said)
        lab.ip("a", "link property del dev br altname x")
        self.topod("apply", path)
        self.topod("plan", path)
        self.finish(path)


if __name__ == "__main__":
    lab.main()
