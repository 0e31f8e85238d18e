# SPDX-License-Identifier: GPL-2.0-or-later
"""Drop-ins: NAME.d/*.yaml beside NAME.yaml, merged for every verb and at every reload."""

import json
import os
import signal

import lab
from lab import HOST, Case

BASE = """\
namespaces:
  host:
    interfaces:
      br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}
  web:
    interfaces:
      eth0: {addresses: [10.0.0.11/24]}
links:
  - [web:eth0, host:c1]
"""

DB = """\
namespaces:
  host:
    interfaces: {br0: {ports: c2}}
  db:
    interfaces: {eth0: {addresses: 10.0.0.12/24}}
links: [[db:eth0, host:c2]]
"""

ROUTES = """\
namespaces:
  web:
    interfaces: {eth0: {mtu: 1400, addresses: [10.0.0.21/24]}}
    routes: {to: default, via: 10.0.0.1}
"""


class Dropins(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()
        self.path = self.spec(BASE)
        self.dropins = os.path.join(self.directory, "office.d")
        os.mkdir(self.dropins)

    def dropin(self, name, text):
        with open(os.path.join(self.dropins, name), "w") as f:
            f.write(text)

    def forget(self, name):
        os.unlink(os.path.join(self.dropins, name))

    def finish(self):
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def test_every_verb(self):
        self.dropin("10-db.yaml", DB)
        self.dropin("20-routes.yaml", ROUTES)
        done = self.topod("check", self.path)
        self.assertIn("office.yaml: valid, 3 namespaces", done.stdout)
        self.assertIn("with 2 drop-ins", done.stdout)
        answer = json.loads(self.topod("check", "--json", self.path).stdout)["files"][0]
        self.assertEqual(["10-db.yaml", "20-routes.yaml"], [os.path.basename(f) for f in answer["drop_ins"]])
        self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", self.path)
        self.assertEqual(["10.0.0.11/24", "10.0.0.21/24"],
                         [a for a in lab.addresses("web", "eth0") if a.startswith("10.")])
        self.assertEqual(1400, lab.link("web", "eth0")["mtu"])
        self.assertTrue(lab.pings("web", "10.0.0.12"))
        self.assertEqual("10.0.0.1", lab.route("web", "default")["gateway"])
        self.topod("plan", self.path)
        self.finish()

    def test_reload(self):
        d = self.daemon(self.path).ready()
        index = lab.link("web", "eth0")["ifindex"]
        self.dropin("10-db.yaml", DB)
        self.dropin("20-routes.yaml", ROUTES)
        d.reload()
        self.assertTrue(lab.pings("web", "10.0.0.12"))
        self.assertEqual((index, 1400), (lab.link("web", "eth0")["ifindex"], lab.link("web", "eth0")["mtu"]))
        self.topod("plan", self.path)
        # Objects that only a removed drop-in declared are removed too.
        self.forget("10-db.yaml")
        d.reload()
        self.assertEqual(["web"], lab.namespaces())
        self.assertIsNone(lab.link(HOST, "c2"))
        self.assertEqual(index, lab.link("web", "eth0")["ifindex"])
        self.forget("20-routes.yaml")
        d.reload()
        self.assertEqual(1500, lab.link("web", "eth0")["mtu"])
        self.assertIsNone(lab.route("web", "default"))
        d.stop()
        self.finish()

    def refused(self, d, *words):
        """The daemon refuses the current files with this message, and nothing changes."""
        before = self.settle(exact=True)
        done = self.topod("reload", "office", expect=lab.EXIT_SPEC)
        for w in words:
            self.assertIn(w, done.stderr)
        self.same(before, lab.snapshot(exact=True))
        with d.expects("was refused"):
            d.process.send_signal(signal.SIGHUP)
        self.same(before, lab.snapshot(exact=True))
        status = json.loads(self.topod("status", "--json", "office").stdout)["topologies"][0]
        self.assertEqual("converged", status["state"])
        self.assertIn(words[0], status["reload_error"])

    def test_broken_dropins_change_nothing(self):
        self.dropin("20-routes.yaml", ROUTES)
        d = self.daemon(self.path).ready()
        self.dropin("10-db.yaml", DB + "  - wrong")
        self.refused(d, "office.d/10-db.yaml:7:3: error: a list entry between keys")
        self.dropin("10-db.yaml", "namespaces:\n  web:\n    interfaces: {eth0: {mtu: 1300}}\n")
        self.refused(d, "office.d/20-routes.yaml:3:25: error: 'mtu' is '1400' here and '1300' in another file",
                     "office.d/10-db.yaml:3:25: note: first here", "3 |     interfaces: {eth0: {mtu: 1300}}")
        self.dropin("10-db.yaml", "topology: other\n")
        self.refused(d, "the file now names the topology 'other'")
        self.forget("10-db.yaml")
        os.chmod(self.dropins, 0o777)
        self.refused(d, "others may write to")
        os.chmod(self.dropins, 0o755)
        self.dropin("10-db.yaml", DB)
        d.reload()
        self.assertTrue(lab.pings("web", "10.0.0.12"))
        d.stop()
        self.finish()

    def test_the_kernel_refuses(self):
        """Failures are reported with the position in the drop-in, also after the files before it changed."""
        bad = "namespaces:\n  web:\n    routes:\n      - {to: 10.9.0.0/16, via: 10.99.0.1}\n"
        self.dropin("50-bad.yaml", bad)
        done = self.topod("apply", self.path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, r"office\.d/50-bad\.yaml:4:\d+: error: web: route 10\.9\.0\.0/16")
        self.assertIn("4 |       - {to: 10.9.0.0/16, via: 10.99.0.1}", done.stderr)
        d = self.daemon(self.path)
        d.wait_line(r"failing: web: route 10\.9\.0\.0/16.*\(.*/office\.d/50-bad\.yaml:4\)")

        def place():
            troubles = json.loads(self.topod("status", "--json", "office").stdout)["topologies"][0]["troubles"]
            return [(os.path.basename(t["file"]), t["line"]) for t in troubles]
        self.assertEqual([("50-bad.yaml", 4)], place())
        self.dropin("10-db.yaml", DB)
        self.topod("reload", "office", expect=lab.EXIT_FAILED)
        self.assertEqual([("50-bad.yaml", 4)], place())
        self.forget("50-bad.yaml")
        self.topod("reload", "office")
        self.assertEqual([], place())
        d.stop()
        self.finish()

    def test_stdin_has_none(self):
        self.dropin("10-db.yaml", DB)
        with open(self.path) as f:
            done = lab.subprocess.run([os.environ["TOPOD"], "check", "-"], input="topology: office\n" + f.read(),
                                      capture_output=True, text=True, cwd=self.directory, check=True)
        self.assertIn("2 namespaces", done.stdout)
        self.assertNotIn("drop-in", done.stdout)


if __name__ == "__main__":
    lab.main()
