# SPDX-License-Identifier: GPL-2.0-or-later
"""
WireGuard: built and pinged through, each setting changed by hand and in the file, its peers, its underlay, and that no key is
ever shown. CMakeLists.txt runs this in Debian's own kernel.
"""

import base64
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../netns"))

import lab  # noqa: E402
from lab import Case  # noqa: E402

# The outer packets travel between `out` and `far`; `left` and `right` have nothing but their tunnel.
SPEC = """\
namespaces:
  out: {{interfaces: {{e0: {{addresses: [192.0.2.1/24]}}}}}}
  far: {{interfaces: {{e0: {{addresses: [192.0.2.2/24, 192.0.2.3/24]}}}}}}
  left:
    interfaces:
      wg0:
        kind: wireguard
        {device}
        addresses: [10.9.0.1/24]
        peers:
          - {{public-key: {right}, {peer}}}
{peers}
  right:
    interfaces:
      wg0:
        kind: wireguard
        underlay: far
        private-key-file: {directory}/right.key
        listen-port: 51820
        addresses: [10.9.0.2/24]
        peers:
          - {{public-key: {left}, allowed-ips: 10.9.0.1}}
          - {{public-key: {other}, allowed-ips: 10.9.0.3}}
links: [["out:e0", "far:e0"]]
"""
DEVICE = ["underlay: out", "private-key-file: {directory}/left.key", "listen-port: 51821", "fwmark: 7", "mtu: 1400"]
PEER = ["endpoint: 192.0.2.2:51820", "allowed-ips: [10.9.0.2, 10.10.0.0/16]", "persistent-keepalive: 25"]
PRESHARED = "preshared-key-file: {directory}/shared.key"


