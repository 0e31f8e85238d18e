# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon under valgrind: converge, drift, a good and a bad reload, status, stop; then apply and down."""

import os
import shutil

import lab
from lab import HOST, OFFICE, Case, edit

VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible", "--track-fds=no", "--error-exitcode=99",
            "--child-silent-after-fork=yes", "--num-callers=30",
            "--sim-hints=lax-ioctls"]  # it does not know NS_GET_NSTYPE


class Valgrind(Case):
    def setUp(self):
        super().setUp()
        self.binary = os.environ.get("TOPOD_PLAIN", "")
        if not shutil.which("valgrind"):
            self.skipTest("valgrind is not installed")
        self.assertTrue(os.access(self.binary, os.X_OK), "TOPOD_PLAIN must name a topod without sanitizers")

    def verb(self, *args, expect=0):
        done = lab.run(*VALGRIND, self.binary, *args, check=False)
        self.assertEqual(expect, done.returncode, f"topod {args}:\n{done.stdout}{done.stderr}")
        self.assertNotRegex(done.stderr, r"(?m)^==\d+==")
        return done

    def test_life_of_the_daemon(self):
        before = lab.snapshot()
        path = self.spec(OFFICE)
        d = self.daemon(path, prefix=VALGRIND, binary=self.binary).ready()
        lab.pings("web", "203.0.113.1")
        for pattern, disturb in (
                (r"drift: web/eth0: .*10\.0\.0\.11/24", lambda: lab.ip("web", "addr del 10.0.0.11/24 dev eth0")),
                (r"drift: web\b.*(default|0\.0\.0\.0/0)", lambda: lab.ip("web", "route del default")),
                (r"drift: (host/c2|db/eth0)\b", lambda: lab.ip(HOST, "link del c2")),
                (r"drift: host\b.*(nat|table)", lambda: lab.nft(HOST, "flush ruleset")),
                (r"drift: web\b.*rp_filter", lambda: lab.sysctl_set("web", "net.ipv4.conf.eth0.rp_filter", 1)),
                (r"drift: lone\b", lambda: lab.run("ip", "netns", "delete", "lone"))):
            with d.expects(pattern):
                disturb()
        self.spec(edit(OFFICE, ("mtu: 1400", "mtu: 1399"),
                       ("      - {to: 10.66.0.0/16, type: blackhole}\n", "")))
        d.reload()
        self.spec("namespaces: {web: {interfaces: [}}}\n")
        with d.expects(r"error: "):
            d.process.send_signal(lab.signal.SIGHUP)
        self.verb("reload", "office", expect=lab.EXIT_SPEC)
        self.spec(OFFICE)
        self.verb("reload", "office")
        self.verb("status", "office")
        self.verb("status", "--json", "office")
        d.stop()  # its exit status is 99 if valgrind found something
        self.assertIsNone(d.find(r"^==\d+=="), "\n".join(d.lines))
        self.verb("down", path)
        self.same(before, lab.snapshot(), "down left a trace")

    def test_verbs(self):
        path = self.spec(OFFICE)
        self.verb("check", path)
        self.verb("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.verb("plan", "--json", path, expect=lab.EXIT_DIFFERENCES)
        self.verb("apply", path)
        self.verb("plan", path)
        self.verb("down", path)

    def test_bad_spec(self):
        path = self.spec(edit(OFFICE, ("mtu: 1400", "mut: 1400"), ("kind: bridge", "kind: bridgee"),
                              ("10.0.0.11/24", "10.0.0.311/24"), ("  lone:\n", "  lonely:\n")))
        self.verb("check", path, expect=lab.EXIT_SPEC)
        self.verb("check", "--json", path, expect=lab.EXIT_SPEC)


if __name__ == "__main__":
    lab.main()
