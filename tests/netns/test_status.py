# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod status`: its exit status, the namespaces that it names, and --wait."""

import json
import os
import subprocess

import lab
from daemon import DEADLINE
from lab import EXIT_DEGRADED, EXIT_DONE, EXIT_NOT_RUNNING, EXIT_PAUSED, Case

SPEC = """\
topology: small
namespaces:
  a:
    drift: report
    interfaces: {x: {kind: bridge, mtu: 1400}}
  aa:
    drift: report
    interfaces: {x: {kind: bridge, mtu: 1400}}
"""
GOOD = "topology: good\nnamespaces: {b: {}}\n"
# Its gateway is unreachable until somebody adds an address.
FAILING = "topology: failing\nnamespaces: {c: {routes: [{to: 10.9.0.0/16, via: 10.55.0.1}]}}\n"


class Status(Case):
    def code(self, *args):
        return self.topod("status", *args, expect=tuple(range(8))).returncode

    def wait(self, *args):
        """`status` with these options, in the background, once it waits."""
        p = subprocess.Popen([os.environ["TOPOD"], "status", "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdout.close(), p.stderr.close()))
        return p

    def test_exit_status(self):
        self.assertEqual((EXIT_NOT_RUNNING, EXIT_NOT_RUNNING), (self.code(), self.code("small")))
        d = self.daemon(self.spec(SPEC, "small.yaml")).ready()
        self.assertEqual((EXIT_DONE, EXIT_DONE), (self.code(), self.code("small")))
        with d.expects("drift: a/x: mtu .*reported only"):
            lab.ip("a", "link set x mtu 1300")
        self.assertEqual((EXIT_DEGRADED, EXIT_DEGRADED, EXIT_DEGRADED),
                         (self.code(), self.code("small"), self.code("--json", "small")))
        self.topod("pause", "small")
        self.assertEqual(EXIT_PAUSED, self.code("small"))
        d.stop()

    def test_the_worst_of_several(self):
        good = self.daemon(self.spec(GOOD, "good.yaml")).ready()
        d = self.daemon(self.spec(SPEC, "small.yaml")).ready()
        self.assertEqual(EXIT_DONE, self.code())
        self.assertIn("several topologies are running: good, small; say which one",
                      self.topod("pause", expect=lab.EXIT_FAILED).stderr)
        self.topod("pause", "good")
        self.assertEqual(EXIT_PAUSED, self.code())
        with d.expects("drift: a/x: mtu .*reported only"):
            lab.ip("a", "link set x mtu 1300")
        self.assertEqual(EXIT_DEGRADED, self.code())
        d.stop()
        good.stop()

    def test_where(self):
        d = self.daemon(self.spec(SPEC, "small.yaml")).ready()
        self.assertNotRegex(self.topod("status").stdout, r"\n +where ")
        for ns, said in (("aa", "aa"), ("a", "(a, aa|aa, a)")):
            with d.expects(f"drift: {ns}/x: mtu .*reported only"):
                lab.ip(ns, "link set x mtu 1300")
            self.assertRegex(self.topod("status").stdout, rf"\n +where  {said}\n")
        d.stop()

    def test_wait(self):
        """For a daemon that does not run yet, and until it is converged."""
        p = self.wait("--wait", "failing")
        d = self.daemon(self.spec(FAILING, "failing.yaml"))
        d.wait_line("10.55.0.1")
        settled = self.wait("--wait=settled", "failing")
        self.assertEqual(EXIT_DEGRADED, settled.wait(DEADLINE))
        self.assertIsNone(p.poll())
        with d.expects("10.9.0.0/16"):
            lab.ip("c", "addr add 10.55.0.2/24 dev lo")
        self.assertEqual(EXIT_DONE, p.wait(DEADLINE))
        self.assertEqual("converged", json.loads(p.stdout.read())["state"])
        self.assertEqual(EXIT_DONE, self.code("--wait"))
        d.stop()

    def test_timeout(self):
        self.assertEqual(EXIT_NOT_RUNNING, self.code("--wait", "--timeout", "10ms", "failing"))
        d = self.daemon(self.spec(FAILING, "failing.yaml"))
        d.wait_line("10.55.0.1")
        self.assertEqual(EXIT_DEGRADED, self.code("--wait=settled", "failing"))
        for args in (("failing",), ()):
            self.assertEqual(EXIT_DEGRADED, self.code("--wait=converged", "--timeout", "10ms", *args))
        d.stop()

    def test_wrong_usage(self):
        for args, said in ((("--timeout", "1s"), "--timeout is for --wait"), (("--wait=up",), "--wait takes converged or settled")):
            self.assertIn(said, self.topod("status", *args, expect=lab.EXIT_USAGE).stderr)


if __name__ == "__main__":
    lab.main()
