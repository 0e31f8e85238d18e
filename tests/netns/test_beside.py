# SPDX-License-Identifier: GPL-2.0-or-later
"""Two topologies on one machine: what both declare is shared, what they declare differently belongs to the first."""

import itertools
import json
import os
import re

import lab
from lab import HOST, Case, edit

# Both use an interface of the machine.
BOTH = """\
topology: {name}
namespaces:
  host:
    interfaces:
      ex0: {{kind: existing, mtu: 1400, addresses: [10.0.0.1/24, 10.0.1.1/24]}}
    routes:
      - {{to: 192.0.2.0/24, via: 10.0.0.2}}
    sysctl:
      net.ipv4.ip_forward: 1
      net.ipv4.conf.ex0.rp_filter: 2
      net.ipv4.ip_default_ttl: 99
  {name}-own:
    interfaces:
      lo: {{addresses: [198.51.100.1/32]}}
"""


class Beside(Case):
    def setUp(self):
        super().setUp()
        lab.ip(HOST, "link add ex0 type bridge")
        lab.ip(HOST, "link set ex0 up mtu 1450")
        lab.ip(HOST, "addr add 10.9.9.1/24 dev ex0")
        lab.sysctl_set(HOST, "net.ipv4.ip_forward", 0)
        lab.sysctl_set(HOST, "net.ipv4.conf.ex0.rp_filter", 0)
        self.settle()

    def both(self, name, *changes):
        return self.spec(edit(BOTH.format(name=name), *changes), f"{name}.yaml")

    def line_of(self, path, text):
        with open(path) as f:
            return next(number for number, line in enumerate(f, 1) if text in line)

    def state(self):
        return lab.state_only(lab.snapshot(exact=True))

    def has_shared(self):
        self.assertEqual(1400, lab.link(HOST, "ex0")["mtu"])
        self.assertEqual(["10.0.0.1/24", "10.0.1.1/24", "10.9.9.1/24"],
                         [a for a in lab.addresses(HOST, "ex0") if "." in a])
        self.assertEqual("10.0.0.2", lab.route(HOST, "192.0.2.0/24")["gateway"])
        self.assertEqual("1", lab.sysctl_get(HOST, "net.ipv4.ip_forward"))
        self.assertEqual("2", lab.sysctl_get(HOST, "net.ipv4.conf.ex0.rp_filter"))
        self.assertEqual("99", lab.sysctl_get(HOST, "net.ipv4.ip_default_ttl"))

    def is_well(self, path):
        self.topod("plan", path, expect=0)


