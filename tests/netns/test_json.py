# SPDX-License-Identifier: GPL-2.0-or-later
"""What each verb prints with --json has the shape of its example in topod-json(7): the same members, of the same types."""

import json
import os
import re
import subprocess

import lab
from lab import Case

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/topod-json.7.scd")
SPEC = """\
topology: office
namespaces:
  host:
    interfaces: {br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}}
  web:
    interfaces: {eth0: {addresses: [10.0.0.2/24]}, late: {kind: existing, mtu: 1400}}
    routes: [{to: default, via: 10.0.0.1}]
    nat: [{action: masquerade, source: 10.1.0.0/16}]
  db:
    drift: report
    interfaces: {eth0: {kind: ifb, mtu: 1500}}
links:
  - [web:eth0, host:c1]
"""
# Members whose names are names of objects or classes.
MAPS = {"fields", "others", "namespaces", "interfaces"}
# What names an object.
NAME = ("namespace", "interface", "kind", "key")


def examples():
    """{title: the values of its example}"""
    with open(PAGE, encoding="utf-8") as f:
        found = re.findall(r"(?m)^# ([A-Z, ]+)\n(?:(?!^# )[\s\S])*?^```\n([\s\S]*?)^```", f.read())
    values = {}
    for title, text in found:
        text = text.replace("\\\\", "\\")
        values[title] = [json.loads(l) for l in text.splitlines()] if title == "WATCH" else json.loads(text)
    return values


def misfit(example, value, where="result"):
    """The part of the value that the example does not show, or None."""
    if example is None or value is None:
        return None
    if isinstance(example, dict) and isinstance(value, dict):
        name = where.rsplit(".", 1)[-1]
        if name in MAPS and not isinstance(value, list):
            return None
        if set(example) != set(value):
            return f"{where} has {sorted(value)}, not {sorted(example)}"
        return next((m for k in value if (m := misfit(example[k], value[k], f"{where}.{k}"))), None)
    if isinstance(example, list) and isinstance(value, list):
        for n, item in enumerate(value):
            misfits = [misfit(e, item, f"{where}[{n}]") for e in example]
            if misfits and all(misfits):
                return misfits[0]
        return None
    same = type(example) is type(value) or {type(example), type(value)} == {int, float}
    return None if same else f"{where} is {value!r}, not like {example!r}"


class Shapes(Case):
    def setUp(self):
        super().setUp()
        self.examples = examples()
        self.path = self.spec(SPEC, "office.yaml")

    def check(self, title, *args, expect=0):
        value = json.loads(self.topod(*args, "--json", expect=expect).stdout)
        self.assertIsNone(misfit(self.examples[title], value))
        return value

    def test_page(self):
        """Every verb with --json has its section, and the reader of examples finds all of them."""
        said = self.topod("help").stdout
        verbs = re.findall(r"(?m)^  ([a-z]+)", said)
        with_json = {v for v in verbs if v != "help" and "--json" in self.topod("help", v).stdout}
        described = {w.lower() for t in self.examples for w in t.split(", ")}
        self.assertEqual(with_json, described)
        self.assertTrue(misfit({"a": 1}, {"a": "x"}) and misfit({"a": 1}, {"b": 1}) and misfit([{"a": 1}], [{"a": 1, "b": 2}]))

    def test_without_a_daemon(self):
        wrong = self.spec("namespaces: {a: {adresses: 3}}\n", "wrong.yaml")
        self.assertEqual(1, len(self.check("CHECK", "check", self.path)["files"]))
        self.assertEqual(2, len(self.check("CHECK", "check", self.path, wrong, expect=lab.EXIT_SPEC)["files"]))
        self.check("DOCTOR", "doctor", self.path, expect=(0, 1, 2))
        plan = self.check("PLAN", "plan", self.path, expect=lab.EXIT_DIFFERENCES)
        for change in plan["changes"]:
            self.assertLessEqual({"namespace", "interface", "kind", "key", "object"}, set(change))
        address = next(c for c in plan["changes"] if c["kind"] == "address" and c["namespace"] == "web")
        self.assertEqual(("eth0", "10.0.0.2/24"), (address["interface"], address["key"]))
        self.check("APPLY, DOWN", "apply", self.path)
        self.check("EXPORT", "export", "web")
        self.check("APPLY, DOWN", "down", self.path)
        self.check("APPLY, DOWN", "down", "--all")
        self.assertEqual({"topologies": []}, self.check("STATUS, PAUSE, RESUME", "status", expect=lab.EXIT_NOT_RUNNING))
        self.assertEqual({"topologies": []}, self.check("STATUS, PAUSE, RESUME", "status", "office", expect=lab.EXIT_NOT_RUNNING))

    def test_with_a_daemon(self):
        d = self.daemon(self.path).ready()
        watch = subprocess.Popen([os.environ["TOPOD"], "watch", "office", "--json"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (watch.kill(), watch.wait(), watch.stdout.close()))
        events = [json.loads(watch.stdout.readline())]
        with d.expects("drift: db/eth0: mtu .*reported only"):
            lab.ip("db", "link set eth0 mtu 1400")
        while events[-1]["type"] != "drift":
            events.append(json.loads(watch.stdout.readline()))
        first, drift = self.examples["WATCH"]
        self.assertIsNone(misfit(first, events[0]) or misfit(drift, events[-1]))
        for args in (("status",), ("status", "office"), ("pause", "office", "--for", "1h"), ("resume", "office")):
            value = self.check("STATUS, PAUSE, RESUME", *args, expect=tuple(range(7)))
            self.assertEqual(["office"], [t["topology"] for t in value["topologies"]])
        # An object has the same name everywhere.
        status, plan = value["topologies"][0], self.check("PLAN", "plan", self.path, expect=lab.EXIT_DIFFERENCES)
        for n, lists in ((events[-1], (plan["changes"], status["latest"], status["troubles"])),
                         (plan["waiting"][0], (status["waits"],))):
            for objects in lists:
                self.assertIn([n[k] for k in NAME], [[o[k] for k in NAME] for o in objects])
        for verb in ("list", "show", "graph"):
            self.check(verb.upper(), verb)
        reloaded = json.loads(self.topod("reload", "office", "--json", expect=(0, 1)).stdout)
        self.assertIsNone(reloaded["check"])
        self.assertIsNone(misfit(self.examples["STATUS, PAUSE, RESUME"]["topologies"], reloaded["topologies"]))
        self.spec("a: b\n", "office.yaml")
        refused = self.check("RELOAD", "reload", "office", expect=lab.EXIT_SPEC)
        self.assertEqual(([], set(reloaded)), (refused["topologies"], set(refused)))
        d.stop()


if __name__ == "__main__":
    lab.main()
