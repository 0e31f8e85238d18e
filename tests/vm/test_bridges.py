# SPDX-License-Identifier: GPL-2.0-or-later
"""
Bridges: every field of a port. CMakeLists.txt runs this in User-Mode Linux, because few build machines' kernels have VLAN
filtering.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from test_fields import ELSEWHERE, Field, Tables  # noqa: E402

SPEC = """\
namespaces:
  a: {interfaces: {br: {kind: bridge, ports: [{%s}]}, z: {}}}
links: [["a:x", "a:z"]]
"""
FLAGS = ("hairpin", "isolated", "neigh-suppress", "guard", "root-block", "mcast-to-unicast", "proxy-arp", "locked", "vlan-tunnel")
FLAGS_ON = ("learning", "flood", "mcast-flood", "bcast-flood")
PORT = [Field("cost", "5", "6", "cost 7"), Field("priority", "4", "5", "priority 6"),
        *(Field(key, "true", "false", f"{key.replace('-', '_')} off") for key in FLAGS),
        *(Field(key, "false", "true", f"{key.replace('-', '_')} on") for key in FLAGS_ON),
        Field("mcast-router", "disabled", "permanent", "mcast_router 1"), Field("group-fwd-mask", "8", "16", "group_fwd_mask 32")]


class Ports(Tables):
    def write(self, kind, values):
        return self.spec(SPEC % ", ".join(f"{key}: {value}" for key, value in {"name": "x", **values}.items()))

    def test_each_field(self):
        lab.run("modprobe", "-a", "bridge", "veth")
        self.before = lab.snapshot()
        self.check_tables("bridge_slave", [PORT, [Field("mcast-router", "temporary", "auto", "mcast_router 0")]])

    def test_every_field_is_in_the_table(self):
        self.assertEqual(self.documented("Ports") - {field.key for field in PORT} - {"name"} - ELSEWHERE.keys(), set())


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-uml runs this: see CMakeLists.txt")
    lab.main()
