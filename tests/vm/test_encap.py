# SPDX-License-Identifier: GPL-2.0-or-later
"""
Encapsulation of routes that few build machines' kernels have: MPLS, and IP for a tunnel in `external` mode. CMakeLists.txt runs
this in User-Mode Linux. SRv6 is in ../netns/test_routes.py.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from lab import Case  # noqa: E402

RTM_DELROUTE = 25  # linux/rtnetlink.h
OFFICE = """\
namespaces:
  a:
    interfaces:
      eth0: {addresses: [10.0.0.1/24, {address: "fd00::1/64", nodad: true}]}
      v: {kind: vxlan, external: true, addresses: [10.8.0.1/24], mac-address: "02:00:00:00:08:01"}
    neighbors: [{address: 10.8.0.2, dev: v, mac-address: "02:00:00:00:08:02"}]
    nexthops: [HOPS]
    routes: [ROUTES]
  b:
    interfaces:
      lo: {addresses: [10.9.0.1/32]}
      eth0: {addresses: [10.0.0.2/24, {address: "fd00::2/64", nodad: true}]}
      v: {kind: vxlan, id: 5, remote: 10.0.0.1, addresses: [10.8.0.2/24], mac-address: "02:00:00:00:08:02"}
links: [[a:eth0, b:eth0]]
"""
# In the file; what ip shows of it; other words by hand.
MPLS = [("{mpls: [100, 200]}", "encap mpls 100/200", "encap mpls 300"), ("{mpls: 100}", "encap mpls 100", "encap mpls 100/200")]
IP = [("{ip: {id: 5, remote: 10.0.0.2}}", "encap ip id 5 dst 10.0.0.2", "encap ip id 6 dst 10.0.0.2"),
      ("{ip: {id: 5, local: 10.0.0.1, remote: 10.0.0.2, ttl: 9, tos: 4, key: true}}",
       "encap ip id 5 src 10.0.0.1 dst 10.0.0.2 ttl 9 tos 4 key", "encap ip id 5 src 10.0.0.1 dst 10.0.0.2 ttl 9 tos 4"),
      ('{ip: {id: 5, remote: "fd00::2"}}', "encap ip6 id 5 dst fd00::2", "encap ip6 id 5 dst fd00::3")]
ALL = [(encap, "10.0.0.2", "eth0", shown, hand) for encap, shown, hand in MPLS] + [
    (encap, "10.8.0.2", "v", shown, hand) for encap, shown, hand in IP]


def shown():
    """What ip shows of the way to 10.9.0.1, without values that were not declared."""
    said = lab.ip("a", "route show 10.9.0.1").stdout + lab.ip("a", "nexthop").stdout
    words = said[said.find("encap"):] if "encap" in said else ""
    for usual in ("src 0.0.0.0", "src ::", "ttl 0", "tos 0", "hoplimit 0", "tc 0"):
        words = words.replace(usual + " ", "")
    return " ".join(words.split())


class Encapsulation(Case):
    def setUp(self):
        super().setUp()
        lab.run("modprobe", "-a", "mpls_router", "mpls_iptunnel", "vxlan", "dummy")

    def file_with(self, encap, via, dev, by_object=False):
        way = f"via: {via}, dev: {dev}" + (f", encap: {encap}" if encap else "")
        hops, routes = (f"{{id: 7, {way}}}", "{to: 10.9.0.1, nexthop: 7}") if by_object else ("", f"{{to: 10.9.0.1, {way}}}")
        return self.spec(lab.edit(OFFICE, ("HOPS", hops), ("ROUTES", routes)))

    def test_every_word(self):
        for i, (encap, via, dev, said, hand) in enumerate(ALL):
            other, *rest = next(a for a in ALL[i + 1:] + ALL if a[2] == dev and a[0] != encap)
            for by_object in (False, True):
                with self.subTest(encap=encap, by_object=by_object):
                    path = self.file_with(encap, via, dev, by_object)
                    self.topod("apply", path)
                    self.topod("plan", path)
                    self.assertIn(said, shown())
                    with lab.Monitor("a") as monitor:
                        self.file_with(other, via, dev, by_object)
                        self.topod("apply", path)
                        self.assertNotIn(RTM_DELROUTE, monitor.heard())
                    self.assertIn(rest[2], shown())
                    self.topod("plan", path)
                    self.file_with(encap, via, dev, by_object)
                    d = self.daemon(path).ready()
                    self.assertIn(said, shown())
                    before = shown()
                    lab.ip("a", f"nexthop replace id 7 {hand} via {via} dev {dev} proto 84" if by_object else
                           f"route change 10.9.0.1 {hand} via {via} dev {dev} proto 84")
                    self.wait_until(lambda: shown() == before, "the former encapsulation", d)
                    d.stop()
                    self.file_with("", via, dev, by_object)
                    self.topod("apply", path)
                    self.assertEqual("", shown(), "taken out of the file")
                    self.topod("plan", path)
                    self.topod("down", path)

    def test_packets_have_labels(self):
        path = self.file_with("{mpls: 100}", "10.0.0.2", "eth0")
        self.topod("apply", path)
        self.assertFalse(lab.pings("a", "10.9.0.1", check=False))
        lab.sysctl_set("b", "net.mpls.platform_labels", 1000)
        lab.sysctl_set("b", "net.mpls.conf.eth0.input", 1)
        lab.ip("b", "-f mpls route add 100 dev lo")
        lab.pings("a", "10.9.0.1")
        self.topod("down", path)

    def test_packets_have_an_outer_header(self):
        path = self.file_with("{ip: {id: 6, remote: 10.0.0.2}}", "10.8.0.2", "v")
        self.topod("apply", path)
        self.assertFalse(lab.pings("a", "10.9.0.1", check=False), "another VNI")
        self.file_with("{ip: {id: 5, remote: 10.0.0.2}}", "10.8.0.2", "v")
        self.topod("apply", path)
        lab.pings("a", "10.9.0.1")
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