class Shared(Beside):
    """The same object with the same value stays until the last one goes, and then it is what it was before the first."""

    def test_either_goes_first(self):
        before = self.state()
        a, b = self.both("a"), self.both("b")
        for first, second, leaves, stays in ((a, b, a, b), (a, b, b, a), (b, a, a, b)):
            self.topod("apply", first)
            self.topod("apply", second)
            self.has_shared()
            self.topod("down", leaves)
            self.has_shared()
            self.is_well(stays)
            self.topod("apply", leaves)  # it returns, and goes again
            self.topod("down", leaves)
            self.has_shared()
            self.topod("down", stays)
            self.same(before, self.state(), "the machine is not as it was")

    def test_three(self):
        before = self.state()
        paths = [self.both(name) for name in "abc"]
        for order in itertools.permutations(paths):
            for path in paths:
                self.topod("apply", path)
            for gone, path in enumerate(order):
                self.topod("down", path)
                if gone < 2:
                    self.has_shared()
            self.same(before, self.state(), "the machine is not as it was")

    def test_daemons(self):
        before = self.state()
        a, b = self.both("a", ("topology: a\n", "topology: a\non-stop: remove\n")), self.both("b")
        x, y = self.daemon(a).ready(), self.daemon(b).ready()
        x.stop()  # and removes only its own objects
        self.has_shared()
        self.is_well(b)
        lab.ip(HOST, "route del 192.0.2.0/24")
        y.wait_line(r"192\.0\.2\.0/24.*restored")
        x = self.daemon(a).ready()
        y.kill()
        x.stop()
        self.has_shared()  # b was killed, and its network still exists
        y = self.daemon(b).ready()
        self.assertIsNone(y.find("fail"))
        y.stop()
        self.topod("down", b)
        self.same(before, self.state(), "the machine is not as it was")

    def test_drift_is_repaired_and_not_fought_over(self):
        x, y = self.daemon(self.both("a")).ready(), self.daemon(self.both("b")).ready()
        for _ in range(3):
            lab.ip(HOST, "addr del 10.0.1.1/24 dev ex0")
            lab.ip(HOST, "link set ex0 mtu 1300")
            self.wait_until(lambda: lab.link(HOST, "ex0")["mtu"] == 1400 and "10.0.1.1/24" in lab.addresses(HOST, "ex0"),
                            "the repair", x)
        for d, name in ((x, "a"), (y, "b")):
            d.wait(lambda name=name: json.loads(self.topod("status", "--json", name).stdout)["topologies"][0]["state"] == "converged", "rest")
            self.assertIsNone(d.find("backed off"), d.log)
        x.stop()
        y.stop()

    def test_what_is_no_longer_declared(self):
        a, b = self.both("a"), self.both("b")
        self.topod("apply", a)
        self.topod("apply", b)
        less = ("      - {to: 192.0.2.0/24, via: 10.0.0.2}\n", "      - {to: 198.18.0.0/15, via: 10.0.0.2}\n")
        self.both("a", less, ("      net.ipv4.ip_forward: 1\n", ""), (", mtu: 1400", ""))
        self.topod("apply", a)
        self.has_shared()
        self.both("b", less, ("      net.ipv4.ip_forward: 1\n", ""), (", mtu: 1400", ""))
        self.topod("apply", b)
        self.assertIsNone(lab.route(HOST, "192.0.2.0/24"))
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv4.ip_forward"))
        self.assertEqual(1450, lab.link(HOST, "ex0")["mtu"])

    def test_what_was_so_before(self):
        """A value that existed already counts as declared like any other."""
        lab.sysctl_set(HOST, "net.ipv4.ip_forward", 1)
        before = self.state()
        a = self.both("a")
        b = self.both("b", ("net.ipv4.ip_forward: 1", "net.ipv4.ip_forward: 0"))
        self.topod("apply", a)
        self.assertIn("topology 'a'", self.topod("apply", b, expect=lab.EXIT_FAILED).stderr)
        self.has_shared()
        self.topod("down", a)
        self.topod("apply", b)
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv4.ip_forward"))
        self.topod("down", b)
        self.same(before, self.state(), "the machine is not as it was")

    def test_ledger_of_before(self):
        """0.1 records no values: then the current value counts as the declared one."""
        before = self.state()
        a, b = self.both("a"), self.both("b", ("via: 10.0.0.2", "via: 10.0.1.2"))
        self.topod("apply", a)
        with open("/run/topod/a/ledger") as f:
            lines = [line for line in f if line[0] in "+-t"]
        with open("/run/topod/a/ledger", "w") as f:
            f.writelines(lines)
        said = self.topod("apply", b, expect=lab.EXIT_FAILED).stderr
        self.assertRegex(said, r"192\.0\.2\.0/24.*topology 'a'")
        self.has_shared()
        self.topod("down", a)
        self.topod("apply", b)
        self.assertEqual("10.0.1.2", lab.route(HOST, "192.0.2.0/24")["gateway"])
        self.topod("down", b)
        self.same(before, self.state(), "the machine is not as it was")


