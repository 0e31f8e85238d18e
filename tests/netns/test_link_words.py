# SPDX-License-Identifier: GPL-2.0-or-later
"""Alternative names, and the sizes of segmentation: made, repaired, changed in place, given back."""

import socket
import struct

import lab
from lab import HOST, Case

OFFICE = """\
namespaces:
  web:
    interfaces:
      eth0: {addresses: [10.0.0.1/24]WORDS}
      m0: {kind: macvlan, link: LINK}
      br0: {kind: bridge, ports: [v]}
      v: {kind: vxlan, id: 5, remote: 10.0.0.2, dev: LINK}
    routes: [{to: 10.20.0.0/16, via: 10.0.0.2, dev: LINK}]
    rules: [{from: 10.0.0.0/8, iif: LINK, table: 7}]
    neighbors: [{address: 10.0.0.9, mac-address: "02:00:00:00:00:09", dev: LINK}]
    nat: [{action: masquerade, out: LINK}]
  db: {interfaces: {eth0: {addresses: [10.0.0.2/24]}, m1: {kind: macvlan, link: "web:LINK"}}}
links: [[web:eth0, db:eth0]]
"""
SIZES = {"gso-max-size": (100000, 90000, 65536), "gso-ipv4-max-size": (50000, 40000, 65536), "gso-max-segs": (100, 200, 65535),
         "gro-max-size": (70000, 80000, 65536), "gro-ipv4-max-size": (60000, 61000, 65536)}


def names(ns, link):
    return sorted(lab.link(ns, link).get("altnames", []))


RTM_GETLINK, IFLA_IFNAME = 18, 3  # linux/rtnetlink.h, linux/if_link.h
SINCE_6_3 = {"gso-ipv4-max-size": 63, "gro-ipv4-max-size": 64}  # attributes for which ip of Debian 12 has no words


def number(ns, link, wanted):
    """A number in the kernel's message about a link."""
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + lab.attribute(IFLA_IFNAME, link.encode() + b"\0")
    with lab.inside(ns), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as s:
        s.bind((0, 0))
        s.send(struct.pack("=IHHII", 16 + len(body), RTM_GETLINK, lab.NLM_F_REQUEST, 1, 0) + body)
        data = s.recv(65536)
    at = 32  # after the two headers
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if kind == wanted:
            return struct.unpack_from("=I", data, at + 4)[0]
        at += max(4, (length + 3) & ~3)
    raise AssertionError(f"the kernel shows no attribute {wanted}")


def size(key):
    return number("web", "eth0", SINCE_6_3[key]) if key in SINCE_6_3 else lab.link("web", "eth0")[key.replace("-", "_")]


class AlternativeNames(Case):
    def file_with(self, words, link="eth0"):
        return self.spec(lab.edit(OFFICE, ("WORDS", words)).replace("LINK", link))

    def test_made_changed_and_removed(self):
        path = self.file_with("")
        self.topod("apply", path)
        before = self.settle(usable=True)
        longest = "x" * 127
        for which in (["up0"], ["uplink-of-the-web-server", "up0"], [longest]):
            self.file_with(f", alternative-names: [{', '.join(which)}]")
            self.topod("apply", path)
            self.topod("plan", path)
            self.assertEqual(sorted(which), names("web", "eth0"))
        d = self.daemon(path).ready()
        with d.expects(f"web/eth0: alternative name {longest} was removed; restored"):
            lab.ip("web", f"link property del dev eth0 altname {longest}")
        self.assertEqual([longest], names("web", "eth0"))
        lab.ip("web", "link property add dev eth0 altname of-others")
        self.file_with("")
        d.reload()
        d.stop()
        self.assertEqual(["of-others"], names("web", "eth0"))
        lab.ip("web", "link property del dev eth0 altname of-others")
        self.same(before, self.settle(usable=True))
        self.topod("down", path)

    def test_everything_may_refer_to_it(self):
        """By another name it is the same topology: nothing is to be changed."""
        path = self.file_with(", alternative-names: [uplink-of-the-web-server]")
        self.topod("apply", path)
        self.file_with(", alternative-names: [uplink-of-the-web-server]", "uplink-of-the-web-server")
        self.topod("plan", path)
        self.topod("down", path)
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual("eth0", lab.route("web", "10.20.0.0/16")["dev"])
        self.assertIn('oifname "eth0"', lab.nft("web", "list ruleset").stdout)
        self.topod("down", path)

    def test_of_an_interface_that_was_there(self):
        lab.veth(HOST, "nic0", HOST, "wire")
        lab.ip(HOST, "link property add dev nic0 altname enp0s3")
        before = self.settle()
        path = self.spec("namespaces: {host: {interfaces: {nic0: {kind: existing, alternative-names: [wan]}}}}\n")
        self.topod("apply", path)
        self.assertEqual(["enp0s3", "wan"], names(HOST, "nic0"))
        self.topod("down", path)
        self.same(before, self.settle())
        path = self.spec("namespaces: {box: {interfaces: {eth0: {kind: physical, source: enp0s3, alternative-names: [wan]}}}}\n")
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual(["enp0s3", "wan"], names("box", "eth0"))
        self.topod("down", path)
        self.assertEqual(["enp0s3"], names(HOST, "nic0"))


class Sizes(Case):
    def file_with(self, which):
        return self.spec(lab.edit(OFFICE, ("WORDS", "".join(f", {k}: {v}" for k, v in which.items()))).replace("LINK", "eth0"))

    def test_each(self):
        for key, (first, second, usual) in SIZES.items():
            with self.subTest(key=key):
                path = self.file_with({key: first})
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(first, size(key))
                d = self.daemon(path).ready()
                if key not in SINCE_6_3:
                    lab.ip("web", f"link set eth0 {key.replace('-', '_')} {second - 1}")
                else:  # it follows the other one
                    lab.ip("web", f"link set eth0 {key.replace('-ipv4-', '-').replace('-', '_')} 30000")
                self.wait_until(lambda: size(key) == first, "the former size", d)
                d.stop()
                self.file_with({key: second})
                self.topod("apply", path)
                self.assertEqual(second, size(key))
                self.file_with({})
                self.topod("apply", path)
                self.assertEqual(usual, size(key))
                self.topod("plan", path)
                self.topod("down", path)

    def test_those_for_ipv4_do_not_follow_the_others(self):
        """The kernel would set them to the same."""
        path = self.file_with({key: values[0] for key, values in SIZES.items()})
        self.topod("apply", path)
        self.file_with({key: 44444 if key == "gso-max-size" else values[0] for key, values in SIZES.items()})
        said = self.topod("apply", path).stdout
        self.assertIn("1 changed", said)
        self.assertEqual([44444, 50000], [size("gso-max-size"), size("gso-ipv4-max-size")])
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
