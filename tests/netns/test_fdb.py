# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries of forwarding tables: made as declared, repaired field by field, removed without a trace."""

import lab
from lab import Case

BASE = """\
namespaces:
  a:
    interfaces:
      br: {kind: bridge, ports: [x, w, {name: v, learning: false}]}
      x: {fdb: [%(port)s]}
      w: {}
      v: {kind: vxlan, id: 5, learning: false, fdb: [%(vxlan)s]}
      up: {addresses: [10.0.0.1/24]}
links: [["a:x", "a:z"], ["a:w", "a:wz"], ["a:up", "a:down"]]
"""
PORT = ['{mac-address: "02:00:00:00:00:11"}', '{mac-address: "02:00:00:00:00:12", sticky: true}',
        '{mac-address: "02:00:00:00:00:13", extern-learn: true}']
VXLAN = ['{mac-address: "02:00:00:00:00:21", remote: 10.0.0.5}',
         '{mac-address: "02:00:00:00:00:22", remote: 10.0.0.5, port: 99, vni: 7, via: up}',
         '{mac-address: "00:00:00:00:00:00", remote: 10.0.0.5}', '{mac-address: "00:00:00:00:00:00", remote: 10.0.0.6, vni: 9}',
         '{mac-address: "01:00:5e:00:00:05", remote: 10.0.0.5}', '{mac-address: "02:00:00:00:00:23", remote: 10.0.0.5, extern-learn: true}']
EDITS = [(PORT, 0, ":11", ":14"), (PORT, 1, "true", "false"), (PORT, 2, "true", "false"), (VXLAN, 0, ".5", ".7"), (VXLAN, 1, "99", "98"),
         (VXLAN, 1, ", via: up", ""), (VXLAN, 1, "vni: 7", "vni: 8"), (VXLAN, 2, ".5", ".9"), (VXLAN, 4, ".5", ".9"), (VXLAN, 5, "true", "false")]
BY_HAND = ["del 02:00:00:00:00:11 dev x master", "replace 02:00:00:00:00:11 dev w master static",
           "replace 02:00:00:00:00:12 dev x master static", "del 02:00:00:00:00:13 dev x master",
           "del 02:00:00:00:00:21 dev v", "replace 02:00:00:00:00:21 dev v dst 10.0.0.9",
           "replace 02:00:00:00:00:22 dev v dst 10.0.0.5 port 98 vni 7 via up", "del 00:00:00:00:00:00 dev v dst 10.0.0.5",
           "del 00:00:00:00:00:00 dev v dst 10.0.0.6 vni 9", "del 01:00:5e:00:00:05 dev v dst 10.0.0.5"]


class Fdb(Case):
    def setUp(self):
        super().setUp()
        lab.run("modprobe", "-aq", "vxlan", "bridge", check=False)

    def write(self, port=PORT, vxlan=VXLAN, exclusive=False):
        text = BASE % {"port": ", ".join(port), "vxlan": ", ".join(vxlan)}
        return self.spec(text.replace("  a:\n", "  a:\n    exclusive: true\n") if exclusive else text)

    def entries(self):
        """Static ones, without those that the kernel makes for the links' own addresses and for multicast."""
        return sorted(line.strip() for line in lab.bridge("a", "fdb show").stdout.splitlines()
                      if (" dst " in line or "master" in line and "permanent" not in line) and ("dst" in line or "static" in line or "extern" in line))

    def apply(self, *args, **words):
        path = self.write(*args, **words)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def test_made_changed_and_removed(self):
        self.apply([], [])
        before = self.entries()
        path = self.apply()
        made = self.entries()
        self.assertEqual(len(PORT) + len(VXLAN), len(made) - len(before))
        for which, i, old, new in EDITS:
            with self.subTest(in_file=which[i], to=new):
                edited = [*which[:i], which[i].replace(old, new), *which[i + 1:]]
                self.apply(*((edited, VXLAN) if which is PORT else (PORT, edited)))
                self.assertEqual((1, 1), (len(set(made) - set(self.entries())), len(set(self.entries()) - set(made))))
                self.apply()
                self.assertEqual(made, self.entries())
        self.apply([], [])
        self.assertEqual(before, self.entries())
        self.topod("down", path)

    def test_drift(self):
        path = self.apply()
        made = self.entries()
        for words in BY_HAND:
            with self.subTest(apply=words):
                lab.bridge("a", f"fdb {words}")
                self.assertNotEqual(made, self.entries(), "bridge changed nothing")
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.assertEqual(made, self.entries())
        d = self.daemon(path).ready()
        for words in BY_HAND:
            with self.subTest(daemon=words):
                lab.bridge("a", f"fdb {words}")
                self.wait_until(lambda: self.entries() == made, f"the entries after '{words}'", d)
        lab.ip("a", "link set dev x nomaster")  # takes its entries along
        self.wait_until(lambda: self.entries() == made, "the entries of a port that had left", d)
        d.stop()
        self.topod("down", path)

    def test_what_is_learned_is_no_drift(self):
        path = self.apply()
        lab.bridge("a", "fdb add 02:00:00:00:00:77 dev w master dynamic")
        lab.bridge("a", "fdb add 02:00:00:00:00:78 dev v dst 10.0.0.8 dynamic")
        self.topod("plan", path)
        # An address that was learned elsewhere does not keep an entry from being made.
        lab.bridge("a", "fdb del 02:00:00:00:00:11 dev x master")
        lab.bridge("a", "fdb add 02:00:00:00:00:11 dev w master dynamic")
        self.topod("apply", path)
        self.topod("plan", path)
        self.topod("down", path)

    def test_of_others(self):
        path = self.apply()
        lab.bridge("a", "fdb add 02:00:00:00:00:66 dev x master static")
        lab.bridge("a", "fdb append 00:00:00:00:00:00 dev v dst 10.0.0.66")
        self.topod("plan", path)
        self.apply(exclusive=True)
        self.assertEqual([], [e for e in self.entries() if ":66" in e or ".66" in e])
        self.topod("down", path)