class Different(Beside):
    """An object that another topology declares differently is refused, with the other's name and position; the
    rest is built."""

    CASES = (
        (("via: 10.0.0.2", "via: 10.0.1.2"), r"route 192\.0\.2\.0/24 .*via 10\.0\.0\.2", "192.0.2.0/24"),
        (("mtu: 1400", "mtu: 1300"), r"ex0: .*mtu 1400", "ex0:"),
        (("10.0.1.1/24]", "{address: 10.0.1.1/24, label: 'ex0:b'}]"), r"address 10\.0\.1\.1/24", "ex0:"),
        (("net.ipv4.ip_forward: 1", "net.ipv4.ip_forward: 0"), r"ip_forward .*1", "ip_forward"),
        (("conf.ex0.rp_filter: 2", "conf.ex0.rp_filter: 1"), r"rp_filter .*2", "rp_filter"),
    )

    def test_each(self):
        a = self.both("a")
        self.topod("apply", a)
        for change, said, at in self.CASES:
            with self.subTest(change[1]):
                b = self.both("b", change)
                place = rf"topology 'a' \({re.escape(a)}:{self.line_of(a, at)}\)"
                before = self.state()["host"]
                plan = self.topod("plan", b, expect=lab.EXIT_DIFFERENCES).stdout
                self.assertRegex(plan, rf"! .*{said}.*{place}")
                self.assertIn("1 refused", plan)
                # … at its position in b.
                done = self.topod("apply", b, expect=lab.EXIT_FAILED)
                self.assertRegex(done.stderr, rf"b\.yaml:\d+:\d+: error: .*{said}.*{place}")
                self.assertEqual(1, done.stderr.count("error:"), done.stderr)
                self.assertEqual(["198.51.100.1/32"], lab.addresses("b-own", "lo")[1:2] or lab.addresses("b-own", "lo"))
                self.has_shared()
                self.is_well(a)
                self.topod("down", b)
                self.assertEqual("", lab.difference({"host": before}, {"host": self.state()["host"]}))

    def test_no_fight(self):
        changes = [c for c, _, _ in self.CASES]
        x = self.daemon(self.both("a")).ready()
        y = self.daemon(self.both("b", *changes))
        y.wait_line(r"failing: .*192\.0\.2\.0/24.*topology 'a'")
        y.wait_line(r"failing: .*ip_forward.*topology 'a'")
        self.wait_until(lambda: "b-own" in lab.namespaces() and "198.51.100.1/32" in lab.addresses("b-own", "lo"),
                        "the rest of b", y)
        self.has_shared()
        self.assertEqual("converged", json.loads(self.topod("status", "--json", "a").stdout)["topologies"][0]["state"])
        status = json.loads(self.topod("status", "--json", "b").stdout)["topologies"][0]
        self.assertEqual(("degraded", 0), (status["state"], status["fought_over"] if "fought_over" in status else 0))
        self.assertIsNone(x.find("drift"), x.log)
        # The first one goes: the second one applies its values without being asked.
        x.stop()
        self.topod("down", "a")
        self.wait_until(lambda: (lab.route(HOST, "192.0.2.0/24") or {}).get("gateway") == "10.0.1.2" and
                        lab.link(HOST, "ex0")["mtu"] == 1300, "b's route", y)
        y.ready()
        y.stop()

    def test_a_value_that_changes_while_it_is_shared(self):
        a, b = self.both("a"), self.both("b")
        x, y = self.daemon(a).ready(), self.daemon(b).ready()
        changes = (("mtu: 1400", "mtu: 1300"), ("via: 10.0.0.2", "via: 10.0.1.2"))
        self.both("a", *changes)
        said = self.topod("reload", "a", expect=lab.EXIT_FAILED).stdout
        self.assertIn("topology 'b'", said)
        self.has_shared()
        self.is_well(b)
        self.both("b", *changes)
        self.topod("reload", "b")
        self.assertEqual(1300, lab.link(HOST, "ex0")["mtu"])
        self.assertEqual("10.0.1.2", lab.route(HOST, "192.0.2.0/24")["gateway"])
        x.wait(lambda: json.loads(self.topod("status", "--json", "a").stdout)["topologies"][0]["state"] == "converged", "a's share")
        x.stop()
        y.stop()
        self.topod("down", "b")
        self.assertEqual(1300, lab.link(HOST, "ex0")["mtu"])
        self.topod("down", "a")
        self.assertEqual(1450, lab.link(HOST, "ex0")["mtu"])

    def test_places_follow_the_file(self):
        a, b = self.both("a"), self.both("b", ("mtu: 1400", "mtu: 1300"))
        self.topod("apply", a)
        self.spec("# one line more\n" + BOTH.format(name="a"), "a.yaml")
        self.topod("apply", a)
        self.assertIn(f"{a}:{self.line_of(a, 'ex0:')})", self.topod("plan", b, expect=lab.EXIT_DIFFERENCES).stdout)


