# SPDX-License-Identifier: GPL-2.0-or-later
"""Offloads: set, repaired by the event of their link, changed, given back."""

import array
import fcntl
import socket
import struct

import lab
from lab import HOST, Case

SIOCETHTOOL, ETHTOOL_GFEATURES, ETHTOOL_SFEATURES, ETHTOOL_GSTRINGS, ETH_SS_FEATURES = 0x8946, 0x3a, 0x3b, 0x1b, 4

OFFICE = """\
namespaces:
  web: {interfaces: {eth0: {addresses: [10.0.0.1/24]WORDS}}}
  db: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}
links: [[web:eth0, db:eth0]]
"""


def tso(names):
    return [name for name in names if name.startswith("tx-tcp") and name.endswith("-segmentation")]


def ethtool(ns, link, data):
    """The ioctl; this machine may have no ethtool program. `data` is changed in place."""
    buffer = array.array("B", data)
    with lab.inside(ns), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sP", link.encode(), buffer.buffer_info()[0]) + bytes(16))
    return buffer.tobytes()


def feature_names(ns, link):
    said = ethtool(ns, link, struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_FEATURES, 0) + bytes(32 * 32 * n_blocks(ns, link)))
    n = struct.unpack_from("=III", said)[2]
    return [said[12 + 32 * i:44 + 32 * i].split(b"\0")[0].decode() for i in range(n)]


def n_blocks(ns, link):
    """Of 32 features each."""
    return struct.unpack_from("=II", ethtool(ns, link, struct.pack("=II", ETHTOOL_GFEATURES, 0)))[1]


def features(ns, link):
    """Name: is it on; of those that the device can change."""
    n = n_blocks(ns, link)
    said = ethtool(ns, link, struct.pack("=II", ETHTOOL_GFEATURES, n) + bytes(16 * n))
    blocks = [struct.unpack_from("=IIII", said, 8 + 16 * i) for i in range(n)]  # available, requested, active, never changed
    return {name: bool(blocks[i // 32][2] >> i % 32 & 1) for i, name in enumerate(feature_names(ns, link))
            if blocks[i // 32][0] >> i % 32 & 1}


def set_feature(ns, link, name, on):
    i, n = feature_names(ns, link).index(name), n_blocks(ns, link)
    blocks = [(1 << i % 32, on << i % 32) if k == i // 32 else (0, 0) for k in range(n)]
    ethtool(ns, link, struct.pack("=II", ETHTOOL_SFEATURES, n) + b"".join(struct.pack("=II", *block) for block in blocks))


class Offload(Case):
    def file_with(self, words):
        return self.spec(lab.edit(OFFICE, ("WORDS", f", offload: {words}" if words else "")))

    def test_made_changed_and_removed(self):
        path = self.file_with("")
        self.topod("apply", path)
        usual = features("web", "eth0")
        self.assertTrue(tso(usual) and all(usual[name] for name in tso(usual)))
        for words, off in (("{tso: false}", tso(usual)), ("{tso: false, gro: true, tx-nocache-copy: true}", tso(usual)), ("{tcp-segmentation-offload: true}", []),
                           ("{tx-checksumming: false}", [n for n in usual if n.startswith("tx-checksum")]),
                           ("{tx-tcp6-segmentation: false}", ["tx-tcp6-segmentation"])):
            with self.subTest(words=words):
                self.file_with(words)
                self.topod("apply", path)
                self.topod("plan", path)
                now = features("web", "eth0")
                self.assertEqual([], [name for name in off if now[name]])
                self.assertEqual("gro: true" in words, now["rx-gro"] and not usual["rx-gro"])
                self.file_with("")
                self.topod("apply", path)
                self.assertEqual(usual, features("web", "eth0"))
        self.topod("down", path)
        self.file_with("{tso: false}")  # with the link itself
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual([], [name for name in tso(usual) if features("web", "eth0")[name]])
        self.file_with("")
        self.topod("apply", path)
        self.assertEqual(usual, features("web", "eth0"))
        self.topod("down", path)

    def test_drift(self):
        path = self.file_with("{tso: false, tx-nocache-copy: true}")
        d = self.daemon(path).ready()
        before = features("web", "eth0")
        for name, on in (("tx-tcp6-segmentation", True), ("tx-tcp-segmentation", True), ("tx-nocache-copy", False)):
            with self.subTest(name=name), d.expects(r"drift: web/eth0: offload .* was changed from (true|false) to .*; restored"):
                set_feature("web", "eth0", name, on)
            self.assertEqual(before, features("web", "eth0"))
        d.stop()
        self.topod("down", path)

    def test_of_an_interface_that_was_there(self):
        lab.veth(HOST, "nic0", HOST, "wire")
        set_feature(HOST, "nic0", "tx-tcp6-segmentation", False)
        before = features(HOST, "nic0")
        for entry in ("host: {interfaces: {nic0: {kind: existing, offload: {tso: VALUE}}}}",
                      "box: {interfaces: {eth0: {kind: physical, source: nic0, offload: {tso: VALUE}}}}"):
            for value in ("true", "false"):
                with self.subTest(entry=entry, value=value):
                    path = self.spec("namespaces: {" + entry.replace("VALUE", value) + "}\n")
                    self.topod("apply", path)
                    self.topod("plan", path)
                    now = features("box", "eth0") if "box" in entry else features(HOST, "nic0")
                    self.assertEqual({value == "true"}, {now[name] for name in tso(now)})
                    self.topod("down", path)
                    self.assertEqual(before, features(HOST, "nic0"))

    def test_what_a_device_does_not_have(self):
        path = self.file_with("{hw-tc-offload: true}")
        said = self.topod("apply", path, expect=lab.EXIT_FAILED).stderr
        self.assertIn("office.yaml:2:65: error: web/eth0: offload hw-tc-offload: value", said)
        self.file_with("{hw-tc-offload: false}")
        self.topod("apply", path)
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
