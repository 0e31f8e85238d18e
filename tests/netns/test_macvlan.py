# SPDX-License-Identifier: GPL-2.0-or-later
"""Macvlan and macvtap: the words of mode `source` and the broadcast queue, by hand and in the file."""

import lab
from lab import Case

SPEC = """\
namespaces:
  a:
    interfaces:
      x: {kind: KIND, link: p0KEYS}
  b: {}
links: [["a:p0", "b:p1"]]
"""
SOURCES = ["02:00:00:00:00:01", "02:00:00:00:00:02"]
FULL = f', mode: source, sources: ["{SOURCES[1]}", "{SOURCES[0]}"], broadcast-queue-length: 50'


class Macvlan(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()

    def apply(self, kind, keys):
        path = self.spec(SPEC.replace("KIND", kind).replace("KEYS", keys))
        self.topod("check", path)
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    def data(self):
        data = lab.link("a", "x")["linkinfo"]["info_data"]
        return data["mode"], sorted(source["mac"] if isinstance(source, dict) else source for source in data.get("macaddr_data", [])), \
            data.get("bcqueuelen")

    def test_sources(self):
        for kind in ("macvlan", "macvtap"):
            with self.subTest(kind=kind):
                path = self.apply(kind, FULL)
                want = ("source", SOURCES, 50)
                self.assertEqual(want, self.data())
                index = lab.link("a", "x")["ifindex"]
                for words in ("macaddr del 02:00:00:00:00:01", "macaddr add 02:00:00:00:00:03", "macaddr flush", "bcqueuelen 60",
                              "mode bridge"):
                    with self.subTest(by_hand=words):
                        lab.ip("a", f"link set x type {kind} {words}")
                        self.assertNotEqual(want, self.data())
                        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                        self.topod("apply", path)
                        self.topod("plan", path)
                        self.assertEqual(want, self.data())
                d = self.daemon(path).ready()
                for words in ("macaddr flush", "bcqueuelen 60"):
                    with d.expects("drift: a/x: .*restored"):
                        lab.ip("a", f"link set x type {kind} {words}")
                    self.wait_until(lambda: self.data() == want, words)
                d.stop()
                self.apply(kind, f', mode: source, sources: "{SOURCES[0]}"')
                self.assertEqual(("source", SOURCES[:1], 1000), self.data())
                self.apply(kind, ", mode: bridge")
                self.assertEqual(("bridge", [], 1000), self.data())
                path = self.apply(kind, FULL)
                self.assertEqual((want, index), (self.data(), lab.link("a", "x")["ifindex"]))
                self.topod("down", path)
                self.same(self.before, lab.snapshot(), "down left a trace")

    def test_mistakes(self):
        path = self.spec(SPEC.replace("KIND", "macvlan").replace("KEYS", f', mode: bridge, sources: "{SOURCES[0]}"'))
        self.assertRegex(self.topod("check", path, expect=lab.EXIT_SPEC).stderr,
                         r"office\.yaml:4:\d+: error: 'sources' needs 'mode: source'; in the other modes it receives from everybody")
        path = self.spec(SPEC.replace("KIND", "macvlan").replace("KEYS", ", mode: source"))
        self.assertRegex(self.topod("check", path).stderr,
                         r"office\.yaml:4:\d+: warning: in mode source it receives nothing without 'sources'")

    def test_only_from_its_sources(self):
        """A ping from an address of the list arrives, one from another does not."""
        path = self.spec("""\
namespaces:
  a: {interfaces: {x: {kind: macvlan, link: "c:p0", mode: source, sources: "02:00:00:00:00:01", addresses: [10.0.0.1/24]}}}
  b: {interfaces: {p1: {mac-address: "02:00:00:00:00:01", addresses: [10.0.0.2/24]}}}
  c: {}
links: [["c:p0", "b:p1"]]
""")
        self.topod("apply", path)
        self.assertTrue(lab.pings("b", "10.0.0.1", check=False))
        lab.ip("a", "link set x type macvlan macaddr set 02:00:00:00:00:09")
        self.assertFalse(lab.pings("b", "10.0.0.1", check=False))
        self.topod("apply", path)
        self.assertTrue(lab.pings("b", "10.0.0.1", check=False))
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")


if __name__ == "__main__":
    lab.main()
