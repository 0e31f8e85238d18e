# SPDX-License-Identifier: GPL-2.0-or-later
"""Policy rules: made as declared, recognised even without a priority, repaired field by field, removed without a trace."""

import lab
from lab import HOST, Case

SPEC = """\
namespaces:
  web:
    interfaces: {eth0: {addresses: [10.0.0.11/24]}}
    routes: [{to: 0.0.0.0/0, via: 10.0.0.1, table: 100}]
    rules:
RULES
links: [[web:eth0, host:c1]]
"""

# A rule of the file, a change by hand, and a change in the file.
RULES = {
    "from 10.1.0.0/16 table 100": ("priority: 1000, from: 10.1.0.0/16, table: 100", "table 101", ("table: 100", "table: 102")),
    "to 10.2.0.0/16 fwmark 0x10/0xff table 100":
        ("priority: 1001, to: 10.2.0.0/16, fwmark: 0x10/0xff, table: 100", "table 101", ("0x10/0xff", "0x20/0xff")),
    "iif eth0 tos 0x10 table 100":
        ("priority: 1002, family: ipv4, iif: eth0, tos: 16, table: 100", "table 102", ("table: 100", "type: blackhole")),
    "ipproto tcp dport 22-23 table 100":
        ("priority: 1003, family: ipv4, ip-protocol: tcp, destination-port: 22-23, table: 100", "table 103", ("22-23", "24")),
    "uidrange 5-9 blackhole":
        ("priority: 1004, family: ipv4, uid-range: 5-9, type: blackhole", "prohibit", ("blackhole", "unreachable")),
    "oif eth0 goto 1010":
        ("priority: 1005, family: ipv4, oif: eth0, goto: 1010", "goto 1011", ("goto: 1010", "goto: 1012")),
    "suppress_prefixlength 0 table main":
        ("priority: 1006, family: ipv6, table: main, suppress-prefix-length: 0", "table 100", ("-length: 0", "-length: 1")),
    "not from 10.3.0.0/16 table 100":
        ("priority: 1007, from: not 10.3.0.0/16, table: 100", "table 104", ("table: 100", "table: 105")),
}


def spec_of(*rules):
    return SPEC.replace("RULES", "\n".join(f"      - {{{r}}}" for r in rules))


def rules(ns, family=None):
    """The rules in the kernel, except its own."""
    return [r for f in ([family] if family else [4, 6]) for r in lab.ip_json(ns, f"-d -{f} rule show")
            if r.get("protocol") != "kernel"]


def all_rules(ns):
    return [lab.ip_json(ns, f"-d -{f} rule show") for f in (4, 6)]


def by_priority(ns, priority):
    found = [r for r in rules(ns) if r["priority"] == priority]
    return found[0] if len(found) == 1 else found


