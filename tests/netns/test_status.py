# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod status`: its exit status, the namespaces that it names, and --wait."""

import json
import os
import re
import shutil
import subprocess
import unittest

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


# OpenMetrics, as far as topod uses it: a strict reader. https://github.com/prometheus/OpenMetrics
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,(?!\}))?)*)\} (-?[0-9]+(?:\.[0-9]+)?)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def read_metrics(text):
    """{name: {labels: value}}; raises if it is not valid."""
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise ValueError("does not end with # EOF and a line break")
    families, samples, current, begun = {}, {}, None, False
    for line in lines[:-2]:
        if m := re.fullmatch(r"# (TYPE|UNIT|HELP) (\S+) (.+)", line):
            word, name, rest = m.groups()
            if not METRIC.fullmatch(name) or (name != current and name in families) or (name == current and begun):
                raise ValueError(f"interleaved: {line}")
            if name != current:
                current, begun = name, False
                families[name] = {}
            if word in families[name] or (word == "TYPE" and rest not in ("gauge", "counter")):
                raise ValueError(line)
            if word == "UNIT" and not name.endswith("_" + rest):
                raise ValueError(line)
            families[name][word] = rest
            continue
        m = SAMPLE.fullmatch(line)
        if not m:
            raise ValueError(f"no sample: {line!r}")
        begun = True
        suffix = "_total" if families[current]["TYPE"] == "counter" else ""
        if m[1] != current + suffix:
            raise ValueError(f"{line} in {current}")
        labels = tuple((k, re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], v)) for k, v in LABEL.findall(m[2]))
        if len(dict(labels)) != len(labels) or labels in samples.setdefault(m[1], {}):
            raise ValueError(f"twice: {line}")
        samples[m[1]][labels] = float(m[3])
    return samples


class Status(Case):
    def test_prometheus(self):
        self.assertEqual({}, read_metrics(self.topod("status", "--prometheus", expect=EXIT_NOT_RUNNING).stdout))
        good = self.daemon(self.spec(GOOD.replace("topology: good", "topology: 'a\"b\\\\c'".replace("\\\\", "\\")), "good.yaml")).ready()
        d = self.daemon(self.spec(SPEC, "small.yaml")).ready()
        with d.expects("drift: a/x: mtu .*reported only"):
            lab.ip("a", "link set x mtu 1300")
        text = self.topod("status", "--prometheus").stdout
        metrics = read_metrics(text)
        name = 'a"b\\c'
        small, other = (("topology", "small"),), (("topology", name),)
        self.assertEqual({small: 1, other: 0}, metrics["topod_reported"])
        self.assertEqual({small: 1, other: 0}, metrics["topod_drifts_total"])
        self.assertEqual(1, metrics["topod_state"][small + (("state", "degraded"),)])
        self.assertEqual(1, metrics["topod_state"][other + (("state", "converged"),)])
        self.assertEqual(2, sum(metrics["topod_state"].values()))
        # All of what --json counts, with the same values.
        for status in json.loads(self.topod("status", "--json").stdout)["topologies"]:
            for key, value in status.items():
                found = metrics.get(f"topod_{key}", metrics.get(f"topod_{key}_total"))
                if isinstance(value, int) and key != "pid" and not key.endswith("_usec"):
                    self.assertEqual(value, found[(("topology", status["topology"]),)], key)
        started = json.loads(self.topod("status", "small", "--json").stdout)["topologies"][0]["started_usec"]
        self.assertAlmostEqual(started / 1e6, metrics["topod_start_time_seconds"][small], places=5)
        one = read_metrics(self.topod("status", "small", "--prometheus").stdout)
        self.assertEqual([small], list(one["topod_objects"]))
        d.stop()
        good.stop()

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool(self):
        d = self.daemon(self.spec(SPEC, "small.yaml")).ready()
        text = self.topod("status", "--prometheus").stdout
        # It reads the older format, and exits with 3 because of style, with 1 for errors.
        self.assertIn(subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT).returncode, (0, 3))
        d.stop()

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
        self.assertEqual("converged", json.loads(p.stdout.read())["topologies"][0]["state"])
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