MESH = """\
namespaces:
  under: {interfaces: {br: {kind: bridge, ports: [p1, p2, p3]}}}
"""
MACHINE = """\
  m%(n)d:
    interfaces:
      up: {addresses: [10.0.0.%(n)d/24]}
      v: {kind: vxlan, id: 5, %(words)s, addresses: [10.5.0.%(n)d/24]}
"""


class Remotes(Case):
    """Several other ends of a vxlan: the set of its entries for unknown addresses."""

    def write(self, first="remotes: [10.0.0.2, 10.0.0.3]"):
        words = first, "remotes: [10.0.0.1, 10.0.0.3]", "remotes: [10.0.0.1, 10.0.0.2]"
        machines = "".join(MACHINE % {"n": n + 1, "words": w} for n, w in enumerate(words))
        return self.spec(MESH + machines + "links: " + str([[f"m{n}:up", f"under:p{n}"] for n in (1, 2, 3)]) + "\n")

    def ends(self):
        return sorted(" ".join(line.split()[2:]) for line in lab.bridge("m1", "fdb show dev v").stdout.splitlines()
                      if line.startswith("00:00:00:00:00:00"))

    def apply(self, *words):
        path = self.write(*words)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def test_work(self):
        path = self.apply()
        for n in 1, 2, 3:
            for to in {1, 2, 3} - {n}:
                lab.pings(f"m{n}", f"10.5.0.{to}")
        index = lab.link("m1", "v")["ifindex"]
        for words, want in (("remotes: 10.0.0.2", ["10.0.0.2 self permanent"]), ("remotes: []", []),
                            ("remotes: [10.0.0.3, 10.0.0.7]", ["10.0.0.3 self permanent", "10.0.0.7 self permanent"]),
                            ("remote: 10.0.0.2", ["10.0.0.2 self permanent"]), ("remotes: [10.0.0.9]", ["10.0.0.9 self permanent"]),
                            ("learning: false", [])):
            with self.subTest(words=words):
                self.apply(words)
                self.assertEqual((want, index), (self.ends(), lab.link("m1", "v")["ifindex"]))
        self.topod("down", path)

    def test_drift(self):
        path = self.apply()
        made, any_mac = self.ends(), "00:00:00:00:00:00 dev v dst"
        by_hand = f"del {any_mac} 10.0.0.2", f"append {any_mac} 10.0.0.9", f"append {any_mac} 10.0.0.2 port 99", f"append {any_mac} 10.0.0.8 vni 4"
        for words in by_hand:
            with self.subTest(apply=words):
                lab.bridge("m1", f"fdb {words}")
                self.assertNotEqual(made, self.ends(), "bridge changed nothing")
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", path)
                self.assertEqual(made, self.ends())
        d = self.daemon(path).ready()
        for words in by_hand:
            with self.subTest(daemon=words), d.expects("drift: m1/v: remotes .*restored"):
                lab.bridge("m1", f"fdb {words}")
        d.stop()
        self.assertEqual(made, self.ends())
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
