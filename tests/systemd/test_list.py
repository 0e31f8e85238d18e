# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod list` beside systemd: the units of topologies, and those that failed; a NAME is the file of a service."""

import json

import machine
from machine import Case, lab
from lab import OFFICE


class List(Case):
    def listed(self):
        return {t["topology"]: (t["state"], t["unit"], t["unit_state"])
                for t in json.loads(self.topod("list", "--json").stdout)["topologies"]}

    def test_units(self):
        self.start(OFFICE)
        unit = "topod@office.service"
        self.assertEqual({"office": ("converged", unit, "active")}, self.listed())
        self.spec("nonsense: 1\n", "wrong.yaml")
        self.assertNotEqual(0, lab.run("systemctl", "start", "topod@wrong", check=False).returncode)
        self.wait_until(lambda: self.listed().get("wrong") == ("failed", "topod@wrong.service", "failed"), "the failed unit")
        self.assertRegex(self.topod("list").stdout, r"(?m)^wrong +failed +/\S*etc/topod/wrong\.yaml$")
        self.systemctl("stop", "topod@office")
        self.assertEqual("stopped", self.listed()["office"][0])
        self.assertIn("web", self.topod("show", "office").stdout)

    def test_names(self):
        """`topod … office` means the topology of `topod@office`, regardless of the topology's name."""
        self.start(OFFICE.replace("topology: office", "topology: other"))
        self.assertIn("other", self.topod("status", "office").stdout)
        self.topod("reload", "office")
        self.topod("plan", "office")
        self.assertIn("valid", self.topod("check", "office").stdout)


if __name__ == "__main__":
    machine.main()