LINKS = """\
topology: a
namespaces:
  host: {interfaces: {br-a: {kind: bridge, ports: [a0]}, sep: {addresses: [10.5.0.1/24]}}}
  web: {interfaces: {eth0: {addresses: [10.1.0.2/24]}, sep: {addresses: [10.5.0.2/24]}}}
links:
  - [web:eth0, host:a0]
  - [web:sep, host:sep]
"""


class Links(Beside):
    def test_an_interface_is_no_port_of_another_bridge(self):
        a = self.spec(LINKS, "a.yaml")
        self.topod("apply", a)
        before = self.state()
        for name in ("a0", "sep"):
            b = self.spec("topology: b\nnamespaces: {host: {interfaces: {br-b: {kind: bridge, ports: [%s]}, "
                          "%s: {kind: existing}}}}\n" % (name, name), "b.yaml")
            plan = self.topod("plan", b, expect=lab.EXIT_DIFFERENCES).stdout
            self.assertRegex(plan, rf"! {name}: .*topology 'a' \({re.escape(a)}:\d+\)")
            self.assertRegex(self.topod("apply", b, expect=lab.EXIT_FAILED).stderr, rf"{name}: .*topology 'a'")
            self.assertIsNotNone(lab.link(HOST, "br-b"))  # the rest is built
            self.is_well(a)
            self.topod("down", b)
            self.same(before, self.state(), "something of a was touched")

    def test_a_name_that_is_taken(self):
        """Links and namespaces belong to one topology; the refusal says which one, and how to use them nevertheless."""
        a = self.spec(LINKS, "a.yaml")
        self.topod("apply", a)
        self.settle(usable=True)
        before = self.state()
        b = self.spec("topology: b\nnamespaces: {web: {}, host: {interfaces: {br-a: {kind: bridge}}}}\n", "b.yaml")
        said = self.topod("apply", b, expect=lab.EXIT_FAILED).stderr
        self.assertRegex(said, r"web: .*belongs to topology 'a' \(.*a\.yaml:4\).*'adopt: true'")
        self.assertRegex(said, r"br-a: .*belongs to topology 'a' \(.*a\.yaml:3\).*'kind: existing'")
        self.same(before, self.state())
        # It is not taken over either while it is missing for a moment.
        lab.ip(HOST, "link del br-a")
        self.assertRegex(self.topod("apply", b, expect=lab.EXIT_FAILED).stderr, r"br-a: .*topology 'a'")
        self.assertIsNone(lab.link(HOST, "br-a"))
        self.topod("down", b)
        self.topod("apply", a)

    def test_an_interface_of_the_other_one(self):
        a = self.spec(LINKS, "a.yaml")
        b = self.spec("topology: b\nnamespaces: {host: {interfaces: {br-a: {kind: existing, addresses: [10.7.0.1/24]}}}}\n",
                      "b.yaml")
        x = self.daemon(a).ready()
        y = self.daemon(b).ready()
        self.is_well(a)
        # It goes with the topology that made it; when it returns, so do the objects on it.
        x.stop()
        self.topod("down", "a")
        y.wait_line("br-a: .*does not exist")
        x = self.daemon(a).ready()
        self.wait_until(lambda: "10.7.0.1/24" in lab.addresses(HOST, "br-a"), "b's address", y)
        x.stop()
        y.stop()


