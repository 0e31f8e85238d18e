# SPDX-License-Identifier: GPL-2.0-or-later
"""
Promise 8, a crash leaks nothing: kill -9 at any moment, then a start; the topology converges, `down` leaves
no trace. The moments are those before each system call that changes anything (see killpoint.py); by default
a fair sample of them, all of them with TOPOD_TEST_EVERY_MOMENT=1.
"""

import os
import re
import unittest

import killpoint
import lab
from lab import HOST, Case, edit

TEXT = """\
topology: small
namespaces:
  host:
    forwarding: true
    interfaces:
      br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}
      nic: {kind: existing, mtu: 1400, addresses: [192.0.2.1/24]}
    nat:
      - {action: masquerade, source: 10.0.0.0/24, out: nic}
  web:
    dns: {servers: [10.0.0.1]}
    interfaces:
      eth0: {mtu: 1400, addresses: [10.0.0.11/24, {address: "fd00::11/64", nodad: true}]}
    routes:
      - {to: default, via: 10.0.0.1}
    sysctl: {net.ipv4.ip_default_ttl: 99}
  box:
    interfaces:
      eth0: {kind: physical, source: card, addresses: [10.3.0.1/24]}
links:
  - [web:eth0, host:c1]
"""
EDITED = edit(TEXT,
              ("  box:\n", "  more:\n    interfaces: {eth0: {addresses: [10.0.0.13/24]}}\n  box:\n"),
              ("ports: [c1]", "ports: [c1, c3]"),
              ("links:\n", "links:\n  - [more:eth0, host:c3]\n"),
              ("{mtu: 1400, addresses: [10.0.0.11/24,", "{mtu: 1350, addresses: [10.0.0.12/24,"),
              ("    dns: {servers: [10.0.0.1]}\n", ""),
              ("    sysctl: {net.ipv4.ip_default_ttl: 99}\n", ""),
              ("    nat:\n      - {action: masquerade, source: 10.0.0.0/24, out: nic}\n", ""),
              ("      nic: {kind: existing, mtu: 1400, addresses: [192.0.2.1/24]}\n", ""))
TEXT_ALONE = "topology: alone\nnamespaces: {web: {sysctl: {net.ipv4.ip_default_ttl: 99}}}\n"
SAMPLE = 12