class Rules(Case):
    def test_made_changed_and_removed(self):
        empty = self.spec("namespaces: {web: {interfaces: {eth0: {addresses: [10.0.0.11/24]}}}}\nlinks: [[web:eth0, host:c1]]\n")
        self.topod("apply", empty)
        before = all_rules("web")
        path = self.spec(spec_of(*(r[0] for r in RULES.values())))
        self.topod("apply", path)
        self.topod("plan", path)
        made = rules("web")
        self.assertEqual(len(RULES), len(made))
        self.assertEqual({"84"}, {str(r["protocol"]) for r in made})
        # In the file: each is changed separately, and the others are not touched.
        for words, (declared, _, (old, new)) in RULES.items():
            with self.subTest(in_file=words):
                self.spec(spec_of(*(r[0].replace(old, new) if r[0] == declared else r[0] for r in RULES.values())))
                self.topod("apply", path)
                self.topod("plan", path)
                priority = int(declared.split(",")[0].split()[1])
                self.assertEqual([r for r in made if r["priority"] != priority],
                                 [r for r in rules("web") if r["priority"] != priority])
                self.assertNotEqual([r for r in made if r["priority"] == priority], [by_priority("web", priority)])
                self.spec(spec_of(*(r[0] for r in RULES.values())))
                self.topod("apply", path)
                self.assertEqual(made, rules("web"))
        # All of them are removed from the file.
        self.spec(SPEC.replace("    rules:\nRULES\n", ""))
        self.topod("apply", path)
        self.assertEqual(before, all_rules("web"))
        self.topod("down", path)

    def test_drift(self):
        path = self.spec(spec_of(*(r[0] for r in RULES.values())))
        d = self.daemon(path).ready()
        made = rules("web")
        for words, (declared, other, _) in RULES.items():
            with self.subTest(by_hand=words):
                priority = int(declared.split(",")[0].split()[1])
                family = "-6" if "ipv6" in declared else "-4"
                selector = words[:max(words.rfind(w) for w in ("table", "blackhole", "goto"))].replace("suppress_prefixlength 0 ", "")
                lab.ip("web", f"{family} rule add priority {priority} {selector} {other}")
                lab.ip("web", f"{family} rule del priority {priority} {words} protocol 84")
                self.wait_until(lambda: sorted(map(str, rules("web"))) == sorted(map(str, made)), f"{words}", d)
        with d.expects(r"drift: web: rule 1000 from 10\.1\.0\.0/16 table 100 was removed; restored"):
            lab.ip("web", "rule del priority 1000")
        d.stop()
        self.topod("down", path)

    def test_without_priority(self):
        """The kernel chooses one, and the rule is recognised by its other keys."""
        path = self.spec(spec_of("from: 10.1.0.0/16, table: 100", "fwmark: 7, table: 100"))
        d = self.daemon(path).ready()
        made = rules("web")
        self.assertEqual(3, len(made))  # the one with the mark is for both families
        self.topod("plan", path)
        with d.expects(r"drift: web: rule from 10\.1\.0\.0/16 table 100 was removed; restored"):
            lab.ip("web", "rule del from 10.1.0.0/16")
        self.wait_until(lambda: len(rules("web")) == 3, "the rule", d)
        # With another priority it is the same rule.
        lab.ip("web", "rule add from 10.1.0.0/16 table 100 priority 77 protocol 84")
        lab.ip("web", "rule del from 10.1.0.0/16 priority " + str(next(
            r["priority"] for r in rules("web", 4) if r["src"] == "10.1.0.0" and r["priority"] != 77)))
        self.settle(d)
        self.assertEqual([77], [r["priority"] for r in rules("web", 4) if r["src"] == "10.1.0.0"])
        d.stop()
        self.topod("plan", path)
        self.spec(spec_of("fwmark: 7, table: 101"))
        self.topod("apply", path)
        self.assertEqual(["101", "101"], [r["table"] for r in rules("web")])
        self.topod("down", path)

    def test_selectors_of_everything(self):
        """The kernel does not show a selector that every packet matches; only the family of the prefix is left."""
        path = self.spec(spec_of("priority: 10, from: 0.0.0.0/0, table: 100", "priority: 11, to: '::/0', tos: 0, table: 101", "priority: 12, fwmark: 0/0, uid-range: 0-4294967294, table: 102"))
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual(["100", "102"], sorted(r["table"] for r in rules("web", 4)))
        self.assertEqual(["101", "102"], sorted(r["table"] for r in rules("web", 6)))
        self.topod("down", path)

    def test_kernels_first(self):
        """The kernel's rule 0 is deleted after another rule looks up its table, and restored before that one is deleted."""
        path = self.spec(spec_of("priority: 100, table: local, family: ipv4",
                                 "priority: 0, table: local, family: ipv4, state: absent"))
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertEqual([100, 32766, 32767], [r["priority"] for r in lab.ip_json("web", "-4 rule show")])
        d = self.daemon(path).ready()
        lab.ip("web", "-4 rule add priority 0 table local protocol kernel")
        self.wait_until(lambda: [100, 32766, 32767] == [r["priority"] for r in lab.ip_json("web", "-4 rule show")], "its absence", d)
        d.stop()
        self.spec(SPEC.replace("    rules:\nRULES\n", ""))
        self.topod("apply", path)
        self.assertEqual([0, 32766, 32767], [r["priority"] for r in lab.ip_json("web", "-4 rule show")])
        self.topod("down", path)

    def test_exclusive(self):
        """Undeclared rules are removed, the kernel's own stay."""
        path = self.spec(spec_of("priority: 1000, from: 10.1.0.0/16, table: 100").replace("  web:\n", "  web:\n    exclusive: true\n"))
        self.topod("apply", path)
        before = all_rules("web")
        lab.ip("web", "rule add priority 5 from 10.9.0.0/16 table 9")
        self.topod("apply", path)
        self.assertEqual(before, all_rules("web"))
        self.topod("down", path)

    def test_of_others(self):
        path = self.spec(spec_of("priority: 1000, from: 10.1.0.0/16, table: 100"))
        self.topod("apply", path)
        lab.ip("web", "rule add priority 5 from 10.9.0.0/16 table 9")
        self.topod("apply", path)
        self.assertEqual(2, len(rules("web")))
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
