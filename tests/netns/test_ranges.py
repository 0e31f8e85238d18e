# SPDX-License-Identifier: GPL-2.0-or-later
"""
Names with ranges on the real kernel: the entries that they stand for work, a longer range only adds what is new,
and refusals and drift point to the line that was written.
"""

import json
import os
import subprocess
import sys

import lab
from lab import Case

STAR = """\
topology: star
namespaces:
  host:
    interfaces:
      br0: {kind: bridge, ports: "c[1-3]", addresses: [10.0.0.254/24]}
  h[1-3]:
    interfaces:
      eth0: {addresses: "10.0.0.{n}/24"}
    routes:
      - {to: default, via: 10.0.0.254}
links:
  - ["h[1-3]:eth0", "host:c[1-3]"]
"""

CHAIN = """\
topology: chain
namespaces:
  r[1-4]:
    forwarding: true
    interfaces:
      right: {addresses: "10.0.{n}.1/24"}
      left: {addresses: "10.0.{n-1}.2/24"}
  r1: {routes: {to: 10.0.0.0/16, via: 10.0.1.2}}
  r4: {routes: {to: 10.0.0.0/16, via: 10.0.3.1}}
  r2: {routes: [{to: 10.0.3.0/24, via: 10.0.2.2}]}
  r3: {routes: [{to: 10.0.1.0/24, via: 10.0.2.1}]}
links:
  - ["r[1-3]:right", "r[2-4]:left"]
  - [r1:left, r4:right]
"""


class Ranges(Case):
    def test_a_star(self):
        before = lab.snapshot()
        spec = self.spec(STAR)
        self.topod("apply", spec)
        for n in (1, 2, 3):
            self.assertEqual([f"10.0.0.{n}/24"], [a for a in lab.addresses(f"h{n}", "eth0") if "." in a])
            lab.pings(f"h{n}", f"10.0.0.{n % 3 + 1}")
        self.topod("down", spec)
        self.same(before, lab.snapshot())

    def test_a_chain(self):
        self.topod("apply", self.spec(CHAIN))
        lab.pings("r1", "10.0.3.2")

    def test_written_out(self):
        """The printed file is valid, and on the same machine there is nothing left to do for it."""
        for text in (STAR, CHAIN):
            spec = self.spec(text)
            self.topod("apply", spec)
            printed = self.topod("check", "--expand", spec).stdout
            self.assertNotRegex(printed, r"[{]n|\[\d+-")
            self.assertEqual(printed, json.loads(self.topod("check", "--expand", "--json", spec).stdout)["files"][0]["expanded"])
            again = self.spec(printed, "written.yaml")
            self.topod("plan", "--replace", again)
            self.assertEqual(printed, self.topod("check", "--expand", again).stdout)
            self.topod("down", spec)
        self.topod("check", "--expand", spec, spec, expect=lab.EXIT_USAGE)

    def test_a_longer_range(self):
        """Only what is new is made; the others keep their links and connections."""
        spec = self.spec(STAR)
        daemon = self.daemon(spec).ready()
        indexes = [lab.link(ns, "eth0")["ifindex"] for ns in ("h1", "h2", "h3")]
        with lab.Connection("h1", "10.0.0.3", 5000, "h3") as connection:
            connection.say(b"before")
            self.spec(STAR.replace("[1-3]", "[1-5]"))
            plan = json.loads(self.topod("plan", "--json", spec, expect=lab.EXIT_DIFFERENCES).stdout)
            self.assertEqual({"h4", "h5", "host"}, {c["namespace"] for c in plan["changes"]})
            self.assertEqual({"create"}, {c["action"] for c in plan["changes"]})
            daemon.reload()
            connection.say(b"after")
            lab.pings("h1", "10.0.0.5")
            self.spec(STAR)
            daemon.reload()
            connection.say(b"shorter")
        self.assertEqual(indexes, [lab.link(ns, "eth0")["ifindex"] for ns in ("h1", "h2", "h3")])
        self.assertNotIn("h4", lab.namespaces())

    def test_a_drop_in(self):
        """A drop-in may have its own range, and may add to one of the entries that a range stands for."""
        spec = self.spec(STAR)
        os.makedirs(spec[:-5] + ".d")
        with open(spec[:-5] + ".d/10.yaml", "w") as f:
            f.write('namespaces:\n  h[2-3]: {interfaces: {eth0: {addresses: "10.1.0.{n}/24"}}}\n  h3: {forwarding: true}\n')
        fresh = lab.sysctl_get(lab.HOST, "net.ipv4.ip_forward")  # what a new namespace gets
        self.topod("apply", spec)
        self.assertEqual(1, len([a for a in lab.addresses("h1", "eth0") if "." in a]))
        lab.pings("h2", "10.1.0.3")
        self.assertEqual("1", lab.sysctl_get("h3", "net.ipv4.ip_forward"))
        self.assertEqual(fresh, lab.sysctl_get("h2", "net.ipv4.ip_forward"))
        with open(spec[:-5] + ".d/20.yaml", "w") as f:
            f.write("namespaces:\n  h[1-2]: {forwarding: true}\n  h2: {forwarding: false}\n")
        done = self.topod("check", spec, expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, r"20\.yaml:3:8: error: 'forwarding' is 'false' here and 'true' in another entry\n")
        self.assertRegex(done.stderr, r"20\.yaml:2:12: note: first here \(for h2\)")

    def test_drift_has_its_line(self):
        spec = self.spec(STAR)
        daemon = self.daemon(spec).ready()
        with daemon.expects(r"drift: h2/eth0: address 10\.0\.0\.2/24 was removed; restored"):
            lab.ip("h2", "addr del 10.0.0.2/24 dev eth0")
        with daemon.expects(r"drift: h3: route default via 10\.0\.0\.254 was removed; restored"):
            lab.ip("h3", "route del default")

    def test_the_benchmarks_topologies(self):
        """Written with ranges, they have the same plan as written out."""
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "topology.py")
        for shape, n in (("star", 300), ("chain", 300), ("star", 1100)):
            plans = []
            for more in ([], ["--ranges"]):
                text = subprocess.run([sys.executable, "-B", script, shape, str(n), *more], check=True, stdout=subprocess.PIPE, text=True).stdout
                plan = json.loads(self.topod("plan", "--json", self.spec(text, "bench.yaml"), expect=lab.EXIT_DIFFERENCES).stdout)
                plans.append(sorted(json.dumps({k: v for k, v in c.items() if k not in ("file", "line", "column")}, sort_keys=True)
                                    for c in plan["changes"]))
            self.assertLess(len(text.splitlines()), 20)
            self.assertEqual(*plans)

    def test_a_refusal_has_its_line(self):
        """The kernel refuses an object of one of them; the message names that one and the line of the range."""
        spec = self.spec(lab.edit(STAR, ("    routes:\n", '    sysctl: {"net.ipv4.no_such_{n}": "{n}"}\n    routes:\n')))
        done = self.topod("apply", spec, expect=lab.EXIT_FAILED)
        for n in (1, 2, 3):
            self.assertRegex(done.stderr, rf"office\.yaml:9:14: error: h{n}: sysctl net\.ipv4\.no_such_{n}: .*no such setting")


if __name__ == "__main__":
    lab.main()
