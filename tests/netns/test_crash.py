# SPDX-License-Identifier: GPL-2.0-or-later
"""
Promise 8, a crash leaves nothing behind: kill -9 at any moment, then a start; the topology converges, and `down` leaves no
trace. The moments are those before and after each system call that changes something (see killpoint.py): by default a sample
of them, with TOPOD_TEST_EVERY_MOMENT=1 all of them, with TOPOD_TEST_PART=3/20 in addition the third part of twenty.
"""

import os
import re
import signal
import socket
import sys
import unittest

import killpoint
import lab
from lab import Case, edit
from small import EDITED, TEXT, furnish, part_of

TEXT_ALONE = "topology: alone\nnamespaces: {web: {sysctl: {net.ipv4.ip_default_ttl: 99}}}\n"
SAMPLE = 8


@unittest.skipUnless(killpoint.available(), "system call numbers of this architecture are not known to the test")
class Crash(Case):
    def setUp(self):
        super().setUp()
        furnish()

    def refresh(self):
        """A new machine, as empty as the first."""
        self.sweep()
        lab.libc_call("unshare", lab.CLONE_NEWNET)
        lab.run("ip", "link", "set", "lo", "up")
        os.makedirs(self.directory, exist_ok=True)
        furnish()

    def without_up(self, snap):
        """The kernel sets a card down when it is moved, so a returned card is down."""
        mentions = re.compile(r'"(card|socket)"|/conf/(card|socket)/|"fe80::')
        host = {k: [l for l in v if not mentions.search(l)] for k, v in snap["host"].items()}
        return {**snap, "host": host}

    def moments(self, calls):
        """Pairs: which call, and whether it is still carried out."""
        every = [(i, after) for i in range(len(calls)) for after in (False, True)]
        if os.environ.get("TOPOD_TEST_EVERY_MOMENT") == "1":
            return part_of(every)
        chosen = {every[round(i * (len(every) - 1) / (SAMPLE - 1))] for i in range(SAMPLE)}
        for name in set(calls):  # rare calls would not be in a random sample: removing a name takes two
            chosen |= {(calls.index(name), False), (len(calls) - 1 - calls[::-1].index(name), True)}
        return sorted(chosen)

    def killed(self, work, prepare, final, resumed=True):
        """Kills the program that work(path, moment, after) runs, at many moments. prepare() makes the state
        before; `final` is the spec that it applies, or None if it removes. If not `resumed`, `down` follows
        immediately."""
        before = self.without_up(self.settle())
        # The result without any crash.
        prepare()
        calls, status = work(self.spec(final or TEXT, "small.yaml"), None, False)
        self.assertIn(status, (0, -signal.SIGKILL))  # a daemon has to be killed
        self.assertGreater(len(calls), 5)
        goal = self.without_up(self.settle()) if final else None
        kills, tried, shorter, moments = 0, [], 0, self.moments(calls)
        while moments:
            moment, after = moments.pop(0)
            tried.append((moment, after))
            with self.subTest(killed=f"{'after' if after else 'before'} {calls[moment]} (call {moment} of {len(calls)})"):
                self.refresh()
                prepare()
                path = self.spec(final or TEXT, "small.yaml")
                reached, status = work(path, moment, after)
                self.assertIn(status, (-signal.SIGKILL, 0))  # 0: it ended with fewer calls than the time before
                kills += len(reached) == moment + 1
                if len(reached) <= moment and shorter < 3:  # time made more scans in the run before: there are fewer moments
                    shorter, calls = shorter + 1, reached
                    moments = [m for m in self.moments(calls) if m not in tried]
                if final and resumed:
                    self.topod("apply", path)
                    self.topod("plan", path, expect=0)
                    self.same(goal, self.without_up(self.settle()), "not what an undisturbed run makes")
                    lab.pings("web", "10.0.0.1")
                self.topod("down", path)
                self.assertEqual([], lab.namespaces())
                self.same(before, self.without_up(lab.snapshot()), "down left a trace")
        print(f"{len(calls)} calls; killed at {kills} of {2 * len(calls)} moments", file=sys.stderr, flush=True)
        self.assertGreaterEqual(kills, len(tried) * 3 // 4, f"it was hardly ever killed; undisturbed it called {calls}")

    def verb(self, name):
        return lambda path, moment, after: killpoint.run_until([os.environ["TOPOD"], name, path], moment, after)

    def reload(self, path, moment, after):
        """A daemon that has made TEXT reloads `path`; calls are counted from there until it is ready again."""
        with open(path) as f:
            edited = f.read()
        self.spec(TEXT, "small.yaml")
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        name, told = self.directory + "/notify", False

        def stage(pid):
            nonlocal told
            try:
                ready = b"READY=1" in notify.recv(65536)
            except BlockingIOError:
                return told
            if ready and told:
                return None
            if ready:
                self.spec(edited, "small.yaml")
                os.kill(pid, signal.SIGHUP)
                told = True
            return told
        with notify:
            notify.bind(name)
            try:
                return killpoint.run_until([os.environ["TOPOD"], "run", path], moment, after, stage=stage,
                                           environment={"NOTIFY_SOCKET": name})
            finally:
                os.unlink(name)

    def make(self):
        self.topod("apply", self.spec(TEXT, "small.yaml"))

    def test_killed_while_building(self):
        self.killed(self.verb("apply"), lambda: None, TEXT)

    def test_killed_while_reloading(self):
        self.killed(self.reload, lambda: None, EDITED)

    def test_killed_while_removing(self):
        self.killed(self.verb("down"), self.make, None)

    def test_killed_while_building_and_given_up(self):
        """`down` alone removes everything that was begun. The macvlan in another namespace ends a batch: what was made before is
        not marked yet."""
        self.killed(self.verb("apply"), lambda: None, TEXT, resumed=False)

    def test_killed_while_changing_and_given_up(self):
        self.killed(self.verb("apply"), self.make, EDITED, resumed=False)

    def test_killed_while_the_ledger_is_rewritten(self):
        """So many changes that the ledger is rewritten; at no moment is there no ledger."""
        def prepare():
            many = ", ".join(f"10.7.{i // 200}.{i % 200}/32" for i in range(300))
            self.topod("apply", self.spec(edit(TEXT, ("addresses: [10.0.0.1/24]",
                                                      f"addresses: [10.0.0.1/24, {many}]")), "small.yaml"))
        topod, before = os.environ["TOPOD"], self.without_up(self.settle())
        prepare()
        path = self.spec(TEXT, "small.yaml")
        calls, status = killpoint.run_until([topod, "apply", path], None)
        self.assertEqual(0, status)
        last = max(i for i, name in enumerate(calls) if name.startswith("rename"))  # of the rewritten ledger
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
        """The lock and the control socket of a dead daemon are no obstacle."""
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
        """Objects that the new file no longer declares are removed, although the process that made them is gone."""
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
        """A setting of a new namespace: its former value is in the ledger, not only in the daemon's memory."""
        path = self.spec(TEXT_ALONE, "alone.yaml")
        self.daemon(path).ready().kill()
        self.assertEqual("99", lab.sysctl_get("web", "net.ipv4.ip_default_ttl"))
        d = self.daemon(self.spec("topology: alone\nnamespaces: {web: {}}\n", "alone.yaml")).ready()
        self.assertEqual("64", lab.sysctl_get("web", "net.ipv4.ip_default_ttl"))
        d.stop()


if __name__ == "__main__":
    lab.main()