@unittest.skipUnless(killpoint.available(), "system call numbers of this architecture are not known to the test")
class Crash(Case):
    def setUp(self):
        super().setUp()
        self.furnish()

    def furnish(self):
        """The part of the machine that is not topod's."""
        lab.veth(HOST, "nic", HOST, "wire")
        lab.veth(HOST, "card", HOST, "socket")

    def refresh(self):
        """Another machine, as empty as the first."""
        self.sweep()
        lab.libc_call("unshare", lab.CLONE_NEWNET)
        lab.run("ip", "link", "set", "lo", "up")
        os.makedirs(self.folder, exist_ok=True)
        self.furnish()

    def without_up(self, snap):
        """A card that was moved to and fro comes back set down, as the kernel does it."""
        mentions = re.compile(r'"(card|socket)"|/conf/(card|socket)/|"fe80::')
        host = {k: [l for l in v if not mentions.search(l)] for k, v in snap["host"].items()}
        return {**snap, "host": host}

    def moments(self, calls):
        total = len(calls)
        if os.environ.get("TOPOD_TEST_EVERY_MOMENT") == "1" or total <= SAMPLE:
            return range(total)
        sample = {round(i * (total - 1) / (SAMPLE - 1)) for i in range(SAMPLE)}
        for name in set(calls):  # what is done rarely is in no fair sample: a name goes in two steps
            sample |= {calls.index(name), total - 1 - calls[::-1].index(name)}
        return sorted(sample)

    def killed(self, verb, prepare, final, resumed=True):
        """Kills `topod VERB` at moments; prepare() makes the state before, `final` is the spec it works to.
        Where not `resumed`, `down` meets what the dead one left."""
        topod = os.environ["TOPOD"]
        before = self.without_up(self.settle())
        # What it should come to, without any accident.
        prepare()
        path = self.spec(final, "small.yaml")
        calls, status = killpoint.run_until([topod, verb, path], None)
        self.assertEqual(0, status)
        self.assertGreater(len(calls), 5)
        goal = self.without_up(self.settle()) if verb != "down" else None
        kills, moments = 0, self.moments(calls)
        for moment in moments:
            with self.subTest(verb=verb, killed_before=f"{calls[moment]} (call {moment} of {len(calls)})"):
                self.refresh()
                prepare()
                path = self.spec(final, "small.yaml")
                _, status = killpoint.run_until([topod, verb, path], moment)
                self.assertIn(status, (-9, 0))  # 0: it came to its end with fewer calls than the time before
                kills += status == -9
                if verb != "down" and resumed:
                    self.topod("apply", path)
                    self.topod("plan", path, expect=0)
                    self.same(goal, self.without_up(self.settle()), "not what an undisturbed run makes")
                    lab.pings("web", "10.0.0.1")
                self.topod("down", path)
                self.assertEqual([], lab.namespaces())
                self.same(before, self.without_up(lab.snapshot()), "down left a trace")
        self.assertGreaterEqual(kills, len(moments) * 3 // 4, "it was hardly ever killed")

    def test_killed_while_building(self):
        self.killed("apply", lambda: None, TEXT)

    def test_killed_while_changing(self):
        self.killed("apply", lambda: self.topod("apply", self.spec(TEXT, "small.yaml")), EDITED)

    def test_killed_while_removing(self):
        self.killed("down", lambda: self.topod("apply", self.spec(TEXT, "small.yaml")), TEXT)

    def test_killed_while_building_and_given_up(self):
        """Nobody finishes what was begun: `down` alone removes all of it."""
        self.killed("apply", lambda: None, TEXT, resumed=False)

    def test_killed_between_making_and_marking(self):
        """A link of another namespace ends the batch: what was made before is not marked yet."""
        text = edit(TEXT, ("    routes:\n", "      mv: {kind: macvlan, link: eth0}\n    routes:\n"))
        self.killed("apply", lambda: None, text, resumed=False)

    def test_killed_while_changing_and_given_up(self):
        self.killed("apply", lambda: self.topod("apply", self.spec(TEXT, "small.yaml")), EDITED, resumed=False)

    def test_killed_while_the_ledger_is_rewritten(self):
        """Enough comes and goes that the ledger is written anew; at no moment is there none."""
        def prepare():
            many = ", ".join(f"10.7.{i // 200}.{i % 200}/32" for i in range(300))
            self.topod("apply", self.spec(edit(TEXT, ("addresses: [10.0.0.1/24]",
                                                      f"addresses: [10.0.0.1/24, {many}]")), "small.yaml"))
        topod, before = os.environ["TOPOD"], self.without_up(self.settle())
        prepare()
        path = self.spec(TEXT, "small.yaml")
        calls, status = killpoint.run_until([topod, "apply", path], None)
        self.assertEqual(0, status)
        last = max(i for i, name in enumerate(calls) if name.startswith("rename"))  # the rewritten one
        for moment in range(last - 4, min(last + 3, len(calls))):
            with self.subTest(killed_before=f"{calls[moment]} (call {moment} of {len(calls)})"):
                self.refresh()
                prepare()
                path = self.spec(TEXT, "small.yaml")
                killpoint.run_until([topod, "apply", path], moment)
                self.topod("down", path)
                self.assertEqual([], lab.namespaces())
                self.same(before, self.without_up(lab.snapshot()), "down left a trace")


class KilledDaemon(Case):
    def test_killed_daemon_is_succeeded(self):
        """The lock and the control socket of a dead daemon hinder nobody."""
        before = lab.snapshot()
        path = self.spec(lab.OFFICE)
        self.daemon(path).ready().kill()
        lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        lab.run("ip", "netns", "delete", "lone")
        second = self.daemon(path).ready()
        self.topod("plan", path, expect=0)
        self.assertIn("converged", self.topod("status", "office").stdout)
        lab.pings("web", "203.0.113.1")
        second.kill()
        self.topod("down", path)
        self.same(before, lab.snapshot(), "down left a trace")

    def test_edited_while_dead(self):
        """What the new file no longer has is removed, though the one who made it is gone."""
        before = lab.snapshot()
        path = self.spec(lab.OFFICE)
        self.daemon(path).ready().kill()
        path = self.spec(edit(lab.OFFICE,
                              ("  lone:\n    interfaces:\n      side: {addresses: [10.8.0.1/24]}\n", ""),
                              ("      side: {addresses: [10.8.0.2/24]}\n", ""),
                              ("          - {via: 10.8.0.1}\n", ""),
                              ("  - [db:side, lone:side]\n", "")))
        d = self.daemon(path).ready()
        self.assertEqual(["db", "outside", "web"], lab.namespaces())
        self.assertIsNone(lab.link("db", "side"))
        d.stop()
        self.topod("down", path)
        self.same(before, lab.snapshot(), "down left a trace")

    def test_former_values_outlive_the_daemon(self):
        """A setting of a new namespace: what it was before is in the ledger, not in the daemon's head."""
        path = self.spec(TEXT_ALONE, "alone.yaml")
        self.daemon(path).ready().kill()
        self.assertEqual("99", lab.sysctl_get("web", "net.ipv4.ip_default_ttl"))
        d = self.daemon(self.spec("topology: alone\nnamespaces: {web: {}}\n", "alone.yaml")).ready()
        self.assertEqual("64", lab.sysctl_get("web", "net.ipv4.ip_default_ttl"))
        d.stop()


if __name__ == "__main__":
    lab.main()