class WireGuard(Case):
    def setUp(self):
        super().setUp()
        lab.run("modprobe", "wireguard")
        self.before = lab.snapshot()
        self.public, self.secrets = {}, []
        for name in ("left", "right", "other"):
            path = self.write_key(name)
            self.public[name] = lab.run("sh", "-c", f"wg pubkey <{path}").stdout.strip()
        self.write_key("shared")

    def write_key(self, name):
        """Any 32 bytes are one; wg(8) and the kernel set some bits of a private key themselves."""
        key = os.urandom(32)
        path = f"{self.directory}/{name}.key"
        with open(path, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(base64.b64encode(key).decode() + "\n")
        clamped = bytes([key[0] & 248]) + key[1:31] + bytes([key[31] & 127 | 64])
        self.secrets += [base64.b64encode(form).decode()[:-1] for form in (key, clamped)]
        self.secrets += [form.hex() for form in (key, clamped)]
        return path

    def topod(self, *args, **kwargs):
        done = super().topod(*args, **kwargs)
        self.check_secrets(done.stdout + done.stderr)
        return done

    def check_secrets(self, text):
        for secret in self.secrets:
            self.assertNotIn(secret, text, "a key is shown")

    def check_files(self):
        for directory, _, names in os.walk("/run/topod"):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    with open(path, errors="replace") as f:
                        self.check_secrets(f.read())

    def write(self, device=DEVICE, peer=PEER, peers=()):
        words = {"directory": self.directory, **self.public}
        return self.spec(SPEC.format(device="\n        ".join(device).format(**words), peer=", ".join(peer).format(**words),
                                     peers="\n".join(f"          - {{{peer.format(**words)}}}" for peer in peers), **words))

    def apply(self, *args, **kwargs):
        path = self.write(*args, **kwargs)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        self.check_files()
        return path

    def wg(self, *args):
        return lab.run("ip", "netns", "exec", "left", "wg", *args).stdout

    def shown(self):
        """The settings, without values that WireGuard itself changes: a peer's last address, the time, and the
        amount of data."""
        device, *peers = [line.split("\t") for line in self.wg("show", "wg0", "dump").splitlines()]
        mtu = lab.link("left", "wg0")["mtu"]
        return device, mtu, {peer[0]: (peer[1], peer[3], peer[7]) for peer in peers}

    def ping(self):
        lab.run("ip", "netns", "exec", "left", "ping", "-c1", "-W10", "10.9.0.2")

    def index(self):
        return lab.link("left", "wg0")["ifindex"]

    def finish(self, path):
        self.topod("down", path)
        self.check_files()
        self.same(self.before, lab.snapshot(), "down left a trace")

    def by_hand(self):
        """What somebody may do with wg(8) and ip(8)."""
        peer = ("peer", self.public["right"])
        return [
            ("set", "wg0", "private-key", f"{self.directory}/other.key"),
            ("set", "wg0", "listen-port", "3"),
            ("set", "wg0", "fwmark", "4"),
            ("set", "wg0", *peer, "preshared-key", f"{self.directory}/other.key"),
            ("set", "wg0", *peer, "allowed-ips", "10.9.0.2/32"),
            ("set", "wg0", *peer, "persistent-keepalive", "9"),
            ("set", "wg0", *peer, "remove"),
            ("set", "wg0", "peer", self.public["other"], "allowed-ips", "10.9.0.9/32"),
            ("set", "wg0", "peer", self.public["other"], "allowed-ips", "10.10.0.0/16"),  # the peer loses it
        ]

    def test_address_generation(self):
        """The kernel changes it to none when it comes up."""
        self.apply()
        usual = lab.link("left", "wg0")["inet6_addr_gen_mode"]
        self.apply(device=[*DEVICE, "ipv6-address-generation: none"])
        path = self.apply()
        self.assertEqual(usual, lab.link("left", "wg0")["inet6_addr_gen_mode"])
        self.finish(path)

    def test_traffic(self):
        path = self.apply(peer=[*PEER, PRESHARED], device=DEVICE)
        # Both ends need the key that they share.
        lab.run("ip", "netns", "exec", "right", "wg", "set", "wg0", "peer", self.public["left"], "preshared-key",
                f"{self.directory}/shared.key")
        self.assertEqual({"lo", "wg0"}, {link["ifname"] for link in lab.ip_json("left", "link show")})
        self.ping()
        self.topod("plan", path)  # a handshake is not a difference
        self.finish(path)

    def test_each_changed_by_hand(self):
        path = self.apply(peer=[*PEER, PRESHARED])
        want, index = self.shown(), self.index()
        for words in self.by_hand():
            with self.subTest(by_hand=words):
                self.wg(*words)
                self.assertNotEqual(want, self.shown(), "wg changed nothing")
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("plan", "--json", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(want, self.shown())
        self.assertEqual(index, self.index(), "the interface was recreated")
        self.finish(path)

    def test_each_repaired_by_the_daemon(self):
        """There are no events: the next periodic scan finds it."""
        path = self.apply(peer=[*PEER, PRESHARED])
        want = self.shown()
        for words in self.by_hand():
            with self.subTest(by_hand=words):
                d = self.daemon(path, args=["--periodic", "200ms"]).ready()
                with d.expects(r"drift: left/wg0: .*(restored|removed) in"):
                    self.wg(*words)
                self.wait_until(lambda: self.shown() == want, f"undone: {words}", d)
                d.stop()
                self.check_secrets("\n".join(d.lines))
        self.finish(path)

    def test_each_edited(self):
        """In place, without touching unchanged values; the session continues."""
        path = self.apply()
        index = self.index()
        for device, peer, shown in (
                (["underlay: out", "private-key-file: {directory}/left.key", "listen-port: 51900", "fwmark: 8", "mtu: 1380"], PEER,
                 ("51900", "0x8", 1380)),
                (["underlay: out", "private-key-file: {directory}/left.key"], PEER, ("51900", "off", 1420))):  # the port stays
            self.apply(device, peer)
            self.assertEqual(shown, (*self.shown()[0][2:], self.shown()[1]))
        for peer, shown in ((["allowed-ips: 10.9.0.2", "persistent-keepalive: 5s", PRESHARED], ("10.9.0.2/32", "5")),
                            (["allowed-ips: []"], ("(none)", "off"))):
            self.apply(peer=peer)
            self.assertEqual(shown, self.shown()[2][self.public["right"]][1:])
        self.assertEqual("(none)", self.shown()[2][self.public["right"]][0], "the preshared key stayed")
        self.assertEqual(index, self.index())
        os.rename(f"{self.directory}/other.key", f"{self.directory}/left.key")  # another key in the same file
        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", path)
        self.assertEqual(self.public["other"], self.shown()[0][1])
        self.apply(["underlay: out"])
        self.assertEqual("(none)", self.shown()[0][0], "the private key stayed")
        self.assertEqual(index, self.index())
        self.finish(path)

    def test_peers_live_on(self):
        """Adding, changing or removing one peer leaves the session of another alone."""
        path = self.apply()
        self.ping()
        handshake = self.wg("show", "wg0", "latest-handshakes")
        more = "public-key: {other}, allowed-ips: %s, endpoint: '192.0.2.3:9'"
        for peers in ([more % "10.11.0.0/16"], [more % "[10.12.0.0/16, \"fd00::/64\"]"], []):
            self.apply(peers=peers)
            self.assertEqual(1 + len(peers), len(self.shown()[2]))
            self.ping()
            self.assertIn(handshake.strip(), self.wg("show", "wg0", "latest-handshakes"))
        self.finish(path)

    def endpoint(self):
        return self.wg("show", "wg0", "endpoints").split("\t")[1].strip()

    def test_endpoint(self):
        """Set when the peer is made and when the file changes; otherwise the peer may be anywhere."""
        path = self.apply()
        self.wg("set", "wg0", "peer", self.public["right"], "endpoint", "192.0.2.3:51820")  # as if it had roamed
        self.topod("plan", path)
        self.topod("apply", path)
        self.assertEqual("192.0.2.3:51820", self.endpoint())
        self.apply(peer=["endpoint: '192.0.2.2:1'", *PEER[1:]])
        self.assertEqual("192.0.2.2:1", self.endpoint())
        self.apply(peer=["endpoint: '[2001:db8::1]:2'", *PEER[1:]])
        self.assertEqual("[2001:db8::1]:2", self.endpoint())
        self.apply()
        self.ping()
        self.finish(path)

    def test_underlay(self):
        path = self.apply()
        self.ping()
        index = self.index()
        self.apply(DEVICE[1:])  # the kernel does not show where it was made: the ledger knows
        self.assertNotEqual(index, self.index())
        self.assertNotEqual(0, lab.run("ip", "netns", "exec", "left", "ping", "-c1", "-W1", "10.9.0.2", check=False).returncode)
        self.apply(["underlay: host", *DEVICE[1:]])
        self.apply()
        self.ping()
        lab.run("ip", "netns", "delete", "out")
        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.apply()
        self.ping()
        self.finish(path)

    def test_underlay_loses_its_name(self):
        """The daemon holds the namespace: it is named again, and the tunnel lives on."""
        path = self.apply()
        index = self.index()
        d = self.daemon(path).ready()
        with d.expects(r"drift: out: .*restored"):
            lab.run("ip", "netns", "delete", "out")
        self.ping()
        d.stop()
        self.assertEqual(index, self.index())
        self.finish(path)

    def test_many_allowed_ips(self):
        """More than a message holds, both ways."""
        networks = [f"10.{i // 256}.{i % 256}.0/24" for i in range(3000)]
        path = self.apply(peer=["allowed-ips: [" + ", ".join(networks) + "]"])
        self.assertEqual(3000, self.shown()[2][self.public["right"]][1].count("/24"))
        self.finish(path)

    def test_without_a_ledger(self):
        """Peers are recognised by their interface; where it was made is not known, so it is made again."""
        path = self.apply()
        index = self.index()
        lab.run("sed", "-i", "/left.wg0 [lp]/d", "/run/topod/office/ledger")
        self.apply()
        self.assertNotEqual(index, self.index())
        self.finish(path)

    def build(self, name):
        with open(os.path.join(HERE, f"../../specs/{name}.yaml"), encoding="utf-8") as f:
            text = f.read().replace("/etc/wireguard", self.directory)
        keys = re.findall("public-key: (.*)", text)
        path = self.spec(text.replace(keys[0], self.public["right"]).replace(keys[1], self.public["left"]))
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def test_spec(self):
        """The example, with keys of this test."""
        path = self.build("vpn")
        lab.run("ip", "netns", "exec", "left", "ping", "-c1", "-W10", "10.8.0.2")
        self.finish(path)


if __name__ == "__main__":
    if not os.environ.get("TOPOD_VM"):
        sys.exit("in-qemu runs this: see CMakeLists.txt")
    lab.main()