ADOPTS = """\
topology: b
namespaces:
  web:
    adopt: true
    interfaces:
      br-b: {kind: bridge, addresses: [10.6.0.1/24]}
      eth0: {kind: existing, addresses: [10.6.1.1/24]}
    routes:
      - {to: 198.18.0.0/15, via: 10.6.0.2}
    sysctl: {net.ipv4.ip_forward: 1}
"""


class Adopted(Beside):
    def has_bs(self):
        self.assertEqual(["10.6.0.1/24"], [a for a in lab.addresses("web", "br-b") if "." in a])
        self.assertEqual("10.6.0.2", lab.route("web", "198.18.0.0/15")["gateway"])
        self.assertEqual("1", lab.sysctl_get("web", "net.ipv4.ip_forward"))

    def test_exclusive_spares_the_other_one(self):
        a = self.spec(edit(LINKS, ("  web: {", "  web: {exclusive: true, ")), "a.yaml")
        b = self.spec(ADOPTS, "b.yaml")
        self.topod("apply", a)
        self.topod("apply", b)
        lab.ip("web", "link add foreign type bridge")
        said = self.topod("apply", a).stderr
        self.assertRegex(said, rf"web/br-b: .*belongs to topology 'b' \({re.escape(b)}:6\)")
        self.has_bs()
        self.assertIn("10.6.1.1/24", lab.addresses("web", "eth0"))
        self.assertIsNone(lab.link("web", "foreign"))
        plan = self.topod("plan", a, expect=0).stdout
        self.assertRegex(plan, r"br-b.*topology 'b'")
        self.topod("down", b)
        self.assertIsNone(lab.link("web", "br-b"))
        self.is_well(a)

    def test_exclusive_of_the_one_that_adopts(self):
        a = self.spec(LINKS, "a.yaml")
        b = self.spec(edit(ADOPTS, ("    adopt: true\n", "    adopt: true\n    exclusive: true\n")), "b.yaml")
        self.topod("apply", a)
        d = self.daemon(b).ready()
        d.wait_line(r"web/sep: .*belongs to topology 'a'")
        self.assertEqual(1, sum("web/sep: link" in l or "web/sep: veth" in l for l in d.lines), d.lines)
        self.is_well(a)
        self.has_bs()
        d.stop()

    def test_the_namespace_stays_until_the_last_one_goes(self):
        before = self.state()
        a, b = self.spec(LINKS, "a.yaml"), self.spec(edit(ADOPTS, (
            "      eth0: {kind: existing, addresses: [10.6.1.1/24]}\n", "")), "b.yaml")
        x = self.daemon(a).ready()
        self.topod("apply", b)
        inode = lab.namespace_id("web")
        x.stop()
        self.assertRegex(self.topod("down", a).stderr, r"web: namespace is left to topology 'b'")
        self.assertEqual(["lo", "br-b"], [l["ifname"] for l in lab.ip_json("web", "link show")])
        self.has_bs()
        self.is_well(b)
        # The first one returns, and continues where it was.
        self.topod("apply", a)
        self.assertEqual(inode, lab.namespace_id("web"))
        self.is_well(b)
        self.topod("down", b)
        self.assertEqual(inode, lab.namespace_id("web"))
        self.is_well(a)
        self.topod("apply", b)
        self.topod("down", a)
        self.topod("down", b)
        self.same(before, self.state(), "something is left")

    def test_crashes(self):
        """In any order of kills and starts, both have what they declare."""
        before = self.state()
        a, b = self.spec(LINKS, "a.yaml"), self.spec(ADOPTS, "b.yaml")
        for first, second in ((a, b), (b, a)):
            x = self.daemon(first)
            y = self.daemon(second)
            x.ready()
            y.ready()
            x.kill()
            self.is_well(second)
            y.kill()
            x, y = self.daemon(second), self.daemon(first)
            x.ready()
            y.ready()
            self.assertIsNone(x.find("fail|drift"), x.log)
            self.assertIsNone(y.find("fail|drift"), y.log)
            x.stop()
            y.stop()
            self.topod("down", "a")
            self.topod("down", "b")
            self.same(before, self.state(), "something is left")


if __name__ == "__main__":
    lab.main()
