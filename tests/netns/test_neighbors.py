# SPDX-License-Identifier: GPL-2.0-or-later
"""Static neighbours: made as declared, repaired field by field, removed without a trace."""

import lab
from lab import Case

BASE = """\
namespaces:
  web:
    interfaces: {eth0: {addresses: [10.0.0.11/24, "fd00:1::11/64"]}}
LIST
links: [[web:eth0, host:c1]]
"""

ENTRIES = [
    '{address: 10.0.0.20, dev: eth0, mac-address: "02:00:00:00:00:20"}',
    '{address: "fd00:1::20", dev: eth0, mac-address: "02:00:00:00:00:21", router: true}',
    '{address: 10.0.0.22, dev: eth0, mac-address: "02:00:00:00:00:22", state: noarp, extern-learn: true}',
    '{address: 10.0.0.23, dev: eth0, proxy: true}',
    '{address: "fd00:1::23", dev: eth0, proxy: true, router: true}',
]


def spec_of(entries, exclusive=False):
    text = BASE.replace("LIST", "    neighbors:\n" + "\n".join("      - " + e for e in entries) if entries else "    drift: restore")
    return text.replace("  web:\n", "  web:\n    exclusive: true\n") if exclusive else text


def neighbors(ns):
    """Static entries, except those that the kernel adds for multicast."""
    found = [n for f in (4, 6) for words in ("neigh show nud all", "neigh show proxy") for n in lab.ip_json(ns, f"-{f} {words}")]
    return sorted(str(sorted((k, str(v)) for k, v in n.items())) for n in found
                  if ("proxy" in n or {"PERMANENT", "NOARP"} & set(n.get("state", []))) and not n["dst"].startswith("ff"))


class Neighbors(Case):
    def test_made_changed_and_removed(self):
        empty = self.spec(spec_of([]))
        self.topod("apply", empty)
        before = neighbors("web")
        path = self.spec(spec_of(ENTRIES))
        self.topod("apply", path)
        self.topod("plan", path)
        made = neighbors("web")
        self.assertEqual(len(ENTRIES), len(made))
        self.assertEqual([], [n for n in made if "'protocol', '84'" not in n])
        for i, (old, new) in enumerate([(":20\"}", ":99\"}"), ("router: true", "router: false"), ("noarp", "permanent"),
                                        ("10.0.0.23", "10.0.0.24"), (", router: true", "")]):
            with self.subTest(in_file=ENTRIES[i]):
                self.spec(spec_of([*ENTRIES[:i], ENTRIES[i].replace(old, new), *ENTRIES[i + 1:]]))
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual(1, len(set(neighbors("web")) - set(made)))
                self.assertEqual(1, len(set(made) - set(neighbors("web"))))
                self.spec(spec_of(ENTRIES))
                self.topod("apply", path)
                self.assertEqual(made, neighbors("web"))
        self.spec(spec_of([]))
        self.topod("apply", path)
        self.assertEqual(before, neighbors("web"))
        self.topod("down", path)

    def test_drift(self):
        path = self.spec(spec_of(ENTRIES))
        d = self.daemon(path).ready()
        made = neighbors("web")
        for words in ("neigh replace 10.0.0.20 dev eth0 lladdr 02:00:00:00:00:77 nud permanent",
                      "neigh del 10.0.0.20 dev eth0",
                      "neigh replace fd00:1::20 dev eth0 lladdr 02:00:00:00:00:78 nud permanent",
                      "neigh replace 10.0.0.22 dev eth0 lladdr 02:00:00:00:00:22 nud permanent",
                      "link set eth0 down"):
            with self.subTest(by_hand=words):
                lab.ip("web", words)
                self.wait_until(lambda: neighbors("web") == made, f"the neighbours after '{words}'", d)
        d.stop()
        # The kernel sends no events for proxies: the next scan finds it.
        lab.ip("web", "neigh del proxy 10.0.0.23 dev eth0")
        self.assertIn("proxy neighbor 10.0.0.23", self.topod("plan", path, expect=2).stdout)
        self.topod("apply", path)
        self.assertEqual(made, neighbors("web"))
        self.topod("down", path)

    def test_exclusive(self):
        path = self.spec(spec_of(ENTRIES[:1], exclusive=True))
        self.topod("apply", path)
        before = neighbors("web")
        lab.ip("web", "neigh add 10.0.0.66 dev eth0 lladdr 02:00:00:00:00:66 nud permanent")
        lab.ip("web", "neigh add proxy 10.0.0.67 dev eth0")
        self.topod("apply", path)
        self.assertEqual(before, neighbors("web"))
        self.topod("down", path)

    def test_of_others(self):
        path = self.spec(spec_of(ENTRIES[:1]))
        self.topod("apply", path)
        lab.ip("web", "neigh add 10.0.0.66 dev eth0 lladdr 02:00:00:00:00:66 nud permanent")
        self.topod("apply", path)
        self.assertEqual(2, len(neighbors("web")))
        self.topod("plan", path)
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
