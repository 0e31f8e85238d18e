# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that something else makes, and makes again (`attach`)."""

import json
import os
import unittest

import lab
from lab import HOST, Case

SPEC = """\
topology: office
namespaces:
  host:
    interfaces:
      br0: {kind: bridge, ports: [c1, c2], addresses: [10.0.0.1/24]}
  web:
    attach: {}
    interfaces: {eth0: {addresses: [10.0.0.11/24]}, lo: {addresses: [10.4.4.4/32]}}
    routes: [{to: default, via: 10.0.0.1}]
    sysctl: {net.ipv4.ip_default_ttl: 77}
  db:
    interfaces: {eth0: {addresses: [10.0.0.12/24]}}
links:
  - [web:eth0, host:c1]
  - [db:eth0, host:c2]
"""


class Attach(Case):
    def status(self):
        return json.loads(self.topod("status", "office", "--json").stdout)


class Absent(Attach):
    def test_waits(self):
        """What is not there is neither a failure nor a difference; everything else is made."""
        path = self.spec(SPEC)
        done = self.topod("apply", path)
        self.assertIn("; 1 interface waits for a namespace, 1 namespace waits to be attached", done.stdout)
        self.assertNotIn("web", lab.namespaces())
        self.assertTrue(lab.link("db", "eth0") and lab.link(HOST, "c2"))
        self.assertIsNone(lab.link(HOST, "c1"))
        self.assertIn("nothing to do\n1 namespace waits to be attached, 1 interface waits for a namespace", self.topod("plan", path).stdout)
        d = self.daemon(path).ready()
        d.wait_line("converged: .*1 namespace waits to be attached")
        status = self.status()
        self.assertEqual(("converged", 0, 0, 0), tuple(status[k] for k in ("state", "failing", "drifts", "retries")))
        self.assertIn(("web", "namespace", "to be attached"), [(w["scope"], w["noun"], w["error"]) for w in status["waits"]])
        self.assertIn("web namespace to be attached", self.topod("status", "office").stdout)
        with d.expects("drift: db/eth0: address 10.0.0.12/24 was removed; restored"):
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        d.stop()
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())

    def test_required(self):
        path = self.spec(lab.edit(SPEC, ("    attach: {}\n", "    attach: {}\n    wait: required\n")))
        d = self.daemon(path)
        d.wait(lambda: any("1 namespace waits to be attached" in n.get("STATUS", "") for n in d.notices), "the wait")
        self.assertEqual("converging", self.status()["state"])
        self.assertFalse(any("READY" in n for n in d.notices))
        with d.expects("drift: db/eth0: address 10.0.0.12/24 was removed; restored"):
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        self.spec(SPEC)
        self.topod("reload", "office")
        d.ready()
        d.stop()

    def test_somebody_elses_name(self):
        """A name that is taken is refused as for other namespaces; what waits for it waits."""
        path = self.spec(SPEC)
        lab.ip(HOST, "netns add web")
        done = self.topod("apply", path, expect=1)
        self.assertIn("cannot be attached: its name in /run/netns is a network namespace that was not attached", done.stderr)
        self.assertIsNone(lab.link("web", "eth0"))
        lab.ip(HOST, "netns delete web")
        os.symlink("/proc/self/ns/nowhere", "/run/netns/web")
        self.assertIn("is a dangling symbolic link", self.topod("apply", path, expect=1).stderr)
        os.unlink("/run/netns/web")
        self.topod("apply", path)

    def test_mistakes(self):
        for text, wanted in (
                ("{attach: {}, adopt: true}", "'adopt' and 'attach' exclude each other"),
                ("{attach: {pidfile: /run/a.pid, path: /run/b}}", "'pidfile' and 'path' exclude each other"),
                ("{attach: {path: run/b}}", "must be an absolute path, such as /run/run/b"),
                ("{attach: {unit: svc}}", "such as svc.service"),
                ("{attach: }", "an empty one is written {}"),
                ("{attach: {pidfle: /run/a.pid}}", "did you mean 'pidfile'"),
                ("{wait: required}", "'wait' is only for a namespace with 'attach'"),
                ("{attach: {}, wait: yes}", "required")):
            done = self.topod("check", self.spec(f"namespaces: {{web: {text}}}\n"), expect=lab.EXIT_SPEC)
            self.assertIn(wanted, done.stderr + done.stdout, text)
        done = self.topod("check", self.spec("namespaces: {host: {attach: {}}}\n"), expect=lab.EXIT_SPEC)
        self.assertIn("the host is the namespace that topod runs in", done.stderr + done.stdout)


if __name__ == "__main__":
    lab.main()
